from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.tracker.gestures.taught import TOLD, examples, own_of, pairs
from tracker.errors import UserError
from tracker.gestures.own import (
    Gesture,
    Own,
    checked_name,
    only,
    read_own,
    redo,
    removed,
    shown,
    undo,
    usual_file,
    with_hands,
    with_strictness,
    words_of,
    write_own,
)

TWO = own_of(
    Gesture("heart", "both"), pairs("fist", "ok", 3), own_of(Gesture("horns"), examples("rock", 4))
)


def test_a_file_keeps_everything(tmp_path: Path) -> None:
    own = with_strictness(TWO, "horns", 0.4)
    own = shown(own, Gesture("horns", any_turn=True), "anything else", examples("fist", 2), TOLD)
    write_own(tmp_path / "new folder" / "g.json", own)
    back = read_own(tmp_path / "new folder" / "g.json")
    horns, heart = back.gestures
    assert (horns.name, horns.hands, horns.any_turn, horns.strictness) == (
        "horns",
        "either",
        True,
        0.4,
    )
    assert [len(take) for take in horns.takes] == [4] and [len(t) for t in horns.others] == [2]
    assert heart.hands == "both" and [hand.side for hand in heart.takes[0][0].hands] == [
        "left",
        "right",
    ]
    hand, was = horns.takes[0][1].hands[0], examples("rock", 4)[1].hands[0]
    assert np.abs(hand.xy - was.xy).max() <= 0.05 + 1e-9  # to a tenth
    assert hand.xyz is not None and was.xyz is not None
    assert np.abs(hand.xyz - was.xyz).max() <= 0.0005 + 1e-9  # half of the last digit
    write_own(tmp_path / "again.json", back)
    assert (tmp_path / "again.json").read_bytes() == (
        tmp_path / "new folder" / "g.json"
    ).read_bytes()
    json.loads((tmp_path / "again.json").read_text())


def test_undo_goes_back_action_by_action_and_loses_nothing() -> None:
    own = removed(TWO, "horns")
    assert own.names == ("heart",)
    assert undo(own).names == ("horns", "heart") and undo(undo(own)).names == ("horns",)
    assert redo(undo(own)).names == ("heart",)
    again = own_of(Gesture("wave"), examples("four", 3), undo(undo(own)))
    assert again.names == ("horns", "wave") and len(again.undone) == 2, "what was undone is kept"
    empty = undo(undo(undo(undo(own))))
    assert empty.names == () and len(empty.undone) == 3 and undo(empty).undone == empty.undone


def test_shown_again_after_removal_it_begins_anew() -> None:
    own = own_of(Gesture("horns"), examples("rock", 2), removed(TWO, "horns"))
    assert [len(take) for take in own.gestures[-1].takes] == [2] and own.names == ("heart", "horns")


def test_a_slider_that_is_dragged_is_one_action() -> None:
    own = with_strictness(with_strictness(TWO, "heart", 0.6), "heart", 0.9)
    assert len(own.done) == 3 and own.gestures[1].strictness == 0.9
    assert undo(own).gestures[1].strictness == Gesture("heart").strictness


def test_which_hand_shows_it_can_be_changed_and_taken_back(tmp_path: Path) -> None:
    own = with_hands(TWO, "horns", "left", True)
    write_own(tmp_path / "g.json", own)
    horns = read_own(tmp_path / "g.json").gestures[0]
    assert (horns.hands, horns.any_turn) == ("left", True) and len(horns.takes[0]) == 4
    assert own.digest != TWO.digest, "it is learnt anew"
    assert words_of(own.done[-1]) == "which hands show horns, and at which turn"
    assert undo(own).gestures[0].hands == "either"
    for name, hands in (("horns", "both"), ("heart", "left")):
        with pytest.raises(UserError, match="remove it first"):
            with_hands(TWO, name, hands, False)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="no gesture 'x' of yours"):
        with_hands(TWO, "x", "left", False)


def test_some_are_shared() -> None:
    assert only(TWO, ["heart"]).names == ("heart",) and only(TWO, []).names == TWO.names
    with pytest.raises(UserError, match="no gesture 'x' of yours; there are: horns, heart"):
        only(TWO, ["x"])
    with pytest.raises(UserError, match="no gesture 'x' of yours"):
        removed(TWO, "x")


@pytest.mark.parametrize("name", ["", " ", "none", "=1+1", "x" * 41, "a\nb", None])
def test_names_that_are_none(name: object) -> None:
    with pytest.raises(ValueError, match="word such as heart"):
        checked_name(name)


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"schema": 2}', '{"schema": 1, "done": [{}], "undone": []}',
     '{"schema": 1, "done": [{"do": "explode", "gesture": "a"}], "undone": []}',
     '{"schema": 1, "done": [{"do": "strictness", "gesture": "a", "value": 2}], "undone": []}',
     '{"schema": 1, "done": [{"do": "hands", "gesture": "a", "hands": "foot", "any_turn": true}],'
     ' "undone": []}',
     '{"schema": 1, "done": [{"do": "hands", "gesture": "a", "hands": "left", "any_turn": 1}],'
     ' "undone": []}',
     '{"schema": 1, "done": 3, "undone": []}'],
)  # fmt: skip
def test_a_file_that_holds_none_is_refused_and_stays(text: str, tmp_path: Path) -> None:
    path = tmp_path / "g.json"
    path.write_text(text)
    with pytest.raises(UserError, match="holds no gestures that can be read"):
        read_own(path)
    assert path.read_text() == text


@pytest.mark.parametrize("spoilt", [{"xy": [1.0] * 41}, {"side": "middle"}, {"xyz": [None] * 63}])
def test_a_spoilt_hand_is_refused(spoilt: dict[str, object], tmp_path: Path) -> None:
    write_own(tmp_path / "g.json", TWO)
    whole = json.loads((tmp_path / "g.json").read_text())
    whole["done"][0]["samples"][0]["hands"][0] |= spoilt
    (tmp_path / "g.json").write_text(json.dumps(whole))
    with pytest.raises(UserError, match="holds no gestures"):
        read_own(tmp_path / "g.json")


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/c")
    monkeypatch.setenv("APPDATA", "/a")
    monkeypatch.setattr("sys.platform", "linux")
    assert usual_file() == Path("/c/landmark-tracker/gestures.json")
    monkeypatch.setattr("sys.platform", "win32")
    assert usual_file() == Path("/a/landmark-tracker/gestures.json")
    assert not Own().names
