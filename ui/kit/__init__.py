"""What both windows share."""
