"""A working day of a company that sells by Salesforce: what happens, what goes wrong, and what is true meanwhile."""
