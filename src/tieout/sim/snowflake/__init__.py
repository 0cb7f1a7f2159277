"""A stand-in for Snowflake: a program of its own environment that speaks Snowflake's wire protocol, and its keeper."""
