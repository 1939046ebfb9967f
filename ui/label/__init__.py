"""The labeller."""
