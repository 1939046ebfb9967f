"""Proposals in the labels of a project: apart from labels by hand, journalled, undone as one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.teaching import label, new_project
from train.project.journal import read_labels
from train.project.labels import FrameLabel
from train.project.layout import Project
from train.project.store import Store


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path / "p")


def proposed(frame: int, *came_from: int, x: float = 10.0) -> FrameLabel:
    """What spreading would say: the points of `label`, sure by 0.9 and 0.6."""
    made = label(frame, x)
    sure = np.array([0.9, 0.6, 0], np.float32)
    (thing,) = made.objects
    spread = replace(thing, source="spread", confidence=sure, came_from=came_from)
    return replace(made, objects=(spread,))


def propose(store: Store, *frames: FrameLabel, group: str = "one", done: str = "a.mp4/1") -> int:
    return store.propose({f.key: f for f in frames}, {done: True}, group)


def crash(store: Store) -> None:
    assert store._lock is not None and store._journal is not None
    store._lock.release()
    store._journal.close()


def numbers(store: Store) -> list[int]:
    return sorted(n for _, n in store.labels.proposals)


def test_proposals_are_no_labels_and_are_read_back(project: Project) -> None:
    with Store.open(project) as store:
        store.set_frame(label(3))
        assert propose(store, proposed(4, 3), proposed(5, 3, 9)) == 2
    labels = read_labels(project)
    assert list(labels.frames) == [("a.mp4", 3)] and labels.spread == {"a.mp4/1"}
    (thing,) = labels.proposals["a.mp4", 5].objects
    assert (thing.source, thing.came_from) == ("spread", (3, 9))
    assert thing.confidence is not None
    np.testing.assert_allclose(thing.confidence, [0.9, 0.6, 0])
    coco = json.loads(project.labels_path.read_text())
    assert len(coco["images"]) == len(coco["annotations"]) == 1  # what other programs read
    assert "confidence" not in coco["annotations"][0]
    assert [a["came_from"] for a in coco["spread"]["annotations"]] == [[3], [3, 9]]


def test_a_file_without_proposals_is_as_it_always_was(project: Project) -> None:
    with Store.open(project) as store:
        store.set_frame(label(3))
    coco = json.loads(project.labels_path.read_text())
    assert sorted(coco) == ["annotations", "categories", "images", "info"]
    assert not read_labels(project).proposals


def test_no_label_is_overwritten(project: Project) -> None:
    with Store.open(project) as store:
        store.set_frame(label(3, 11.0))
        assert propose(store, proposed(3, 1), proposed(4, 1)) == 1
        assert numbers(store) == [4]
        assert store.labels.frames["a.mp4", 3].objects[0].source == "user"


def test_one_spreading_is_one_undo(project: Project) -> None:
    with Store.open(project) as store:
        store.set_frame(label(3))
        propose(store, proposed(4, 3), proposed(5, 3))
        propose(store, proposed(2, 3), done="a.mp4/2")
        propose(store, proposed(4, 3, x=20.0), done="a.mp4/3")
        assert numbers(store) == [2, 4, 5] and len(store.labels.spread) == 3
        assert store.undo() == "spreading"
        assert numbers(store) == [] and not store.labels.spread and len(store.labels.frames) == 1
        assert store.redo() == "spreading"
        assert numbers(store) == [2, 4, 5] and len(store.labels.spread) == 3
        assert store.labels.proposals["a.mp4", 4].objects[0].xy[0, 0] == 20
        store.undo()
        assert store.undo() == "a.mp4, frame 3" and not store.labels.frames


def test_a_spreading_that_was_killed_is_kept_and_undone_as_one(project: Project) -> None:
    store = Store.open(project)
    store.set_frame(label(3))
    propose(store, proposed(4, 3))
    store.set_frame(label(20))  # by hand, meanwhile
    propose(store, proposed(5, 3), done="a.mp4/2")
    crash(store)
    with Store.open(project) as again:
        assert numbers(again) == [4, 5] and again.labels.spread == {"a.mp4/1", "a.mp4/2"}
        assert again.undo() == "a.mp4, frame 20"
        assert again.undo() == "spreading" and numbers(again) == []
        assert list(again.labels.frames) == [("a.mp4", 3)]


def test_a_torn_line_leaves_nothing_of_its_stretch(project: Project) -> None:
    store = Store.open(project)
    propose(store, proposed(4, 3))
    propose(store, proposed(5, 3), done="a.mp4/2")
    crash(store)
    data = project.journal_path.read_bytes()
    project.journal_path.write_bytes(data[:-40])
    labels = read_labels(project)
    assert list(labels.proposals) == [("a.mp4", 4)] and labels.spread == {"a.mp4/1"}


def test_a_label_by_hand_takes_its_proposal_and_those_that_came_from_it(project: Project) -> None:
    with Store.open(project) as store:
        store.set_frame(label(3))
        store.set_frame(label(9))
        propose(store, proposed(4, 3), proposed(5, 3, 9), proposed(10, 9))
        store.set_frame(label(4, 30.0))  # one of the proposed frames
        assert numbers(store) == [5, 10]
        store.set_frame(label(3, 12.0))  # a frame from which others came
        assert numbers(store) == [10]
        store.undo()
        assert numbers(store) == [5, 10]
        store.undo()
        assert numbers(store) == [4, 5, 10] and ("a.mp4", 4) not in store.labels.frames
        store.remove_frame("a.mp4", 9)
        assert numbers(store) == [4]


def test_accepted_proposals_are_labels_that_say_where_they_came_from(project: Project) -> None:
    with Store.open(project) as store:
        store.set_frame(label(3))
        propose(store, proposed(4, 3), proposed(5, 3), proposed(6, 3))
        assert store.accept([("a.mp4", 4), ("a.mp4", 5), ("a.mp4", 77)]) == 2
        assert numbers(store) == [6]
        assert store.labels.frames["a.mp4", 4].is_spread
        assert list(store.labels.by_hand()) == [("a.mp4", 3)]
    with Store.open(project) as store:
        (thing,) = store.labels.frames["a.mp4", 5].objects
        assert thing.source == "spread" and thing.came_from == (3,)
    coco = json.loads(project.labels_path.read_text())
    assert [a["source"] for a in coco["annotations"]] == ["user", "spread", "spread"]
    assert [a.get("confidence") for a in coco["annotations"]] == [None, *[[0.9, 0.6, 0.0]] * 2]


def test_accepting_and_refusing_are_one_undo_each(project: Project) -> None:
    with Store.open(project) as store:
        propose(store, proposed(4, 3), proposed(5, 3), proposed(6, 3))
        store.accept([("a.mp4", 4), ("a.mp4", 5)])
        assert store.refuse([("a.mp4", 6), ("a.mp4", 4)]) == 1
        assert numbers(store) == [] and store.labels.spread == {"a.mp4/1"}
        assert store.undo() == "refusing proposals" and numbers(store) == [6]
        assert store.undo() == "accepting proposals" and numbers(store) == [4, 5, 6]
        assert not store.labels.frames


@pytest.mark.parametrize("sure", [[0.9, 0.6], [0.9, 0.6, 1.5], [0.9, float("nan"), 0]])
def test_confidences_that_are_none_are_refused(project: Project, sure: list[float]) -> None:
    made = proposed(4, 3)
    bad = replace(made.objects[0], confidence=np.array(sure, np.float32))
    with Store.open(project) as store, pytest.raises(ValueError, match="confidence is"):
        propose(store, replace(made, objects=(bad,)))
