"""Training: networks, losses, data and the `train` commands. The only room with torch."""
