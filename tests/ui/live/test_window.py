"""The live window on a fake pipeline: keys, pictures, choices, errors, the end."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QByteArray, QSize, Qt
from PyQt6.QtGui import QAction, QColor, QIcon, QPalette
from PyQt6.QtWidgets import QApplication, QComboBox, QFileDialog, QPushButton, QScrollArea, QWidget

from tests.helpers import clips
from tests.helpers.drawn import centroid_onnx
from tests.helpers.fake_pipeline import HEALTH, plain, state
from tests.helpers.fake_window import Studio, pixel, turn_wheel
from tracker.outputs.overlay import Style
from tracker.result import Result
from tracker.sources.cameras import Camera, Mode
from tracker.sources.open import Playing
from ui.kit.actions import HelpDialog
from ui.live.actions_table import ENTRIES
from ui.live.choices import Choices
from ui.live.controls import LiveControls
from ui.live.window import LiveWindow

BLUE, RED = (250, 60, 60), (60, 60, 250)  # BGR


def halves() -> np.ndarray:
    """Blue on the left, red on the right."""
    bgr = plain(BLUE, (640, 480))
    bgr[:, 320:] = RED
    return bgr


def sides(window: LiveWindow) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Colours (r, g, b) on the left and on the right of the picture, below its middle."""
    rect = window.picture.canvas_rect()
    y = rect.top() + 0.9 * rect.height()
    left, right = (rect.left() + part * rect.width() for part in (0.1, 0.9))
    return pixel(window.picture, left, y), pixel(window.picture, right, y)


def test_a_frame_is_painted_at_once(studio: Studio) -> None:
    window = studio.open()
    studio.pipeline.give(plain((40, 90, 200), (640, 480)))
    paints = window.picture.paints
    window.tick()
    assert window.picture.paints == paints + 1, "before the event loop runs again"
    centre = window.picture.canvas_rect().center()
    assert pixel(window.picture, centre.x(), centre.y()) == (200, 90, 40)
    window.tick()
    assert window.picture.paints <= paints + 3, "the same frame is not painted again and again"


def test_latency_is_measured_when_painted(studio: Studio) -> None:
    window = studio.open()
    for _ in range(5):
        studio.pipeline.give(plain())
        shown = studio.pipeline.shown
        assert shown is not None
        studio.pipeline.shown = replace(shown, t_capture=shown.t_capture - 0.1)
        window.tick()
    found = window.latency.percentiles()
    assert window.latency.count == 5 and found is not None and 100 <= found[0] < 200


