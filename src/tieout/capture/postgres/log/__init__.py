"""The log: its messages as they arrive, decoded by the column, and put into transactions and pieces."""
