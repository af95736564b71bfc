"""What runs in the process of one job, and what is said on its pipes."""
