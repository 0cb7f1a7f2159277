"""What a project costs a month on Snowflake and AWS: arithmetic over volumes and prices that anybody can change."""
