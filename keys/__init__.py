"""Field cryptography and key storage.  Knows no SQL and no policy."""
