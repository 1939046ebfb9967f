"""Landmarks become tracks: who is who, smoothed, with a gesture."""
