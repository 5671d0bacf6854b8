"""The conversation of one client: events in, commands out."""
