"""What avatars are told of a face's expressions: the names of perfect sync, and VRM 0's clips.

Avatars made for perfect sync have a blend shape for each of ARKit's coefficients, by its name with
a capital letter. VRM 0 has eleven of its own, which are derived here: vowels by how open, round and
wide the mouth is, feelings where two signs of them agree.
"""

from __future__ import annotations

from collections.abc import Mapping

from tracker.find.expressions import by_name
from tracker.types import Floats


def perfect_sync(expressions: Floats) -> dict[str, float]:
    """The 51 blend shapes of perfect sync, 0 to 1. expressions (52,)."""
    return {name[0].upper() + name[1:]: value for name, value in by_name(expressions).items()}


def vrm0(expressions: Floats) -> dict[str, float]:
    """VRM 0's clips but for those of the gaze, 0 to 1; vowels add up to 1 at most."""
    seen = by_name(expressions)
    opened = seen["jawOpen"] * (1 - seen["mouthClose"])
    rounded = max(seen["mouthFunnel"], seen["mouthPucker"])
    wide = (1 - rounded) * _both(seen, "mouthStretch")
    smile, squint = _both(seen, "mouthSmile"), _both(seen, "cheekSquint")
    joy = min(smile, squint)
    return {
        "A": opened * (1 - rounded) * (1 - _both(seen, "mouthStretch")),
        "I": (1 - opened) * wide,
        "U": (1 - opened) * rounded,
        "E": opened * wide,
        "O": opened * rounded,
        "Blink_L": seen["eyeBlinkLeft"],
        "Blink_R": seen["eyeBlinkRight"],
        "Joy": joy,
        "Fun": smile - joy,
        "Angry": _both(seen, "browDown") * (1 - smile),
        "Sorrow": min(_both(seen, "mouthFrown"), seen["browInnerUp"]),
    }


def _both(seen: Mapping[str, float], name: str) -> float:
    """The mean of the two sides."""
    return (seen[f"{name}Left"] + seen[f"{name}Right"]) / 2
