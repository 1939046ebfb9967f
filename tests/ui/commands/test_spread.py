"""`train spread`, and what `train finetune` learns of it, on a clip whose points are known."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from tests.helpers.teaching import new_project
from tests.train.spread.moving import SIZE_WH, moved, truth, write_moving
from train.data.batches import point_weights
from train.data.from_project import Split, labelled_examples, spread_examples, take_census
from train.finetune.plan import Hooks, Wish, gather
from train.project.adding import add_clips
from train.project.check import check
from train.project.clips import read_clips
from train.project.journal import read_labels
from train.project.labels import FrameLabel, ObjectLabel
from train.project.layout import Project
from train.project.store import Store
from ui.commands.train import app

ROOT = Path(__file__).parents[3]


def by_hand(frame: int) -> FrameLabel:
    thing = ObjectLabel(1, truth(frame), np.full(3, 2, np.uint8), None, "user")
    return FrameLabel("m.mp4", frame, frame / 25, SIZE_WH, (thing,))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """24 frames, 4 and 14 labelled by hand."""
    made = new_project(tmp_path / "p")
    add_clips(made, [write_moving(tmp_path / "m.mp4", 24)])
    with Store.open(made) as store:
        for i in (4, 14):
            store.keep_picture("m.mp4", i, moved(i))
            store.set_frame(by_hand(i))
    return made


def run(project: Project, *args: str) -> Result:
    return CliRunner().invoke(app, ["spread", str(project.root), *args])


def test_it_proposes_tells_and_does_nothing_twice(project: Project) -> None:
    out = run(project)
    assert out.exit_code == 0, out.output
    assert "m.mp4, frames 5 to 13: 9 of 9 frames" in out.output
    assert "22 frames have new proposals, 22 in the project" in out.output
    labels = read_labels(project)
    assert len(labels.frames) == 2 and len(labels.proposals) == 22
    again = run(project, "--clip", "m")
    assert "3 stretches were spread over already (--again)" in again.output
    assert "0 frames have new proposals" in again.output
    near = run(project, "--frames", "2")
    assert near.exit_code == 0
    assert sorted(n for _, n in read_labels(project).proposals) == [2, 3, 5, 6, 12, 13, 15, 16]


def test_accepting_and_refusing_everything(project: Project) -> None:
    run(project)
    assert "refused 22 proposals" in run(project, "--refuse").output
    assert "0 frames have new" in run(project).output  # what was refused stays so
    assert "22 frames have new" in run(project, "--again").output
    assert "accepted 22 proposals" in run(project, "--accept", "--clip", "m.mp4").output
    labels = read_labels(project)
    assert len(labels.frames) == 24 and len(labels.by_hand()) == 2 and not labels.proposals
    assert not [p for p in check(project) if p.severity == "error"]


def test_bad_wishes_are_told_in_a_sentence(project: Project, tmp_path: Path) -> None:
    for args, words in (
        (("--frames", "0"), "found 0 frames"),
        (("--min-confidence", "1.5"), "found 50 frames and 1.5"),
        (("--clip", "x.mp4"), "no clip 'x.mp4'; it has m.mp4"),
        (("--accept", "--refuse"), "exclude each other"),
    ):
        out = run(project, *args)
        assert out.exit_code == 1 and words in str(out.exception)
    empty = new_project(tmp_path / "empty")
    add_clips(empty, [tmp_path / "m.mp4"])
    assert "no frame is labelled from which" in str(run(empty).exception)
    with Store.open(project):
        assert "another window or command labels" in str(run(project).exception)


def test_killed_in_the_middle_it_goes_on_with_what_is_left(project: Project) -> None:
    """`kill -9` once the first stretch is in the journal."""
    code = (
        "import time, train.spread.spread as s; one = s.one_stretch\n"
        "def slow(frames, stretch, *rest):\n"
        "    time.sleep(0 if stretch.before is None else 60); return one(frames, stretch, *rest)\n"
        "s.one_stretch = slow\n"
        f"from ui.commands.train import app; app(['spread', {str(project.root)!r}])"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE)
    until = time.monotonic() + 120
    while b"spreading" not in project.journal_path.read_bytes() and time.monotonic() < until:
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait(30)
    assert sorted(n for _, n in read_labels(project).proposals) == [0, 1, 2, 3]
    out = run(project)
    assert "1 stretch was spread over already" in out.output
    assert "frames 0 to 3" not in out.output and "18 frames have new proposals" in out.output
    assert len(read_labels(project).proposals) == 22


def test_check_tells_labels_by_hand_and_proposals_apart(project: Project) -> None:
    run(project)
    (told,) = [p for p in check(project) if "proposals" in p.what]
    assert told.severity == "warning"
    assert told.what == "2 frames are labelled by hand; 22 more have proposals that nobody accepted"
    with Store.open(project) as store:
        store.accept([("m.mp4", 5), ("m.mp4", 6)])
    (told,) = [p for p in check(project) if "proposals" in p.what]
    assert "2 by hand, 2 spread and accepted" in told.what and "20 more" in told.what


def test_training_weights_points_by_confidence_and_holds_out_labels_by_hand_alone(
    project: Project,
) -> None:
    run(project)
    (clip,) = read_clips(project)
    with Store.open(project) as store:
        label = store.labels.proposals["m.mp4", 6]
        sure = np.array([0.9, 0.6, 0.7], np.float32)
        (thing,) = label.objects
        less = replace(label, objects=(replace(thing, confidence=sure),))
        store.propose({label.key: less}, {}, "")
        store.keep_picture("m.mp4", 13, moved(13))
        store.accept([("m.mp4", 13)])
        labels = store.labels
    train = Split()
    found, used = spread_examples(project, labels, train, clip)
    assert len(found) == 21 == len(used) and {e.source for e in found} == {"spread"}
    (doubtful,) = [e for e in found if e.sure is not None and np.allclose(e.sure, sure)]
    np.testing.assert_allclose(point_weights(doubtful, 1.0), sure, atol=1e-6)
    given = labelled_examples(project, labels, train)
    assert [e.source for e in given] == ["clip", "spread", "clip"]  # frames 4, 13, 14
    assert given[0].sure is None and given[1].sure is not None
    census = take_census([*given, *found], 0)
    assert (census.labelled, census.spread) == ({"train": 2}, 22)
    held = Split(("m.mp4",))
    assert spread_examples(project, labels, held, clip) == ([], set())
    assert [e.source for e in labelled_examples(project, labels, held)] == ["clip", "clip"]


@pytest.mark.parametrize(("spread", "count"), [(True, 22), (False, 0)])
def test_a_run_learns_from_proposals_unless_it_shall_not(
    project: Project, spread: bool, count: int
) -> None:
    run(project)
    data, census, _ = gather(project, read_labels(project), Split(), Wish(spread=spread), Hooks())
    assert (census.labelled, census.spread) == ({"train": 2}, count)
    assert sum(e.sure is not None for e in data.examples) == count
    unlabelled = {e.path.name for e in data.examples if not e.labelled.any()}
    assert bool(unlabelled) == (not spread)  # each frame is used once
