from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.teaching import new_project
from tests.train.spread.moving import SIZE_WH, truth, write_moving
from tracker.errors import UserError
from train.project.adding import add_clips
from train.project.clips import read_clips
from train.project.labels import FrameLabel, Labels, ObjectLabel
from train.project.layout import Project
from train.spread.flow import DRIFT, LABEL, MOVED, NEAR, Followed
from train.spread.spread import Found, proposal, spread
from train.spread.stretches import (
    SpreadSpec,
    Stretch,
    chosen_clips,
    open_ones,
    plan_of,
    span_at,
    stretches,
)

SPEC = SpreadSpec(frames=8)


def by_hand(frame: int, number: int = 1, clip: str = "m.mp4") -> FrameLabel:
    """The exact points of a frame of the moving clip."""
    thing = ObjectLabel(number, truth(frame), np.full(3, 2, np.uint8), None, "user")
    return FrameLabel(clip, frame, frame / 25, SIZE_WH, (thing,))


def labels_of(*frames: FrameLabel) -> Labels:
    return Labels({f.key: f for f in frames})


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = new_project(tmp_path / "p")
    add_clips(made, [write_moving(tmp_path / "m.mp4", 24)])
    return made


def plan(project: Project, labels: Labels, spec: SpreadSpec = SPEC) -> list[Stretch]:
    return stretches(project, labels, read_clips(project), spec, "")


def run(project: Project, labels: Labels, spec: SpreadSpec = SPEC) -> list[Found]:
    todo = plan(project, labels, spec)
    return list(spread(project, todo, None, spec, lambda *_: None, lambda: False))


def test_what_was_spread_beside_a_label_by_hand_gets_no_surer_by_it(project: Project) -> None:
    """Of two proposed objects somebody moved a point of one: the other is as unsure as before."""
    first = by_hand(2)
    sure = np.array([0.9, 0.6, 0.95], np.float32)
    other = replace(first.objects[0], id=2, source="spread", confidence=sure, came_from=(0,))
    labels = labels_of(replace(first, objects=(*first.objects, other)))
    found = {k: f for part in run(project, labels) for k, f in part.proposals.items()}
    beside = found["m.mp4", 3]
    assert beside is not None
    hand, spread_again = (o.confidence for o in beside.objects)
    assert hand is not None and (hand > 0.95).all()
    assert spread_again is not None and (spread_again <= sure).all() and (spread_again > 0.5).all()


def test_proposals_follow_the_truth_up_to_so_many_frames_from_a_label(project: Project) -> None:
    labels = labels_of(by_hand(2), by_hand(12))
    found = {k: f for part in run(project, labels) for k, f in part.proposals.items()}
    assert sorted(n for _, n in found) == [i for i in range(24) if i not in (2, 12)]
    made = {n: f for (_, n), f in found.items() if f is not None}
    assert sorted(made) == [i for i in range(21) if i not in (2, 12)]  # 12 + 8 is 20
    for number, frame in made.items():
        (thing,) = frame.objects
        assert thing.source == "spread" and thing.confidence is not None and thing.is_spread
        assert np.abs(thing.xy - truth(number)).max() < 1.0
        # A frame moves its points by 0.055 of its side at most, and flow strays as it goes.
        near = min(abs(number - 2), abs(number - 12))
        variance = LABEL**2 + near * (DRIFT**2 + MOVED * 0.055)
        assert (thing.confidence > 1 - np.exp(-(NEAR**2) / (2 * variance))).all()
        assert thing.v.tolist() == [2, 2, 2]
        assert frame.t == pytest.approx(number / 25, abs=1e-3)
    assert made[1].objects[0].came_from == (2,) and made[15].objects[0].came_from == (12,)
    assert made[7].objects[0].came_from == (2, 12)


def test_nothing_is_proposed_beyond_a_cut(tmp_path: Path) -> None:
    made = new_project(tmp_path / "p")
    add_clips(made, [write_moving(tmp_path / "m.mp4", 12, cut=6)])
    (_, after) = run(made, labels_of(by_hand(3)))
    there = {n: f is not None for (_, n), f in after.proposals.items()}
    assert there[4] and there[5] and not any(there[n] for n in range(8, 12))


def test_an_object_that_only_one_label_has_comes_from_that_one(project: Project) -> None:
    both = by_hand(2)
    other = ObjectLabel(2, truth(2) + 20, np.full(3, 2, np.uint8), None, "user")
    two = FrameLabel(both.clip, 2, both.t, SIZE_WH, (*both.objects, other))
    (_, part, _) = run(project, labels_of(two, by_hand(8)))
    frame = part.proposals["m.mp4", 3]
    assert frame is not None
    assert {o.id: o.came_from for o in frame.objects} == {1: (2, 8), 2: (2,)}


