"""A simulated Salesforce org: its objects, rows, rules and events (here) and what it speaks (`rest/` and beside)."""
