"""Fieldgate's process: the PostgreSQL wire proxy, its planner and its shell.  See docs/query-path.md."""
