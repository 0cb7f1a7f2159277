"""Salesforce: REST and Bulk tell what an org's rows are, change events what happened to them."""
