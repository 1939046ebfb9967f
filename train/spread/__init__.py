"""Labels that spread: what is labelled in a frame is followed to its neighbours, and proposed."""
