"""The administration endpoints, on a port of their own."""