def test_slow_painting_queues_nothing(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    window = studio.open()
    painted = []
    original = window._paint

    def slow(shown: object) -> None:
        time.sleep(0.03)
        painted.append(shown.serial)  # type: ignore[attr-defined]
        original(shown)  # type: ignore[arg-type]

    monkeypatch.setattr(window, "_paint", slow)
    end = time.monotonic() + 0.6
    while time.monotonic() < end:
        for _ in range(3):
            studio.pipeline.give(plain())
        QApplication.processEvents()
    newest = studio.pipeline.shown
    assert newest is not None
    studio.bot.waitUntil(lambda: painted[-1] == newest.serial, timeout=200)
    assert len(set(painted)) < newest.serial, "frames in between were left out"
    assert painted == sorted(painted)


def test_hidden_window_counts_no_latency(studio: Studio) -> None:
    window = studio.open()
    window.hide()
    studio.pipeline.give(plain())
    window.tick()
    assert window.latency.count == 0


@pytest.mark.parametrize(
    ("key", "name"),
    [("d", "space"), ("m", "mirror_devices"), ("l", "landmarks"), ("t", "labels"), ("h", "hud"),
     ("p", "privacy"), (Qt.Key.Key_F9, "panel")],
)  # fmt: skip
def test_keys_that_switch(studio: Studio, key: str, name: str) -> None:
    window = studio.open()
    action = window.acts[name.removesuffix("_devices")]
    before = getattr(window.controls.choices, name)
    assert action.isChecked() == before
    studio.key(key)
    assert getattr(window.controls.choices, name) == (not before) == action.isChecked()
    assert getattr(studio.store().load(), name) == (not before), "kept for the next time"
    studio.key(key)
    assert getattr(window.controls.choices, name) == before == action.isChecked()


def test_mirror(studio: Studio) -> None:
    window = studio.open()
    studio.pipeline.give(halves())
    window.tick()
    assert sides(window) == ((250, 60, 60), (60, 60, 250)), "a camera is a mirror"
    studio.key("m")
    assert sides(window) == ((60, 60, 250), (250, 60, 60))


def test_a_clip_is_no_mirror(studio: Studio) -> None:
    window = studio.open(camera="clip.mp4")
    studio.pipeline.give(halves())
    window.tick()
    assert sides(window) == ((60, 60, 250), (250, 60, 60))
    studio.key("m")
    assert window.controls.choices.mirror_files and window.controls.choices.mirror_devices
    assert sides(window) == ((250, 60, 60), (60, 60, 250))


def test_privacy(studio: Studio) -> None:
    window = studio.open(hud=False)
    studio.pipeline.give(plain((200, 200, 200), (640, 480)))
    studio.key("p")
    assert sides(window) == ((0, 0, 0), (0, 0, 0))


def test_landmarks(studio: Studio) -> None:
    window = studio.open(mirror_devices=False, hud=False)
    hand = replace(clips.track(), xy=clips.hand_xy((320, 240), 100))
    studio.pipeline.give(plain((90, 90, 90), (640, 480)), Result(0.0, (hand,)))
    window.tick()
    rect = window.picture.canvas_rect()
    scale = rect.width() / 640
    x, y = ((hand.xy[0] + 0.5) * scale).tolist()
    assert pixel(window.picture, rect.left() + x, rect.top() + y) == (255, 48, 48), "the wrist"
    studio.key("l")
    assert pixel(window.picture, rect.left() + x, rect.top() + y) == (90, 90, 90)


def test_hud(studio: Studio) -> None:
    window = studio.open()
    assert "capture 30.0 fps" in window.picture.words.hud[0]
    assert "dropped 3" in window.picture.words.hud
    studio.key("h")
    assert window.picture.words.hud == ()


def test_pause(studio: Studio) -> None:
    window = studio.open()
    studio.key(Qt.Key.Key_Space)
    assert studio.calls("pause") == [(True,)]
    assert ("Paused", False) in window.picture.words.badges and window.acts["pause"].isChecked()
    studio.key(Qt.Key.Key_Space)
    assert studio.calls("pause") == [(True,), (False,)] and window.picture.words.badges == []


def test_record(studio: Studio) -> None:
    window = studio.open()
    studio.key("r")
    ((path, annotated, style),) = studio.calls("start_recording")
    assert isinstance(path, Path) and path.parent == studio.folder / "recordings"
    assert path.suffix == ".mp4" and annotated is False and isinstance(style, Style)
    assert path.parent.is_dir() and str(path) in studio.message()
    assert window.picture.words.badges == [("REC 1:05  raw", True)]
    assert window.acts["record"].isChecked()
    studio.key("r")
    assert studio.calls("stop_recording") == [()] and window.picture.words.badges == []
    assert studio.message() == f"Recorded {path}" and not window.acts["record"].isChecked()


def test_record_annotated(studio: Studio) -> None:
    studio.open(annotated=True, landmarks=False)
    studio.key("r")
    ((_, annotated, style),) = studio.calls("start_recording")
    assert annotated is True and style == Style(landmarks=False, labels=False, axes=False)


def test_privacy_holds_for_files_too(studio: Studio) -> None:
    studio.open(privacy=True)
    studio.pipeline.give(plain())
    studio.key("r")
    ((_, annotated, style),) = studio.calls("start_recording")
    assert annotated is True and isinstance(style, Style) and style.on_black
    studio.key("s")
    ((_, style),) = studio.calls("snapshot")
    assert isinstance(style, Style) and style.on_black
    studio.key("f")
    assert studio.calls("flag") == [] and "rivacy is on" in studio.message()


def test_recording_that_cannot_begin(studio: Studio) -> None:
    window = studio.open()
    studio.pipeline.refuses = "/x/a.mp4 could not be written: no space; free some"
    studio.key("r")
    assert studio.message() == studio.pipeline.refuses and not window.acts["record"].isChecked()


def test_snapshot_and_flag(studio: Studio) -> None:
    studio.open()
    studio.pipeline.give(plain())
    studio.window.tick()
    studio.key("s")
    assert studio.calls("snapshot") == [(studio.folder / "snapshots", Style())]
    assert studio.message() == f"Saved {studio.folder / 'snapshots' / 'snapshot.png'}"
    studio.key("f")
    assert studio.calls("flag") == [(studio.folder / "project", studio.pipeline.shown)]
    assert studio.message().startswith("Flagged ")


def test_nothing_to_save_without_a_source(studio: Studio) -> None:
    studio.refuses = "no camera was named; see 'tracker cameras'"
    window = studio.open()
    for key in "rsf":
        studio.key(key)
        assert "choose a camera" in studio.message()
    studio.key("b")
    studio.key(Qt.Key.Key_Space)
    assert window.picture.words.banner is not None
    assert window.picture.words.banner.text == "No camera was named", "the command is a button"


def test_compare(studio: Studio) -> None:
    window = studio.open(other_hand_model="mine.onnx", hud=False)
    studio.key("b")
    ((config,),) = studio.calls("compare")
    assert config is not None and config.hand_model == "mine.onnx"  # type: ignore[attr-defined]
    studio.pipeline.give(halves(), Result(0.0, ()), Result(0.0, ()))
    window.tick()
    assert list(window.picture._captions) == ["A: bundled", "B: mine.onnx + bundled"]
    assert len(window.picture._panes) == 2
    for caption in ("A", "B"):
        studio.key("B", Qt.KeyboardModifier.ShiftModifier)
        assert [c[0] for c in window.picture._captions] == [caption]
        assert len(window.picture._panes) == 1
    studio.key("b")
    assert studio.calls("compare")[-1] == (None,) and not window.acts["compare"].isChecked()
    window.tick()
    assert list(window.picture._captions) == [""]


def test_compare_asks_for_a_second_model(studio: Studio, blob_onnx: Path) -> None:
    window = studio.open()
    studio.key("b")
    assert studio.calls("compare") == [] and not window.acts["compare"].isChecked()
    (dialog,) = window.findChildren(QFileDialog)
    assert dialog.testOption(QFileDialog.Option.DontUseNativeDialog) and dialog.isVisible()
    dialog.fileSelected.emit(str(blob_onnx))
    dialog.close()
    studio.settle()
    assert window.controls.choices.other_hand_model == str(blob_onnx), "found to be a hand model"
    ((config,),) = studio.calls("compare")
    assert config.hand_model == str(blob_onnx)  # type: ignore[attr-defined]


def test_one_s_own_model_is_compared_with_the_bundled_one(studio: Studio) -> None:
    window = studio.open(hand_model="/p/glove")
    studio.key("b")
    ((config,),) = studio.calls("compare")
    assert config is not None and config.hand_model is None  # type: ignore[attr-defined]
    assert window.panel._combos["other_hand_model"].currentText() == "bundled"
    assert studio.store().load().other_hand_model == "", "the user chose nothing"
    used = replace(clips.USED[0], file="glove, run 20260102_030405")
    studio.pipeline.now = replace(HEALTH, models=(used, clips.USED[1]))
    studio.settle()
    studio.pipeline.give(halves(), Result(0.0, ()), Result(0.0, ()))
    window.tick()
    assert list(window.picture._captions) == [
        "A: glove, run 20260102_030405 + bundled", "B: bundled",
    ]  # fmt: skip
    assert "model glove, run 20260102_030405" in window.picture.words.hud
    assert window.panel._models.text() == "glove, run 20260102_030405 + bundled"


def test_a_project_is_chosen_for_the_kind_of_its_model(studio: Studio, tmp_path: Path) -> None:
    glove = tmp_path / "glove"
    (glove / "models/one").mkdir(parents=True)
    (glove / "project.toml").touch()
    window = studio.open()
    choose(window, "face_model", "?project")
    (dialog,) = window.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(glove))
    studio.settle()
    assert "train finetune glove" in studio.message()
    centroid_onnx(glove / "models/one/model.onnx")
    dialog.fileSelected.emit(str(glove))
    dialog.close()
    studio.settle()
    assert (window.controls.choices.hand_model, window.controls.choices.face_model) == (
        str(glove),
        "",
    )
    assert window.panel._combos["hand_model"].currentText() == "glove"
    before = len(studio.calls("configure"))
    window.controls.add_model(glove)  # again: there may be a newer one
    studio.settle()
    assert len(studio.calls("configure")) > before


