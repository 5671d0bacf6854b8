"""What is worked out of opened values, as the server would have worked it out of plain ones."""
