"""Text for a terminal: names of files, clips and landmarks are anybody's, and give it no orders."""

from __future__ import annotations

import json


def printable(text: str) -> str:
    """The text without what a terminal would obey, or show in another order than it is.

    Control characters, and letters that are no text at all, are written out as Python does.
    """
    if text.replace("\n", "").isprintable():
        return text
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text
    )


def printable_json(text: str) -> str:
    """The same of a JSON text, written out as JSON does: it says what it said."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
