"""`fieldgate explain`: what becomes of one statement, and why."""
