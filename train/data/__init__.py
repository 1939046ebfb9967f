"""Labelled pictures become batches."""
