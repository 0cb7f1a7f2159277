"""The warehouse in Snowflake: the rule as Snowflake's SQL, batches by stage and COPY, one transaction a merge."""