def test_compare_with_no_model_says_so(studio: Studio, tmp_path: Path) -> None:
    window = studio.open()
    window.controls.add_other_model(tmp_path / "missing.onnx")
    studio.settle()
    assert "missing.onnx" in studio.message() and not window.controls.is_comparing


def test_help(studio: Studio) -> None:
    window = studio.open()
    studio.key("?")
    (dialog,) = window.findChildren(HelpDialog)
    assert dialog.isVisible()
    words = " ".join(
        label.text() for label in dialog.findChildren(QWidget) if hasattr(label, "text")
    )
    assert all(entry.keys[0] in words and entry.text in words for entry in ENTRIES)


def test_a_long_list_of_keys_fits_the_screen(studio: Studio) -> None:
    window = studio.open()
    screen = window.screen()
    assert screen is not None
    rows = [("K", f"Row {i}", "word " * 60) for i in range(200)]
    dialog = HelpDialog(window, [("", rows)])
    room = screen.availableSize()
    assert dialog.width() <= 0.9 * room.width() and dialog.height() <= 0.9 * room.height()
    dialog.show()
    studio.settle()
    (area,) = dialog.findChildren(QScrollArea)
    bar = area.horizontalScrollBar()
    assert bar is not None and bar.maximum() == 0, "words are wrapped"
    dialog.deleteLater()


def test_full_screen(studio: Studio) -> None:
    window = studio.open()
    studio.key(Qt.Key.Key_F11)
    assert window.isFullScreen() and not window.tools.isVisible() and not window.panel.isVisible()
    studio.key("m")
    assert not window.controls.choices.mirror_devices, "keys work while menus are hidden"
    studio.key(Qt.Key.Key_F11)
    assert not window.isFullScreen() and window.tools.isVisible() and window.panel.isVisible()


