"""Choices: kept, read again, and forgotten where they make no sense."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
from PyQt6.QtCore import QSettings

from ui.live.choices import Choices
from ui.live.settings import Store

CHANGED = Choices(
    camera="/dev/video2", loop=True, hands=False, faces=True, max_hands=3, max_faces=2,
    objects=False, max_objects=3, object_model="o.onnx", other_object_model="oo.onnx",
    hand_model="h.onnx", face_model="f.onnx", presence=0.65, smooth="strong",
    mirror_devices=False, mirror_files=True, hud=False, landmarks=False, labels=False,
    privacy=True, panel=False, annotated=True, recordings="r", snapshots="s", project="p",
    other_hand_model="oh.onnx", other_face_model="of.onnx", compare_view="b", engine="onnx",
    precision="int8", fov=70.0, actions="a.toml", actions_on=False, actions_test=True,
    tab="plots", hint=False, space=True, size="1280x720", fps=59.94, auto_centre=True,
    gestures="g.json", weights="free", neutral="you", every_expression=True,
)  # fmt: skip


def settings(folder: Path) -> QSettings:
    return QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)


def test_first_start(tmp_path: Path) -> None:
    assert Store(settings(tmp_path)).load() == Choices()


def test_every_choice_is_kept(tmp_path: Path) -> None:
    first = settings(tmp_path)
    for field in fields(Choices):
        value = getattr(CHANGED, field.name)
        if field.name != "faces":
            assert value != getattr(Choices(), field.name), f"{field.name} would prove nothing"
        Store(first).keep(field.name, value)
    first.sync()
    assert Store(settings(tmp_path)).load() == CHANGED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_hands", "many"),
        ("max_hands", -1),
        ("max_hands", 0),
        ("presence", "nan"),
        ("presence", 7),
        ("smooth", "enormous"),
        ("compare_view", "upside down"),
        ("hud", "perhaps"),
        ("size", "large"),
        ("size", "0x720"),
        ("fps", -3),
    ],
)
def test_nonsense_is_forgotten(tmp_path: Path, name: str, value: object) -> None:
    Store(settings(tmp_path)).keep(name, value)
    Store(settings(tmp_path)).keep("labels", False)
    assert Store(settings(tmp_path)).load() == replace(Choices(), labels=False)


def test_choices_that_contradict_each_other_are_forgotten(tmp_path: Path) -> None:
    for name in ("hands", "faces"):
        Store(settings(tmp_path)).keep(name, False)
    assert Store(settings(tmp_path)).load() == Choices()


def test_tracker_config() -> None:
    config = CHANGED.config()
    assert (config.hands, config.faces, config.max_hands, config.smooth) == (
        False, True, 3, "strong",
    )  # fmt: skip
    assert (config.hand_model, config.face_model) == ("h.onnx", "f.onnx")
    assert config.presence_on == 0.65 and config.presence_off == 0.5
    plain = Choices().config()
    assert (plain.presence_on, plain.presence_off, plain.hand_model) == (0.5, 0.5, None)


def test_second_config() -> None:
    assert Choices().other_config() is None
    other = Choices(other_hand_model="b.onnx", face_model="f.onnx").other_config()
    assert other is not None and (other.hand_model, other.face_model) == ("b.onnx", "f.onnx")


def test_objects_are_followed_where_there_is_a_model() -> None:
    assert Choices().config().kinds == ("hand", "face")
    assert Choices(object_model="o.onnx").config().kinds == ("hand", "face", "object")
    assert Choices(object_model="o.onnx", objects=False).config().kinds == ("hand", "face")
    assert Choices(hands=False, faces=False, object_model="o.onnx").config().kinds == ("object",)
    with pytest.raises(ValueError, match="nothing to track"):
        Choices(hands=False, faces=False).config()


def test_ones_own_model_against_the_bundled_one() -> None:
    assert Choices(object_model="o.onnx").against_bundled() is None, "none is bundled for objects"
    against = Choices(hand_model="glove").against_bundled()
    assert against is not None and against.other_face_model == ""
    other = against.other_config()
    assert other is not None and (other.hand_model, against.config().hand_model) == (None, "glove")


def test_folders() -> None:
    assert Choices(recordings="/a/b").folder("recordings") == Path("/a/b")
    usual = {Choices().folder(name) for name in ("recordings", "snapshots", "project")}  # type: ignore[arg-type]
    assert len(usual) == 3 and all(path.is_absolute() for path in usual)
