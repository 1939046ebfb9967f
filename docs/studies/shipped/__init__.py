"""Studies of the shipped models."""
