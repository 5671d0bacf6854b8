"""The record of decisions: sinks and their formats."""
