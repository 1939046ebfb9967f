"""Pictures of sets among the suggestions: each on its own, no time, not those that are held out."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from tests.helpers.drawn import BlobEngine
from tests.train.suggest.test_suggest import (
    MIDDLE,
    Doubter,
    a_model,
    blobs,
    drifting,
    empty,
    label,
    project_with,
)
from tracker.find.locate import Model
from train.project.labels import Labels
from train.project.layout import Project
from train.project.stills import add_pictures
from train.suggest import survey
from train.suggest.suggest import suggest, teaching_clips
from train.suggest.survey import MOST_MEASURED, Pass, pictures


def place(i: int) -> np.ndarray:
    """Where the object of picture `i` is: each elsewhere, as in pictures of different days."""
    return np.add(MIDDLE, (7 * i % 30, 11 * i % 20))


def with_pictures(
    folder: Path, frames: dict[str, list[np.ndarray]], name: str = "photos"
) -> Project:
    project = project_with(folder, {k: v for k, v in frames.items() if k.endswith(".mp4")})
    source = folder / "in"
    source.mkdir()
    for i, bgr in enumerate(frames[name]):
        cv2.imwrite(str(source / f"{i:03d}.png"), bgr)
    add_pictures(project, sorted(source.iterdir()), name)
    return project


def test_the_doubtful_picture_comes_first(tmp_path: Path) -> None:
    photos = [blobs(place(i), 0.6 if i == 3 else 1.0) for i in range(6)]
    project = with_pictures(tmp_path, {"photos": photos})
    found = suggest(project, Labels(), a_model(Doubter()), 6)
    assert (found[0].clip, found[0].frame, found[0].t) == ("photos", 3, None)
    assert found[0].why.startswith("unsure of red")
    assert sorted(s.frame for s in found) == list(range(6))


def test_pictures_compete_with_frames(tmp_path: Path) -> None:
    photos = [blobs(place(i), 0.6) for i in range(2)]
    project = with_pictures(tmp_path, {"a.mp4": drifting(30), "photos": photos})
    found = suggest(project, Labels(), a_model(Doubter()), 3)
    assert {s.clip for s in found[:2]} == {"photos"} and found[2].clip == "a.mp4"
    assert found[2].t is not None


def test_an_empty_picture_between_two_full_ones_is_not_lost(tmp_path: Path) -> None:
    photos = [empty() if i == 2 else blobs(place(i)) for i in range(5)]
    project = with_pictures(tmp_path, {"photos": photos})
    found = suggest(project, Labels(), a_model(), 5)
    assert {s.frame: s.why for s in found}[2] == "nothing found here"


def test_the_tracker_forgets_between_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    whole = survey.tracker_of

    def watched(model: Model, count: int) -> object:
        tracker = whole(model, count)
        reset, process = tracker.reset, tracker.process
        monkeypatch.setattr(tracker, "reset", lambda: (told.append("reset"), reset())[1])
        monkeypatch.setattr(
            tracker, "process", lambda bgr, t: (told.append("look"), process(bgr, t))[1]
        )
        return tracker

    monkeypatch.setattr(survey, "tracker_of", watched)
    project = with_pictures(tmp_path, {"photos": [blobs(place(i)) for i in range(3)]})
    suggest(project, Labels(), a_model(), 3)
    assert told == ["reset", *["reset", "look"] * 3]


def test_pictures_of_a_set_are_not_close_in_time(tmp_path: Path) -> None:
    """Frames of a clip within two seconds are alike, whatever they show; pictures are not."""
    first = np.zeros((120, 160, 3), np.uint8)
    first[:, :60] = 255
    rather = np.roll(first, 40, 1)
    project = with_pictures(tmp_path, {"photos": [first, 255 - first, rather]})
    one = label(project, "photos", 0, first, MIDDLE)
    (found,) = suggest(project, Labels({one.key: one}), None, 1)
    assert found.frame == 1, (
        "its number is next to that of the labelled one, and it is its opposite"
    )


def test_labelled_pictures_are_not_suggested(tmp_path: Path) -> None:
    photos = [blobs(place(i)) for i in range(4)]
    project = with_pictures(tmp_path, {"photos": photos})
    one = label(project, "photos", 1, photos[1], place(1))
    found = suggest(project, Labels({one.key: one}), a_model(), 9)
    assert sorted(s.frame for s in found) == [0, 2, 3]


def test_a_held_out_set_teaches_nothing(tmp_path: Path) -> None:
    photos = [blobs(place(i)) for i in range(2)]
    project = with_pictures(tmp_path, {"a.mp4": drifting(10), "photos": photos})
    project.split_path.write_text(json.dumps({"hold": ["photos"]}))
    assert [c.name for c in teaching_clips(project)] == ["a.mp4"]


def test_what_is_known_of_a_set_is_good_until_a_picture_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    whole = survey._Look._frame

    def watched(self: survey._Look, i: int, *rest: object) -> object:
        looked.append(i)
        return whole(self, i, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(survey._Look, "_frame", watched)
    project = with_pictures(tmp_path, {"photos": [blobs(place(i)) for i in range(3)]})
    first = suggest(project, Labels(), Model(BlobEngine(), a_model().info), 9)
    again = suggest(project, Labels(), Model(BlobEngine(), a_model().info), 9)
    assert looked == [0, 1, 2] and first == again
    cv2.imwrite(str(tmp_path / "more.png"), blobs(place(9)))
    add_pictures(project, [tmp_path / "more.png"], "photos")
    more = suggest(project, Labels(), Model(BlobEngine(), a_model().info), 9)
    assert looked == [0, 1, 2, 0, 1, 2, 3] and len(more) == 4


def test_large_sets_are_looked_at_evenly() -> None:
    assert pictures(10, Pass(1.0, 1)) == list(range(10))
    assert pictures(10, Pass(0.25, 4)) == [0, 4, 8]
    plan = survey.plan_pass(100_000 * survey.STEP_S)
    assert len(pictures(100_000, plan)) / plan.every <= MOST_MEASURED


def test_the_command_shows_no_time_for_pictures(tmp_path: Path) -> None:
    project = with_pictures(tmp_path, {"photos": [empty(), blobs()]})
    from ui.commands.train import app

    found = CliRunner().invoke(app, ["suggest", str(project.root), "--json"])
    assert found.exit_code == 0, found.output
    rows = json.loads(found.stdout)
    assert [r["t_s"] for r in rows] == [None, None]
    table = CliRunner().invoke(app, ["suggest", str(project.root)])
    assert "photos" in table.output and "0.00" not in table.output
