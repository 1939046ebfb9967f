"""Motions of a hand: told from about a second of landmarks, bundled ones and a person's own."""
