"""`fieldgate demo`: an embedded PostgreSQL, the sample database `shop` and the proxy in front of it."""
