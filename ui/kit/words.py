"""Sentences as people read them."""

from __future__ import annotations


def capital(sentence: str) -> str:
    """Begins with a capital letter, unless it begins with the name of a file or the like."""
    word = sentence.split(" ", 1)[0]
    return sentence[:1].upper() + sentence[1:] if word.isalpha() else sentence
