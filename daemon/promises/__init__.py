"""What jobs wait for before it is there: assets, and files of other jobs."""
