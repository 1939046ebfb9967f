"""What the labeller does beside the window: threads, and what they find."""
