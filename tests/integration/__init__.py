"""The whole: real clients, the real proxy, a real server with the sealed shop."""
