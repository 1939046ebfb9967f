"""Colours for things of which nobody knows how many there will be, such as classes.

Hues step by the golden angle, so however many there are, no two are alike and the first few lie
far apart. All are of middle luminance, so that they can be read on dark and on light; those whose
hues come to lie beside each other (5, 8 or 13 steps apart) differ in saturation.
"""

from __future__ import annotations

import colorsys

GOLDEN = (3 - 5**0.5) / 2  # of a turn
FIRST = 0.7  # hue, of a turn: blue
SATURATIONS = (1.0, 0.8, 0.5)
LUMINANCES = (0.285, 0.21)  # relative; contrast over 3 to white and to a window of grey 50


def class_colour(i: int) -> str:
    """The colour of class `i`, 0 or more, as #rrggbb."""
    hue = (FIRST + i * GOLDEN) % 1.0
    rgb = [_linear(c) for c in colorsys.hsv_to_rgb(hue, SATURATIONS[i % len(SATURATIONS)], 1.0)]
    wanted, given = LUMINANCES[i % len(LUMINANCES)], luminance(rgb)
    if given >= wanted:
        rgb = [c * wanted / given for c in rgb]
    else:
        white = (wanted - given) / (1 - given)
        rgb = [c + (1 - c) * white for c in rgb]
    return "#" + "".join(f"{round(255 * _encoded(c)):02x}" for c in rgb)


def luminance(linear_rgb: list[float]) -> float:
    """Relative luminance [0, 1] of linear red, green, blue (WCAG 2)."""
    r, g, b = linear_rgb
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _linear(c: float) -> float:
    return c / 12.92 if c <= 0.04045 else float(((c + 0.055) / 1.055) ** 2.4)


def _encoded(c: float) -> float:
    return 12.92 * c if c <= 0.0031308 else float(1.055 * c ** (1 / 2.4) - 0.055)
