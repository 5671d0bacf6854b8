"""Key-encryption-key providers."""
