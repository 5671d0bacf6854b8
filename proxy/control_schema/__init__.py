"""The control database's own tables, as numbered SQL files."""
