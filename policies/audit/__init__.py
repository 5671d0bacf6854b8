"""The record of decisions and of work over keys: its forms (`events`, `key_events`), its `file`, its `sink`."""
