"""The custodian of keys, and what keeps them."""
