"""Gestures of a hand: the bundled ones, and those that a person teaches."""
