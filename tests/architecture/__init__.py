"""The house keeps its own rules: packages, imports, pinned locks, what may stand in a file."""
