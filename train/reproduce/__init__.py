"""The paper's experiments by name: `train reproduce`."""