def test_every_action_has_a_key_a_tip_and_a_place_in_the_menus(studio: Studio) -> None:
    window = studio.open()
    bar = window.menuBar()
    assert bar is not None
    in_menus = {a for menu in bar.actions() for a in menu.menu().actions()}  # type: ignore[union-attr]
    keys = [s.toString() for a in window.acts.values() for s in a.shortcuts()]
    assert len(keys) == len(set(keys)) >= len(ENTRIES)
    assert all(
        isinstance(a, QAction) and a.toolTip() and a in in_menus for a in window.acts.values()
    )


def test_all_can_be_reached_and_is_named_for_screen_readers(studio: Studio) -> None:
    window = studio.open()
    seen: dict[int, QWidget] = {}
    for page in range(window.panel.count()):
        window.panel.setCurrentIndex(page)
        widget = window.picture.nextInFocusChain()
        while widget is not None and widget is not window.picture:
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisibleTo(window):
                seen[id(widget)] = widget
            widget = widget.nextInFocusChain()
    nameless = [
        (type(w).__name__, type(w.parent()).__name__) for w in seen.values()
        if not (w.accessibleName() or getattr(w, "text", str)())
    ]  # fmt: skip
    assert len(seen) > 45 and not nameless


def test_space_and_esc_belong_to_a_focused_choice_first(studio: Studio) -> None:
    window = studio.open()
    box = window.panel._boxes["privacy"]
    box.setFocus()
    studio.key(Qt.Key.Key_Space)
    assert window.controls.choices.privacy and studio.calls("pause") == []
    studio.key(Qt.Key.Key_Escape)
    assert window.focusWidget() is window.picture and not window.controls.is_ending
    studio.key(Qt.Key.Key_Space)
    assert studio.calls("pause") == [(True,)]


def test_typing_a_camera_is_no_command(studio: Studio) -> None:
    window = studio.open()
    combo = window.panel._combos["camera"]
    combo.setFocus(Qt.FocusReason.ShortcutFocusReason)
    edit = combo.lineEdit()
    assert edit is not None
    edit.selectAll()
    for letter in "bars":
        studio.bot.keyClick(edit, letter)
    assert edit.text() == "bars" and studio.calls("snapshot") == []
    studio.bot.keyClick(edit, Qt.Key.Key_Return)
    studio.settle()
    assert [p.camera for p in studio.pipelines] == ["0", "bars"]
    assert studio.store().load().camera == "bars"


def test_cameras_are_listed(studio: Studio) -> None:
    studio.cameras = [
        Camera(0, "Webcam C1", "/dev/video0", "usb-C1"),
        Camera(2, "Grabber", "/dev/video2", "pci-2"),
    ]
    window = studio.open()
    combo = window.panel._combos["camera"]
    assert [combo.itemText(i) for i in range(combo.count())] == ["Webcam C1", "Grabber"]
    assert combo.currentText() == "0"
    combo.setCurrentIndex(1)
    combo.activated.emit(1)
    studio.settle()
    assert studio.pipeline.camera == "pci-2"


HD, VGA = Mode("MJPG", (1280, 720), (30.0,)), Mode("YUYV", (640, 480), (60.0, 30.0))


def entries(combo: QComboBox) -> list[str]:
    return [combo.itemText(i) for i in range(combo.count())]


def test_resolution_and_rate_are_those_of_the_camera(studio: Studio) -> None:
    studio.cameras = [Camera(0, "Webcam", "/dev/video0", "usb-C1", (HD, VGA))]
    window = studio.open()
    size, fps = window.panel._combos["size"], window.panel._combos["fps"]
    assert entries(size) == ["as it comes", "640x480", "1280x720"]
    assert entries(fps) == ["as it comes", "30 a second", "60 a second"]
    assert studio.pipeline.how == Playing()
    choose(window, "size", "1280x720")
    studio.settle()
    assert studio.pipeline.how == Playing(False, (1280, 720))
    assert entries(fps) == ["as it comes", "30 a second"], "of this size"
    choose(window, "fps", 30.0)
    studio.settle()
    assert studio.pipeline.how == Playing(False, (1280, 720), 30.0)
    assert [p.calls[-1] for p in studio.pipelines[:-1]] == [("close",)] * 2
    kept = studio.store().load()
    assert (kept.size, kept.fps) == ("1280x720", 30.0)
    choose(window, "fps", 0.0)
    studio.settle()
    assert studio.pipeline.how.fps is None and studio.store().load().fps == 0
    studio.pipeline.give(plain(size_wh=(640, 480)))
    window.tick()
    studio.settle()
    assert window.panel._delivered.text() == "640x480, 30 a second", "not what was asked for"


