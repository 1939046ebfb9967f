"""Gestures that a person taught: from landmarks, beside those of the network."""
