"""Teach a bundled network one's own project."""
