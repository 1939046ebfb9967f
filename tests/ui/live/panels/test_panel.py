"""The panel: its pages fit, scroll where they must, and leave a narrow window to the picture."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt, QUrl
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtWidgets import QAbstractScrollArea, QApplication, QLabel, QToolButton

from tests.helpers.fake_pipeline import plain
from tests.helpers.fake_window import Studio, turn_wheel
from ui.live.hud import Words
from ui.live.panels.widgets import Page

PAGES = ["camera", "tracking", "record", "face", "send", "actions", "plots"]


def areas(studio: Studio) -> list[QAbstractScrollArea]:
    """What scrolls on the page that is shown."""
    shown = studio.window.panel.currentWidget()
    assert shown is not None
    return [shown] if isinstance(shown, Page) else list(shown.findChildren(Page))


@pytest.mark.parametrize("page", PAGES)
def test_every_page_fits_a_small_laptop(studio: Studio, page: str) -> None:
    """1366x768 less its bars: what the window takes there by itself, 1180x675."""
    window = studio.open(tab=page)
    window.resize(1180, 675)
    studio.settle()
    assert window.panel.tabText(window.panel.currentIndex()) == page.capitalize()
    for area in areas(studio):
        bar = area.verticalScrollBar()
        assert bar is not None and bar.maximum() == 0, f"{bar.maximum()} pixels too high"
    assert not [b for b in window.panel.tabBar().findChildren(QToolButton) if b.isVisible()], (  # type: ignore[union-attr]
        "all tabs are to be seen"
    )


def test_a_title_stands_beside_the_first_line_of_a_long_text(studio: Studio) -> None:
    window = studio.open(tab="tracking")
    for text in (window.panel._engine, window.panel._models):
        (title,) = (
            label
            for label in window.panel.findChildren(QLabel)
            if label is not text and label.y() == text.y() and label.parent() is text.parent()
        )
        assert title.alignment() & Qt.AlignmentFlag.AlignTop
        assert text.alignment() & Qt.AlignmentFlag.AlignTop


def test_the_wheel_scrolls_and_changes_nothing(studio: Studio) -> None:
    window = studio.open(tab="tracking")
    window.resize(760, 400)
    studio.settle()
    (area,) = areas(studio)
    bar = area.verticalScrollBar()
    assert bar is not None and bar.maximum() > 100
    before = window.controls.choices
    for name in ("hand_model", "smooth"):
        bar.setValue(0)
        turn_wheel(window.panel._combos[name])
        assert bar.value() > 0, f"over {name}"
    bar.setValue(0)
    turn_wheel(window.panel._spins["max_hands"])
    assert bar.value() > 0 and window.controls.choices == before
    window.panel._spins["max_hands"].setFocus()
    turn_wheel(window.panel._spins["max_hands"])
    assert window.controls.choices.max_hands == before.max_hands - 1, "where the keyboard is"


def test_folders_are_named_and_can_be_shown(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = studio.open(tab="record")
    for name in ("recordings", "snapshots", "project"):
        button = window.panel._folders[name]
        assert button.isVisible() and button.width() > 150
        assert button.text() == f"{studio.folder.name}/{name}"
    shown: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: not shown.append(url))
    window.panel.open_folder.emit("recordings")
    assert shown == [] and "is made when" in studio.message()
    (studio.folder / "recordings").mkdir()
    window.panel.open_folder.emit("recordings")
    assert [url.toLocalFile() for url in shown] == [str(studio.folder / "recordings")]


def test_what_is_saved_can_be_clicked_where_its_folder_is(studio: Studio) -> None:
    window = studio.open(tab="record")
    buttons = {b.text(): b for b in window.panel.findChildren(QToolButton)}
    buttons["Record"].click()
    studio.settle()
    assert studio.calls("start_recording") and buttons["Record"].isChecked()


def test_the_page_is_kept_and_keys_lead_to_pages(studio: Studio) -> None:
    window = studio.open()
    window.panel.setCurrentIndex(PAGES.index("record"))
    assert studio.store().load().tab == "record"
    studio.key("o")
    assert window.send_panel.isVisible() and not window.acts["actions"].isChecked()
    studio.key("a")
    assert window.actions_panel.isVisible() and not window.send_panel.isVisible()
    studio.key("a")
    assert not window.panel.isVisible(), "the same key again hides it"
    studio.key("o")
    assert window.send_panel.isVisible()


def test_a_narrow_window_belongs_to_the_picture(studio: Studio) -> None:
    window = studio.open()
    window.resize(480, 400)
    studio.settle()
    assert (window.width(), window.height()) == (480, 400)
    assert not window.panel.isVisible() and window.picture.width() == 480
    assert len(window.picture.words.hud) == 2, "numbers leave room for the face"
    studio.key(Qt.Key.Key_F9)
    assert window.panel.isVisible() and window.acts["panel"].isChecked()
    assert window.picture.width() == 480, "the panel lies over it"
    assert window.panel.geometry().right() == 479 and window.panel.x() >= 60
    studio.settle()
    assert window.picture.words == Words(), "half a word beside the panel says nothing"
    studio.key(Qt.Key.Key_Escape)
    assert not window.panel.isVisible() and window.controls.choices.panel
    studio.settle()
    assert len(window.picture.words.hud) == 2
    studio.key("o")
    assert window.send_panel.isVisible()
    window.resize(1000, 700)
    studio.settle()
    assert window.panel.isVisible() and window.panel.x() >= window.picture.width() > 400


def test_what_is_said_does_not_shift_the_picture(studio: Studio) -> None:
    window = studio.open()
    studio.pipeline.give(plain((9, 9, 9), (640, 480)))
    window.tick()
    place = window.picture.geometry(), window.picture.canvas_rect()
    window.say("something")
    QApplication.processEvents()
    assert (window.picture.geometry(), window.picture.canvas_rect()) == place
    bar = window.statusBar()
    assert bar is not None
    bar.clearMessage()
    QApplication.processEvents()
    assert (window.picture.geometry(), window.picture.canvas_rect()) == place
