"""Providers of key-encryption keys: one module or package for each kind, and what they share."""
