"""How Snowflake behaves where fakesnow does not. All of it runs in the stand-in's environment, not in tieout's."""
