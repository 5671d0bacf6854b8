"""Online rotation of keys: what is done to the data databases, and the handlers that do it (docs/rotation.md)."""
