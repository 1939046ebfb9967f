"""Where nothing is found there is something to drag all the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.helpers.drawn import BlobEngine, BlobFinder, blob_info, draw_blobs
from tests.train.suggest.test_prelabel import FRAME, LEFT, guesser_of, object_label, project_of
from tracker.find.locate import Model
from train.project.labels import UNSURE
from train.suggest.prelabel import Guesser

EMPTY = draw_blobs([])


def test_what_is_found_is_the_guess(tmp_path: Path) -> None:
    guesser, _ = guesser_of(project_of(tmp_path))
    found = guesser.guess_something(FRAME, (), object_label(1, LEFT))
    assert [o.source for o in found] == ["model", "model"]


def test_an_empty_frame_has_one_unsure_guess_within_it(tmp_path: Path) -> None:
    guesser, finder = guesser_of(project_of(tmp_path))
    finder.objects = []
    assert guesser.guess(EMPTY) == ()
    (one,) = guesser.guess_something(EMPTY)
    assert one.source == UNSURE and one.v.tolist() == [1, 1, 1]
    assert (one.xy >= 0).all() and (one.xy <= [319, 239]).all()


def test_it_lies_where_a_detector_or_the_last_frame_says(tmp_path: Path) -> None:
    class Half(BlobEngine):
        """Sees nothing for sure, and is less unsure in a small crop in the picture's left half."""

        def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
            found = super().run(batch)
            lit = batch.reshape(len(batch), -1).max(1) > 60
            found["presence"] = np.where(lit, 0.2, 0.01).astype(np.float32)
            return found

    frame = draw_blobs([LEFT], peak=90.0)
    guesser, finder = guesser_of(project_of(tmp_path), engine=Half())
    finder.objects = [LEFT]
    (by_detector,) = guesser.guess_something(frame)
    assert by_detector.source == UNSURE
    assert np.abs(by_detector.xy - LEFT).max() < 3
    finder.objects = []
    (by_last,) = guesser.guess_something(frame, (), object_label(1, LEFT + 6))
    assert np.abs(by_last.xy - LEFT).max() < 3


def test_without_a_network_the_last_object_is_the_guess(tmp_path: Path) -> None:
    project = project_of(tmp_path, kind="object")
    guesser = Guesser(project, None)
    assert guesser.guess_something(EMPTY) == ()  # nothing is known at all
    last = replace(object_label(4, LEFT + 1000), v=np.array([2, 0, 2], np.uint8))
    (one,) = guesser.guess_something(EMPTY, (), last)
    assert one.source == UNSURE and one.v.tolist() == [1, 0, 1]
    assert one.xy[0].tolist() == [319, 239]  # not beyond the frame


def test_a_detector_with_a_low_limit_is_loaded_once(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    loaded: list[BlobFinder] = []

    def low(kind: str) -> BlobFinder:
        loaded.append(BlobFinder())
        return loaded[-1]

    monkeypatch.setattr("train.suggest.unsure.low_finder", low)
    guesser = Guesser(project_of(tmp_path), Model(BlobEngine(), blob_info()), 2, None)
    for _ in range(2):
        (one,) = guesser.guess_something(EMPTY)
        assert one.source == UNSURE
    assert len(loaded) == 1 and loaded[0].calls == 2