def test_frames_with_nothing_on_them_end_a_stretch_and_begin_none(project: Project) -> None:
    nothing = FrameLabel("m.mp4", 10, 0.4, SIZE_WH, (), True)
    found = plan(project, labels_of(by_hand(4), nothing))
    assert [(s.forward.start, s.forward.stop) for s in found] == [(0, 4), (5, 10)]


def test_a_label_beyond_the_end_of_the_clip_spreads_nowhere(project: Project) -> None:
    found = plan(project, labels_of(by_hand(4), by_hand(99)))
    assert [(s.forward.start, s.forward.stop) for s in found] == [(0, 4), (5, 24)]
    assert plan(project, labels_of(by_hand(99))) == []


def test_labels_that_were_spread_are_no_beginning(project: Project) -> None:
    labels = labels_of(by_hand(4))
    (_, part) = run(project, labels)
    accepted = part.proposals["m.mp4", 9]
    assert accepted is not None
    assert [s.name for s in plan(project, labels_of(by_hand(4), accepted))] == [
        s.name for s in plan(project, labels)
    ]


def test_what_was_gone_through_is_left_out_until_its_labels_change(project: Project) -> None:
    labels = labels_of(by_hand(2), by_hand(12), by_hand(20))
    names = [s.name for s in plan(project, labels)]
    assert len({*names}) == 4
    known = Labels(labels.frames, (), {}, frozenset(names[:2]))
    assert [s.name for s in open_ones(plan(project, known), known)] == names[2:]
    moved = ObjectLabel(1, truth(20) + 1, np.full(3, 2, np.uint8), None, "user")
    frames = {**labels.frames, ("m.mp4", 20): FrameLabel("m.mp4", 20, 0.8, SIZE_WH, (moved,))}
    changed = Labels(frames, (), {}, frozenset(names))
    todo = open_ones(plan(project, changed), changed)
    assert [(s.forward.start, s.forward.stop) for s in todo] == [(13, 20), (21, 24)]
    made = plan_of(project, changed, read_clips(project), SPEC, None)
    assert made.forgotten == {n: False for n in sorted(names[2:])}


def test_it_stops_between_two_frames_and_tells_its_share(project: Project) -> None:
    labels, told = labels_of(by_hand(2), by_hand(12)), list[tuple[int, int]]()
    todo = plan(project, labels)
    stop = lambda: len(told) >= 5  # noqa: E731
    report = lambda done, total: told.append((done, total))  # noqa: E731
    found = list(spread(project, todo, None, SPEC, report, stop))
    assert [f.stretch.name for f in found] == [todo[0].name]  # two frames; the next one was begun
    assert told == [(i, 2 + 16 + 8) for i in range(1, 6)]


def test_points_outside_the_frame_and_unsure_ones_are_not_proposed() -> None:
    xy = np.array([[-0.5, 20], [30, 20], [30, 50], [40, 60]], np.float32)
    variance = np.array([1e-4, 1e-4, 1e-4, 0.05], np.float32)
    found = Followed(xy, variance, np.array([True, True, False, True]), 40.0, (2,))
    frame = proposal(FrameLabel("m.mp4", 3, 0.12, SIZE_WH, ()), {7: found}, SPEC)
    assert frame is not None
    (thing,) = frame.objects
    assert (thing.id, thing.v.tolist(), thing.came_from) == (7, [0, 2, 1, 0], (2,))
    assert thing.confidence is not None and thing.confidence[[0, 3]].tolist() == [0, 0]
    assert np.isnan(thing.xy[[0, 3]]).all()
    unsure = replace(found, variance=np.full(4, 0.05, np.float32))
    assert proposal(FrameLabel("m.mp4", 3, 0.12, SIZE_WH, ()), {7: unsure}, SPEC) is None


def test_the_stretch_around_a_frame() -> None:
    labels = labels_of(by_hand(2), by_hand(12))
    assert span_at(labels, "m.mp4", 5, 24) == range(3, 12)
    assert span_at(labels, "m.mp4", 0, 24) == range(0, 2)
    assert span_at(labels, "m.mp4", 20, 24) == range(13, 24)


def test_wishes_that_cannot_be_meant(project: Project) -> None:
    with pytest.raises(ValueError, match="0 frames"):
        SpreadSpec(frames=0)
    with pytest.raises(ValueError, match="found 50 frames and 1"):
        SpreadSpec(min_confidence=1.0)
    with pytest.raises(UserError, match=r"no clip 'x'; it has m\.mp4"):
        chosen_clips(read_clips(project), ["x"])
    assert [c.name for c in chosen_clips(read_clips(project), ["m"])] == ["m.mp4"]
