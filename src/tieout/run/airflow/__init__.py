"""Airflow as the scheduler: what it is to run, planned from the project, and the file of DAGs that reads the plan."""
