"""The stores of a production on one machine: what stands in for S3 and Snowflake, and a real PostgreSQL."""
