"""Text, catalog and rights in; one frozen Plan out."""
