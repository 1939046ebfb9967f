"""Colours of classes: none twice, all to be read on dark and on light."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ui.kit.colours import _rgb, class_colour, error_colour, luminance

MANY = 19 + 8  # classes of the bundled model, and some of one's own


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    """WCAG 2: (brighter + 0.05) / (darker + 0.05)."""
    levels = []
    for colour in (one, other):
        linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
        levels.append(luminance(linear) + 0.05)
    return max(levels) / min(levels)


def test_luminance_of_what_is_known() -> None:
    white, green = np.ones(3), np.array([0.0, 1, 0])
    assert luminance(white) == pytest.approx(1) and luminance(green) == 0.7152
    assert contrast(np.ones(3, np.float32), np.zeros(3, np.float32)) == pytest.approx(21)


def test_no_two_look_alike() -> None:
    colours = np.stack([rgb(class_colour(i)) for i in range(MANY)])
    lab = cv2.cvtColor(colours[None], cv2.COLOR_RGB2LAB)[0]
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=2) + 1e3 * np.eye(MANY)
    assert apart[:7, :7].min() > 30, "the first ones are far apart"
    assert apart[:19, :19].min() > 12, "2.3 can just be told apart"
    assert apart.min() > 9


def test_oklab_is_as_published() -> None:
    """Red of sRGB is Oklab (0.628, 0.225, 0.126), so its hue is 29.2 degrees, chroma 0.258."""
    red = _rgb(0.25768 / 0.62796, np.deg2rad(29.234), 0.2126)
    assert red == pytest.approx(np.array([1, 0, 0]), abs=2e-3)


@pytest.mark.parametrize("background", ["#ffffff", "#efefef", "#323232", "#18181b"])
def test_all_can_be_read(background: str) -> None:
    limit = 3.0 if background in ("#ffffff", "#323232", "#18181b") else 2.6
    for i in range(100):
        assert contrast(rgb(class_colour(i)), rgb(background)) > limit, i


@pytest.mark.parametrize(
    "background", ["#ffffff", "#efefef", "#d4d0c8", "#3c3c3c", "#323232", "#000000"]
)
def test_what_failed_can_be_read_as_small_letters(background: str) -> None:
    """4.5 is what WCAG 2 asks of them."""
    colour = rgb(error_colour(background))
    assert contrast(colour, rgb(background)) > 4.5
    assert colour[0] > 1.3 * max(colour[1:]), "red"
