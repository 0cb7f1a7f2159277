"""Values of PostgreSQL's types: how each is asked for, how it arrives, and what it is here."""
