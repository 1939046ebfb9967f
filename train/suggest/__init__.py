"""Which frames to label next, and first guesses for them."""
