"""Who may see what, and proof of it: the data map, the Casbin policy and its compiled decision table."""
