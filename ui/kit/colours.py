"""Colours for things of which nobody knows how many there will be, such as classes.

Hues step by the golden angle around the wheel of Oklab (Ottosson 2020), whose steps look equally
large, so however many there are, no two are alike and the first few lie far apart. All are of
middle luminance, to be read on dark and on light; those whose hues come to lie beside each other
(5, 8 or 13 steps apart) differ in luminance and saturation.
"""

from __future__ import annotations

from functools import cache
from math import pi

import numpy as np
from numpy.typing import NDArray

Triple = NDArray[np.float64]
GOLDEN = (3 - 5**0.5) / 2  # of a turn
FIRST = 0.958  # hue, of a turn: of 24 tried, with these, the first 19 lie far apart
SATURATIONS = (1.0, 0.6)  # of what a screen can show
LUMINANCES = (0.295, 0.2)  # relative; contrast over 3 to white and to a window of grey 50
MOST_CHROMA = 0.45  # at a lightness of 1
ERRORS = "#a31510", "#ff8a80"  # what has failed: on light, on dark
LAB_TO_LMS = np.array([
    [1, 0.3963377774, 0.2158037573],
    [1, -0.1055613458, -0.0638541728],
    [1, -0.0894841775, -1.2914855480],
])  # fmt: skip
LMS_TO_RGB = np.array([
    [4.0767416621, -3.3077115913, 0.2309699292],
    [-1.2684380046, 2.6097574011, -0.3413193965],
    [-0.0041960863, -0.7034186147, 1.7076147010],
])  # fmt: skip


@cache
def class_colour(i: int) -> str:
    """The colour of class `i`, 0 or more, as #rrggbb."""
    hue = 2 * pi * ((FIRST + i * GOLDEN) % 1)
    wanted = LUMINANCES[i % len(LUMINANCES)]
    low, high = 0.0, MOST_CHROMA
    for _ in range(16):  # as much chroma as a screen can show
        chroma = (low + high) / 2
        rgb = _rgb(chroma, hue, wanted)
        low, high = (chroma, high) if rgb.min() >= 0 and rgb.max() <= 1 else (low, chroma)
    rgb = np.clip(_rgb(SATURATIONS[i % len(SATURATIONS)] * low, hue, wanted), 0, 1)
    encoded = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(255 * float(c)):02x}" for c in encoded)


def error_colour(background: str) -> str:
    """The red of what has failed, for small letters on a `background` #rrggbb (WCAG 2: over 4.5).

    None is to be read so on dark and on light.
    """
    red, green, blue = (int(background[i : i + 2], 16) for i in (1, 3, 5))
    return ERRORS[0.299 * red + 0.587 * green + 0.114 * blue < 128]


def luminance(linear_rgb: Triple) -> float:
    """Relative luminance [0, 1] of linear red, green, blue (WCAG 2)."""
    return float(np.dot([0.2126, 0.7152, 0.0722], linear_rgb))


def _rgb(chroma: float, hue: float, wanted: float) -> Triple:
    """(3,) linear, of a hue in radians and a luminance; chroma is Oklab's divided by its lightness.

    Brighter and darker light of one kind has one hue and one such ratio in Oklab.
    """
    lab = np.array([1.0, chroma * np.cos(hue), chroma * np.sin(hue)])
    rgb: Triple = LMS_TO_RGB @ (LAB_TO_LMS @ lab) ** 3
    return rgb * wanted / luminance(rgb)
