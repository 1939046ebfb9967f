"""What a network gives on labelled pictures, and how good that is."""
