"""HashiCorp Vault and OpenBao: their Transit engine as the holder of the key-encryption key."""
