"""Sealed columns in the database: their SQL, the check that they are sealed, and sealing what is still plain."""
