"""The org's Bulk API 2.0: query jobs, whose results are pages of CSV."""
