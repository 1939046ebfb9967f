"""What was spread leaves a project told apart from labels by hand, and comes back so."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.clips import picture
from tests.helpers.teaching import label, new_project, with_clip
from train.exchange.bring import ImportWish, bring
from train.exchange.formats import read, writable
from train.exchange.give import ORIGIN, give
from train.project.journal import read_labels
from train.project.labels import FrameLabel
from train.project.layout import Project
from train.project.removing import find, remove
from train.project.store import Store


def spread_label(frame: int) -> FrameLabel:
    made = label(frame)
    (thing,) = made.objects
    sure = np.array([0.9, 0.625, 0], np.float32)
    thing = replace(thing, source="spread", confidence=sure, came_from=(3, 9))
    return replace(made, objects=(thing,))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Frame 3 by hand, 4 spread and accepted, 5 proposed."""
    made = new_project(tmp_path / "p")
    with_clip(made)
    with Store.open(made) as store:
        for i in (3, 4):
            store.keep_picture("a.mp4", i, picture(i))
        store.set_frame(label(3))
        both = {("a.mp4", i): spread_label(i) for i in (4, 5)}
        store.propose(both, {"a.mp4/1": True}, "one")
        store.accept([("a.mp4", 4)])
    return made


@pytest.mark.parametrize("format", writable())
def test_every_export_has_a_table_of_what_was_spread(
    project: Project, tmp_path: Path, format: str
) -> None:
    if format in ("dlc", "sleap", "sleap-pkg"):
        pytest.importorskip("h5py")
    done = give(project, format, tmp_path / "out")
    assert done.frames == 2  # not the proposal
    with (tmp_path / "out" / ORIGIN).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {"clip": "a.mp4", "frame": "3", "object": "1", "source": "user", "came_from": "",
         "tip": "", "left": "", "right": ""},
        {"clip": "a.mp4", "frame": "4", "object": "1", "source": "spread", "came_from": "3 9",
         "tip": "0.900", "left": "0.625", "right": "0.000"},
    ]  # fmt: skip


def test_labels_by_hand_alone_need_no_table(project: Project, tmp_path: Path) -> None:
    done = give(project, "coco", tmp_path / "out", by_hand=True)
    assert done.frames == 1 and not (tmp_path / "out" / ORIGIN).exists()


def test_an_object_that_was_spread_beside_one_by_hand_is_not_by_hand(
    project: Project, tmp_path: Path
) -> None:
    """Of two proposed objects somebody moved a point of one."""
    other = replace(spread_label(3).objects[0], id=2)
    with Store.open(project) as store:
        store.set_frame(replace(label(3), objects=(*label(3).objects, other)))
    (file,) = give(project, "coco", tmp_path / "out", by_hand=True).files
    (found,) = read(file).pictures
    assert [t.confidence is None for t in found.things] == [True]


def test_coco_brings_back_what_was_spread_as_such(project: Project, tmp_path: Path) -> None:
    (file, _) = give(project, "coco", tmp_path / "out").files
    other = new_project(tmp_path / "other")
    with_clip(other)
    bring(other, [read(file)], "x", ImportWish())
    labels = read_labels(other)
    assert list(labels.by_hand()) == [("a.mp4", 3)] and len(labels.frames) == 2
    (thing,) = labels.frames["a.mp4", 4].objects
    assert (thing.source, thing.came_from) == ("spread", (3, 9))
    assert thing.confidence is not None
    np.testing.assert_allclose(thing.confidence, [0.9, 0.625, 0])


def test_removing_a_clip_takes_its_proposals_along(project: Project) -> None:
    remove(project, find(project, "a.mp4"))
    labels = read_labels(project)
    assert not labels.frames and not labels.proposals and not labels.spread