def test_a_camera_that_tells_no_modes_is_asked_for_the_usual_ones(studio: Studio) -> None:
    window = studio.open(size="800x600", fps=12.5)
    size, fps = window.panel._combos["size"], window.panel._combos["fps"]
    assert size.currentText() == "800x600" and fps.currentText() == "12.5 a second"
    assert {"640x480", "1280x720", "1920x1080"} < set(entries(size))
    window.controls.choose("size", "huge")
    assert "size is such as 1280x720" in studio.message() and len(studio.pipelines) == 1
    window.controls.choose("camera", "clip.mp4")
    assert not size.isEnabled() and window.panel._boxes["loop"].isEnabled()


def test_the_menus_hold_what_their_names_say(studio: Studio) -> None:
    """Teaching a gesture and comparing models stood under File."""
    bar = studio.open().menuBar()
    assert bar is not None
    menus = {menu.text().replace("&", ""): menu.menu() for menu in bar.actions()}
    assert list(menus) == ["File", "Tools", "View", "Camera", "Help"]
    names = {
        title: [a.objectName() for a in menu.actions() if a.objectName()]
        for title, menu in menus.items()
        if menu is not None
    }
    assert names["Tools"] == ["compare", "gesture", "actions_on", "recentre", "neutral"]
    assert names["File"] == ["pause", "record", "snapshot", "flag", "hide", "open", "quit"]


def test_the_menu_of_cameras_is_looked_up_again(studio: Studio) -> None:
    window = studio.open()
    menu = window.cameras
    words = [a.text() for a in menu.actions() if not a.isSeparator()]
    assert words == ["No camera is connected", "Look again", "Open video..."]
    studio.cameras = [
        Camera(0, "Webcam C1", "/dev/video0", "usb-C1"),
        Camera(2, "Grabber", "/dev/video2", "pci-2"),
    ]
    menu.aboutToShow.emit()
    studio.settle()
    assert entries(window.panel._combos["camera"]) == ["Webcam C1", "Grabber"]
    webcam, grabber = menu.actions()[:2]
    assert (webcam.text(), webcam.isChecked()) == ("Webcam C1", True), "0 is its number"
    grabber.trigger()
    studio.settle()
    assert studio.pipeline.camera == "pci-2" and menu.actions()[1].isChecked()
    studio.cameras = studio.cameras[1:]
    window.panel.setCurrentIndex(1)
    window.panel.setCurrentIndex(0)
    studio.settle()
    assert menu.actions()[0].text() == "Grabber", "whoever comes to the page sees what is there"


def test_another_camera_starts_with_an_empty_screen(studio: Studio) -> None:
    window = studio.open(hud=False)
    hand = replace(clips.track(), xy=clips.hand_xy((320, 240), 100))
    studio.pipeline.give(halves(), Result(0.0, (hand,)))
    window.tick()
    studio.pipeline.closing.clear()
    window.controls.choose("camera", "1")
    window._health_at = -1e9
    window.tick()
    assert window.picture._image is None and len(window.history.times()) == 0
    assert window.picture.words.banner is not None
    studio.pipeline.closing.set()
    studio.settle()
    studio.pipeline.give(halves())
    window.tick()
    assert window.picture._image is not None


def test_another_camera_finishes_the_recording_first(studio: Studio) -> None:
    window = studio.open()
    studio.key("r")
    window.controls.choose("camera", "1")
    studio.settle()
    studio.settle()
    first, second = studio.pipelines
    assert [c[0] for c in first.calls if c[0] != "start_recording"] == [
        "start", "stop_recording", "close",
    ]  # fmt: skip
    assert second.camera == "1"


def choose(window: LiveWindow, name: str, data: object) -> None:
    combo: QComboBox = window.panel._combos[name]
    at = combo.findData(data)
    assert at >= 0
    combo.setCurrentIndex(at)
    combo.activated.emit(at)


def test_tracking_choices_reach_the_pipeline_together(studio: Studio) -> None:
    window = studio.open()
    choose(window, "smooth", "strong")
    window.panel._spins["max_hands"].setValue(1)
    window.panel._spins["presence"].setValue(0.7)
    window.panel._boxes["faces"].click()
    studio.bot.waitUntil(lambda: studio.calls("configure") != [], timeout=3000)
    ((config,),) = studio.calls("configure")
    assert (config.smooth, config.max_hands, config.faces) == ("strong", 1, False)  # type: ignore[attr-defined]
    assert config.presence_on == pytest.approx(0.7)  # type: ignore[attr-defined]
    kept = studio.store().load()
    assert (kept.smooth, kept.max_hands, kept.faces) == ("strong", 1, False)


def test_nothing_to_track_is_refused(studio: Studio) -> None:
    window = studio.open(hands=False)
    window.panel._boxes["faces"].click()
    assert window.controls.choices.faces and window.panel._boxes["faces"].isChecked()
    assert "nothing to track" in studio.message().lower()


def test_the_kinds_of_files_fit_into_the_dialog(studio: Studio) -> None:
    """The suffixes of all videos are 400 pixels more than it is wide."""
    window = studio.open()
    window.acts["open"].trigger()
    (dialog,) = window.findChildren(QFileDialog)
    combo = dialog.findChild(QComboBox, "fileTypeCombo")
    assert combo is not None
    assert [combo.itemText(i) for i in range(combo.count())] == ["Videos", "All files"]
    assert len(dialog.nameFilters()[0]) > 60, "what it looks for is still every suffix"
    dialog.close()


