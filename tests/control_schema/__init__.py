"""The control database's own schema."""
