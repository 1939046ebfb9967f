"""Studies of faces."""
