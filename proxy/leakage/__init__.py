"""`fieldgate leakage`: what the data map gives away, and how the database is really filled."""