def test_model_file(studio: Studio, tmp_path: Path) -> None:
    window = studio.open()
    choose(window, "hand_model", "?")
    combo = window.panel._combos["hand_model"]
    assert combo.currentText() == "bundled", "nothing was chosen yet"
    (dialog,) = window.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "mine.onnx"))
    dialog.close()
    assert combo.currentText() == "mine.onnx"
    studio.bot.waitUntil(lambda: studio.calls("configure") != [], timeout=3000)
    assert studio.pipeline.config.hand_model == str(tmp_path / "mine.onnx")
    choose(window, "hand_model", "")
    assert window.controls.choices.hand_model == ""


def test_wheel_over_the_panel_changes_nothing(studio: Studio) -> None:
    window = studio.open()
    for widget in (window.panel._combos["smooth"], window.panel._spins["max_hands"]):
        turn_wheel(widget)
    assert window.controls.choices.smooth == "light" and window.controls.choices.max_hands == 2


def test_panel_shows_engine_and_lag(studio: Studio) -> None:
    window = studio.open()
    assert window.panel._engine.text() == "FakeProvider, 2 threads"
    assert window.panel._lag.text() == "lag 17 ms"


def test_camera_states_are_told(studio: Studio) -> None:
    window = studio.open()
    for _ in range(3):
        studio.pipeline.give(plain())
        window.tick()
    assert window.latency.percentiles() is not None
    studio.pipeline.now = replace(
        HEALTH, camera=state("unplugged", "camera 0 is gone; plug it in again")
    )
    studio.settle()
    banner = window.picture.words.banner
    assert banner is not None and banner.title == "The camera is not connected"
    assert "plug it in again" in window.picture.accessibleDescription()
    assert window.latency.percentiles() is None, "what is not live has no latency"
    studio.pipeline.now = HEALTH
    studio.settle()
    assert window.picture.words.banner is None


def test_buttons_for_a_missing_camera(studio: Studio) -> None:
    window = studio.open(panel=False, tab="plots")
    offers = window.picture.offers
    assert not offers.isVisible()
    gone = "camera 0 was not found, no camera is connected; plug it in, or see 'tracker cameras'"
    studio.pipeline.now = replace(HEALTH, camera=state("unplugged", gone))
    studio.settle()
    buttons = {b.text(): b for b in offers.findChildren(QPushButton)}
    assert list(buttons) == ["Try again", "Choose a camera", "Play a video..."]
    assert all(b.isVisible() for b in buttons.values())
    assert window.picture.rect().contains(offers.geometry())
    assert offers.y() > window.picture.height() / 2, "below the message"
    studio.cameras = [Camera(2, "Grabber", "/dev/video2", "pci-2")]
    buttons["Choose a camera"].click()
    studio.settle()
    combo = window.panel._combos["camera"]
    assert combo.isVisible() and combo.itemText(0) == "Grabber"
    buttons["Play a video..."].click()
    (dialog,) = window.findChildren(QFileDialog)
    assert dialog.isVisible()
    dialog.close()
    buttons["Try again"].click()
    studio.settle()
    assert len(studio.pipelines) == 2 and studio.pipeline.camera == "0"
    assert not offers.isVisible(), "a picture arrives"


def test_errors_are_told_and_the_window_stays(studio: Studio) -> None:
    window = studio.open()
    studio.pipeline.now = replace(HEALTH, error="bad.onnx is no model; choose another one")
    studio.settle()
    assert window.picture.words.note == "bad.onnx is no model; choose another one"
    studio.pipeline.now = replace(HEALTH, error="the tracker ended: out of memory", dead=True)
    studio.settle()
    banner = window.picture.words.banner
    assert banner is not None and banner.is_error and "out of memory" in banner.text
    window.controls.choose("camera", "1")
    studio.settle()
    assert window.isVisible() and studio.pipeline.camera == "1"
    assert window.picture.words.banner is None


def test_a_slow_close_or_save_does_not_stop_the_window(studio: Studio) -> None:
    window = studio.open()
    studio.pipeline.closing.clear()
    begin = time.monotonic()
    window.controls.choose("camera", "1")
    window.tick()
    assert time.monotonic() - begin < 0.2 and not window.controls.jobs.is_idle


def test_plots_follow_and_stay_bounded(studio: Studio) -> None:
    window = studio.open()
    tracks = Result(0.0, (clips.track(), clips.track("face", number=2)))
    for _ in range(4):
        studio.pipeline.give(plain(), tracks)
        window.tick()
    now = time.monotonic()
    window.plots.refresh(now, mirror=True)
    window.plots.refresh(now, mirror=True)
    x, yaw = window.plots._pose_curves[0].getData()
    assert yaw.tolist() == [-10.0] * 4, "in a mirror the nose points to the other side"
    assert abs(x[-1] - time.time()) < 5, "clock time"
    assert window.plots._gesture_curves["fist"].getData()[1].tolist() == pytest.approx([0.9] * 4)
    for i in range(3000):
        window.history.add(now + i / 1e3, tracks)
    assert len(window.history.times()) == 1200


