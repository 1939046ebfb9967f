"""Composed motions of hands: people who make them, what is bundled, and what is measured."""
