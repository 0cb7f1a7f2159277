"""Marts over the warehouse: a project of dbt, run as one process, and what came of it."""
