"""The record of decisions: its closed form (`events`), the file (`file`) and group commit (`sink`)."""
