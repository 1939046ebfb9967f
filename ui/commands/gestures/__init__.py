"""The commands of gestures that a person taught."""
