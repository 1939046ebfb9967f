"""The project folder of someone who teaches: its layout, clips, labels and what may be wrong."""
