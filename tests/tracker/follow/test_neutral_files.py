"""Faces at rest on the disk: a file a person, whole, the captures before it kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.tracker.follow.test_neutral import resting
from tracker.errors import UserError
from tracker.follow import neutral_files
from tracker.follow.neutral_files import (
    KEPT,
    chosen_face,
    file_of,
    keep_face,
    meant_face,
    people,
    read_face,
)


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))


def test_what_was_kept_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ann.json"
    face = replace(resting(jawOpen=0.25, browDownLeft=0.5), model="5c1f")
    keep_face(path, face)
    found = read_face(path)
    np.testing.assert_allclose(found.expressions, face.expressions)
    assert (found.model, found.frames) == ("5c1f", 0)
    np.testing.assert_allclose(found.proportions, resting().proportions, atol=1e-4)
    assert [p.name for p in path.parent.iterdir()] == ["ann.json"], "no parts"


def test_the_last_capture_counts_and_some_before_it_stay(tmp_path: Path) -> None:
    path = tmp_path / "ann.json"
    for i in range(KEPT + 3):
        keep_face(path, resting(jawOpen=i / 100))
    assert read_face(path).expressions.max() == pytest.approx((KEPT + 2) / 100)
    kept = json.loads(path.read_text())["captures"]
    assert [c["expressions"]["jawOpen"] for c in kept] == [i / 100 for i in range(3, KEPT + 3)]


@pytest.mark.parametrize(
    "text",
    [
        "no json", "[]", '{"schema": 2, "captures": []}', '{"schema": 1, "captures": []}',
        '{"schema": 1, "captures": [{"frames": 1, "proportions": [1, 2], "expressions": {}}]}',
        '{"schema": 1, "captures": [{"frames": 1, "proportions": [0,0,0,0,0,0,0],'
        ' "expressions": {"smirk": 0.5}}]}',
        '{"schema": 1, "captures": [{"frames": 1, "proportions": [0,0,0,0,0,0,0],'
        ' "expressions": {"jawOpen": 7}}]}',
        '{"schema": 1, "captures": 3}',
    ],
)  # fmt: skip
def test_other_files_are_refused_and_stay(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(UserError, match="holds no face at rest that can be read"):
        read_face(path)
    with pytest.raises(UserError, match="move it away"):
        keep_face(path, resting())
    assert path.read_text() == text


def test_whose_is_meant(tmp_path: Path) -> None:
    assert meant_face("") is None and meant_face("none") is None and people() == []
    keep_face(file_of("me"), resting())
    keep_face(file_of("ann"), resting())
    assert meant_face("") == neutral_files.folder() / "me.json" and people() == ["ann", "me"]
    assert chosen_face("ann") == file_of("ann") and chosen_face("none") is None
    other = tmp_path / "x.json"
    assert meant_face(str(other)) == other
    with pytest.raises(UserError, match=r"there is no face at rest at .*tracker neutral take"):
        chosen_face(str(other))
    for name in ("../me", "a/b", "", "."):
        with pytest.raises(UserError, match="is no name for a face"):
            file_of(name)
