"""What an account of Snowflake needs before tieout may work in it: generated from a project's contracts, never run."""
