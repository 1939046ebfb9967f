"""The painted view, to the pixel."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PyQt6.QtGui import QColor
from pytestqt.qtbot import QtBot

from tests.helpers.fake_window import pixel
from ui.kit.picture import AROUND
from ui.live.compose import Pane
from ui.live.hud import Banner, Words
from ui.live.picture import PictureView

BGR = (40, 90, 200)
RGB = (200, 90, 40)
DARK = (AROUND.red(), AROUND.green(), AROUND.blue())


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[PictureView]:
    shown = PictureView()
    qtbot.addWidget(shown)
    shown.resize(400, 300)
    shown.show()
    qtbot.waitExposed(shown)
    yield shown


def quarters(width: int, height: int) -> np.ndarray:
    """A picture whose upper left quarter is bright green."""
    bgr = np.full((height, width, 3), BGR, np.uint8)
    bgr[: height // 2, : width // 2] = (0, 255, 0)
    return bgr


def test_canvas_is_painted_where_expected(view: PictureView) -> None:
    view.set_canvas(quarters(400, 200))
    assert pixel(view, 0, 49) == DARK and pixel(view, 399, 250) == DARK
    assert pixel(view, 0, 50) == (0, 255, 0) and pixel(view, 199, 149) == (0, 255, 0)
    assert pixel(view, 200, 149) == RGB and pixel(view, 199, 150) == RGB
    assert pixel(view, 399, 249) == RGB


def test_canvas_that_is_too_small_or_too_large_is_scaled(view: PictureView) -> None:
    for factor in (0.25, 2.0):
        view.set_canvas(quarters(round(400 * factor), round(200 * factor)))
        assert pixel(view, 10, 45) == DARK and pixel(view, 10, 60) == (0, 255, 0)
        assert pixel(view, 390, 240) == RGB


def test_size_changes_are_noticed(view: PictureView, qtbot: QtBot) -> None:
    view.set_canvas(quarters(400, 200))
    assert not view.is_stale
    view.resize(500, 300)
    qtbot.waitUntil(lambda: view.is_stale, timeout=1000)


def test_words_are_painted_over_the_picture(view: PictureView) -> None:
    view.set_canvas(np.full((300, 400, 3), BGR, np.uint8))
    bare = pixel(view, 12, 12)
    view.set_words(Words(hud=["capture 30 fps"], badges=[("REC 0:01  raw", True)]))
    assert bare == RGB and pixel(view, 12, 12) != RGB
    image = view.grab().toImage()
    reds = [
        (x, y) for x in range(200, 400) for y in range(0, 40)
        if image.pixelColor(x, y).getRgb()[:3] == (235, 48, 48)
    ]  # fmt: skip
    assert len(reds) > 50, "the dot of the recording"


def test_banner_darkens_the_picture_and_is_told_to_screen_readers(view: PictureView) -> None:
    view.set_canvas(np.full((300, 400, 3), BGR, np.uint8))
    view.set_words(Words(banner=Banner("The camera is unplugged", "replug it"), note="disk full"))
    assert max(pixel(view, 2, 2)) < max(RGB), "what is not live looks so"
    assert view.accessibleDescription() == "The camera is unplugged. replug it disk full"
    view.set_words(Words())
    assert pixel(view, 2, 2) == RGB and view.accessibleDescription() == ""


def test_long_messages_stay_inside(view: PictureView) -> None:
    view.resize(260, 200)
    view.set_words(Words(banner=Banner("A title", "word " * 40, is_error=True)))
    image = view.grab().toImage()
    edges = {image.pixel(x, y) for x in (*range(8), *range(252, 260)) for y in range(200)}
    assert {QColor(edge).getRgb()[:3] for edge in edges} == {DARK}
    lines = [
        y for y in range(200) if any(image.pixelColor(x, y).lightness() > 200 for x in range(260))
    ]
    assert len(lines) > 60, "several lines of text"


def test_captions_name_the_panes(view: PictureView) -> None:
    view.set_canvas(np.full((150, 400, 3), BGR, np.uint8))
    before = view.grab().toImage()
    panes = [Pane(0, 0, 197, 150), Pane(203, 0, 197, 150)]
    view.set_canvas(np.full((150, 400, 3), BGR, np.uint8), panes, ["A: bundled", "B: mine"])
    after = view.grab().toImage()
    changed = [
        x for x in range(400)
        if any(before.pixel(x, y) != after.pixel(x, y) for y in range(75, 110))
    ]  # fmt: skip
    assert min(changed) < 100 < 300 < max(changed) and 200 not in changed


def test_clear(view: PictureView) -> None:
    view.set_canvas(np.full((300, 400, 3), BGR, np.uint8))
    paints = view.paints
    view.clear()
    assert pixel(view, 200, 150) == DARK and view.paints == paints
