"""The study of the teacher's expressions: its crops, its points, its correlations."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from docs.studies.faces.teacher_expressions import (
    FROM_MESH,
    TOLD,
    WATCHED,
    Teacher,
    correlations,
    open_teacher,
    ours,
    table,
    verdict,
)
from tests.helpers import clips
from tracker.find.expressions import EXPRESSIONS, in_order
from tracker.types import Pose


class Fake:
    """An engine that gives the same always, and keeps what it was given."""

    def __init__(self, *answers: np.ndarray) -> None:
        self.answers, self.given = answers, []

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        self.given.append(batch)
        return {str(i): a for i, a in enumerate(self.answers)}


def test_points_come_back_in_the_frame() -> None:
    """A crop of 300 px around (100, 80), 1.5 times the 200 px of its landmarks; its middle, and its
    right side's middle, counted from pixels' corners."""
    points = np.zeros((478, 3), np.float32)
    points[0, :2], points[1, :2] = (128, 128), (256, 128)
    teacher = Teacher(Fake(np.zeros((1, 1)), points.reshape(1, 1, 1, -1)), Fake())
    xy = np.zeros((478, 2), np.float32)
    xy[[33, 263]] = (0, 80), (200, 80)
    xy[:, 0] = np.linspace(0, 200, 478)
    xy[:, 1] = 80
    xy[[33, 263]] = (0, 80), (200, 80)
    found = teacher.mesh(np.zeros((160, 200, 3), np.uint8), xy, FROM_MESH)
    np.testing.assert_allclose(found[0], [100, 80], atol=0.01)
    np.testing.assert_allclose(found[1], [100 + 150, 80], atol=0.01)
    assert teacher._mesh.given[0].shape == (1, 256, 256, 3)


def test_expressions_are_told_146_points() -> None:
    answer = np.linspace(0, 1, 52, dtype=np.float32)
    engine = Fake(answer)
    mesh = np.arange(956, dtype=np.float32).reshape(478, 2)
    np.testing.assert_array_equal(Teacher(Fake(), engine).of_mesh(mesh), answer)
    assert engine.given[0].shape == (1, 146, 2)
    assert engine.given[0][0, -1].tolist() == [954, 955]  # the last iris point
    assert len(set(TOLD)) == 146 and tuple(sorted(TOLD)) == TOLD


def test_correlations_of_what_moves() -> None:
    shown = [{"jawOpen": v, "cheekPuff": v, "mouthLeft": v} for v in (0.1, 0.2, 0.3)]
    told = [
        {"jawOpen": -v, "cheekPuff": 0.001 * v, "mouthLeft": w}
        for v, w in ((0.1, 0.2), (0.2, 0.6), (0.3, 0.4))
    ]
    found = correlations(shown, told)
    # by hand: of 1, 2, 3 and 1, 3, 2 it is 0.5
    assert found == pytest.approx({"jawOpen": -1.0, "mouthLeft": 0.5})
    assert correlations([], []) == {}


def test_ours_are_the_models_or_the_landmarks() -> None:
    face = replace(clips.track("face"), pose=Pose(0, 0, 0))
    assert set(ours(face)) == set(WATCHED)
    told = replace(face, expressions=np.array(in_order({"jawOpen": 0.5}), np.float32))
    assert len(ours(told)) == len(EXPRESSIONS) - 1 and ours(told)["jawOpen"] == 0.5


def test_the_table_and_the_bar() -> None:
    """By hand: the mean of 0.9 and 0.8 is 0.85; browInnerUp does not move in the first clip."""
    one = {"eyeBlinkLeft": 0.9, "eyeBlinkRight": 0.8, "jawOpen": 0.5, "cheekPuff": 0.2}
    two = {"jawOpen": 0.7, "browInnerUp": 0.8}
    assert table({"a": one, "b": two}) == [
        "| expression | a | b |", "| --- | --- | --- |", "| jawOpen | 0.50 | 0.70 |",
        "| eyeBlinkLeft | 0.90 | - |", "| eyeBlinkRight | 0.80 | - |", "| browInnerUp | - | 0.80 |",
        "| cheekPuff | 0.20 | - |", "| mean | 0.60 | 0.75 |",
    ]  # fmt: skip
    words = "jawOpen 0.500, eyeBlink 0.850; 0.8 wanted: missed by jawOpen, mouthSmile, browInnerUp"
    assert verdict(one) == words
    assert verdict(dict.fromkeys(WATCHED, 0.8)).endswith("0.8 wanted: reached")
    assert verdict({}).startswith("nothing moved; ")


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.task").write_bytes(b"no bundle")
    with pytest.raises(ValueError, match=r"give its face_landmarker\.task"):
        open_teacher(tmp_path / "x.task")
