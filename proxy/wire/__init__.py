"""Messages and values of the PostgreSQL protocol, as bytes in and bytes out."""