def test_each_of_nineteen_gestures_has_a_colour_of_its_own(studio: Studio) -> None:
    window = studio.open(tab="plots")
    names = ["none", *(f"g{i}" for i in range(24))]
    hands = [
        replace(clips.track(), gestures=tuple((n, 0.9 if n == now else 0.01) for n in names))
        for now in ("g3", "g21")
    ]
    for hand in hands:
        studio.pipeline.give(plain(), Result(0.0, (hand,)))
        window.tick()
    for _ in range(2):
        window.plots.refresh(time.monotonic(), mirror=False)
    curves = window.plots._gesture_curves
    colours = {name: curves[name].opts["pen"].color().name() for name in names}
    assert len(set(colours.values())) == 25
    red, green, blue, _ = QColor(colours["none"]).getRgb()
    assert max(red, green, blue) - min(red, green, blue) < 10, "none is grey"
    key = window.plots._gesture_key.text()
    for name in names:
        is_seen = name in ("g3", "g21")
        assert (f'color:{colours[name]}">■</span>&nbsp;{name}' in key) == is_seen
        assert curves[name].isVisible() == is_seen


def test_dark_desktop(studio: Studio) -> None:
    window = studio.open()
    dark = QPalette(window.palette())
    dark.setColor(QPalette.ColorRole.Window, QColor(30, 30, 30))
    dark.setColor(QPalette.ColorRole.WindowText, QColor(240, 240, 240))
    before = window.acts["flag"].icon().pixmap(24).toImage()
    window.setPalette(dark)
    after = window.acts["flag"].icon().pixmap(24).toImage()
    bright = [
        after.pixelColor(x, y).lightness() for x in range(24) for y in range(24)
        if after.pixelColor(x, y).alpha() > 200
    ]  # fmt: skip
    assert before != after and min(bright) > 200
    whole = QIcon.Mode.Normal
    drawn = window.acts["mirror"].icon()
    on, off = (drawn.pixmap(QSize(24, 24), whole, s).toImage() for s in QIcon.State)
    assert on != off, "what is on is told by its colour, too"
    assert window.plots._pose.backgroundBrush().color().lightness() < 60


def test_geometry_and_division_are_kept(studio: Studio) -> None:
    window = studio.open()
    window.resize(760, 640)  # the offscreen platform's screen is 800 pixels wide
    window.main.setSizes([400, 350])
    sizes = window.main.sizes()
    window.close()
    studio.settle()
    studio.bot.waitUntil(lambda: not window.isVisible(), timeout=2000)
    store = studio.store()
    again = LiveWindow(LiveControls(studio.make, store, Choices()), store)  # type: ignore[arg-type]
    studio.windows.append(again)
    again.show()
    studio.bot.waitExposed(again)
    assert (again.width(), again.height()) == (760, 640)
    assert abs(again.main.sizes()[0] - sizes[0]) <= 3


def reopened(studio: Studio) -> LiveWindow:
    """Close the window, and start the program again."""
    window = studio.window
    window.close()
    studio.bot.waitUntil(lambda: window.controls.jobs.is_idle, timeout=5000)
    window.tick()
    studio.bot.waitUntil(lambda: not window.isVisible(), timeout=2000)
    store = studio.store()
    again = LiveWindow(LiveControls(studio.make, store, Choices()), store)  # type: ignore[arg-type]
    studio.windows.append(again)
    again.show()
    studio.bot.waitExposed(again)
    return again


def test_the_next_start_is_no_full_screen(studio: Studio) -> None:
    window = studio.open()
    window.resize(760, 640)
    window.main.setSizes([400, 350])
    sizes = window.main.sizes()
    studio.key(Qt.Key.Key_F11)
    again = reopened(studio)
    assert not again.isFullScreen() and (again.width(), again.height()) == (760, 640)
    assert again.menuBar().isVisible() and again.panel.isVisible()  # type: ignore[union-attr]
    assert abs(again.main.sizes()[0] - sizes[0]) <= 3


def test_a_layout_that_cannot_be_used_is_not_restored(studio: Studio) -> None:
    """As older versions kept it: full screen, the panel pressed flat, far off every screen."""
    window = studio.open()
    window.show_fullscreen(True)
    studio.store().keep_layout(window, [window.main])
    window.show_fullscreen(False)
    window.close = lambda: True  # type: ignore[method-assign]  # keeps nothing anew
    window.hide()
    again = reopened(studio)
    assert not again.isFullScreen() and again.panel.isVisible() and min(again.main.sizes()) > 100
    again.main.setSizes([again.main.width(), 0])
    again.move(5000, 5000)
    last = reopened(studio)
    assert min(last.main.sizes()) > 100, "the panel was pressed flat"
    screen = last.screen()
    assert screen is not None and screen.availableGeometry().contains(last.geometry().topLeft())


