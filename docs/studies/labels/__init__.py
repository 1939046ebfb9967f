"""What labels bring: which frames to label, and what they bring where they spread."""