@pytest.mark.parametrize("nonsense", [b"", b"nonsense", bytes(200), "words", 7])
def test_a_layout_that_is_nonsense_is_not_restored(studio: Studio, nonsense: object) -> None:
    kept = QByteArray(nonsense) if isinstance(nonsense, bytes) else nonsense
    for name in ("geometry", "splitter0", "splitter1"):
        studio.store()._settings.setValue(f"window/{name}", kept)
    window = studio.open()
    assert window.isVisible() and min(window.main.sizes()) > 100


def test_esc_leads_out_of_what_is_special_and_never_quits(studio: Studio) -> None:
    window = studio.open(other_hand_model="h.onnx")
    studio.key("b")
    studio.key("?")
    studio.key(Qt.Key.Key_F11)
    assert window._help is not None
    steps = []
    for _ in range(5):
        studio.bot.keyClick(window.picture, Qt.Key.Key_Escape)
        studio.settle()
        steps.append(
            (window.isFullScreen(), window.controls.is_comparing, window._help.isVisible())
        )
    assert steps == [
        (False, True, True), (False, False, True), *[(False, False, False)] * 3,
    ]  # fmt: skip
    assert window.isVisible() and not window.controls.is_ending and studio.calls("close") == []


def test_esc_leaves_full_screen_whatever_had_the_keyboard(studio: Studio) -> None:
    window = studio.open()
    window.panel._combos["camera"].setFocus(Qt.FocusReason.ShortcutFocusReason)
    studio.key(Qt.Key.Key_F11)
    studio.key(Qt.Key.Key_Escape)
    assert not window.isFullScreen() and window.isVisible()


@pytest.mark.parametrize("control", [False, True])
def test_quit(studio: Studio, control: bool) -> None:
    window = studio.open()
    held = Qt.KeyboardModifier.ControlModifier if control else Qt.KeyboardModifier.NoModifier
    with studio.bot.waitSignal(window.ended, timeout=3000):
        studio.bot.keyClick(window.picture, "q", held)
    assert studio.calls("close") == [()] and not window.isVisible()


def test_closing_finishes_the_recording_first(studio: Studio) -> None:
    window = studio.open()
    studio.key("r")
    studio.pipeline.stopping.clear()
    window.close()
    window._health_at = -1e9
    window.tick()
    banner = window.picture.words.banner
    assert window.isVisible() and banner is not None and "Finishing" in banner.title
    with studio.bot.waitSignal(window.ended, timeout=3000):
        studio.pipeline.stopping.set()
    assert [c[0] for c in studio.pipeline.calls[-2:]] == ["stop_recording", "close"]


def test_closing_twice_goes_on_unseen(studio: Studio) -> None:
    window = studio.open()
    studio.key("r")
    studio.pipeline.stopping.clear()
    window.close()
    window.close()
    assert not window.isVisible() and studio.calls("stop_recording") == []
    with studio.bot.waitSignal(window.ended, timeout=3000):
        studio.pipeline.stopping.set()
    assert studio.calls("stop_recording") == [()]


def test_closing_while_another_camera_waits_for_the_recording(studio: Studio) -> None:
    window = studio.open()
    studio.key("r")
    studio.pipeline.stopping.clear()
    window.controls.choose("camera", "1")
    window.close()
    with studio.bot.waitSignal(window.ended, timeout=3000):
        studio.pipeline.stopping.set()
    assert len(studio.pipelines) == 1, "no camera is opened that nobody would close"


def test_closing_while_the_camera_opens(studio: Studio) -> None:
    window = studio.open()
    studio.pipeline.now = replace(HEALTH, camera=state("opening", "opening camera 0"))
    studio.pipeline.closing.clear()
    begin = time.monotonic()
    window.close()
    assert time.monotonic() - begin < 0.2
    with studio.bot.waitSignal(window.ended, timeout=3000):
        studio.pipeline.closing.set()


def test_a_clip_that_ended_is_played_again(studio: Studio) -> None:
    window = studio.open(camera="clip.mp4")
    window.panel._boxes["loop"].click()
    studio.settle()
    assert [(p.camera, p.loop) for p in studio.pipelines] == [
        ("clip.mp4", False),
        ("clip.mp4", True),
    ]


def test_loop_means_nothing_to_a_camera(studio: Studio) -> None:
    window = studio.open()
    window.panel._boxes["loop"].click()
    studio.settle()
    assert len(studio.pipelines) == 1


def test_options_of_one_run_are_not_kept(studio: Studio) -> None:
    studio.open(hands=False, max_hands=3, presence=0.8, smooth="strong", camera="clip.mp4")
    assert studio.store().load() == Choices()
