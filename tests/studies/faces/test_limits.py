"""What holds expressions and irises back: faces placed by hand, without any training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from docs.studies.faces.expressions_limit import Way, by_stem, seen_by
from docs.studies.faces.eye_net import CUT, IRIS, SIDE, WIDE, EyeNet, batch_of, eyes_of, irises_by
from docs.studies.faces.iris_errors import lines
from docs.studies.faces.iris_limit import between_lids, row_of
from tracker.find.expressions import EXPRESSIONS
from tracker.find.head_pose import face_xyz
from tracker.find.model_file import Attribute
from train.data.augment import crop_example
from train.data.faces import face_flip_pairs
from train.data.pictures import DataSet, Example, Markup
from train.evaluate.outputs import Outputs
from train.networks.model import Head


def a_face(folder: Path) -> DataSet:
    """One face of 200 px, its irises bright dots right of the middle of its eyes."""
    xy = face_xyz()[:, :2].astype(np.float64)
    xy = 30 + 140 * (xy - xy.min(0)) / np.ptp(xy, 0).max()
    irises = np.stack([xy[36:42].mean(0), xy[42:48].mean(0)])
    irises[:, 0] += 2
    xy = np.vstack([xy, irises]).astype(np.float32)
    at = np.indices((200, 200))[::-1]
    light = sum(np.exp(-((at - spot[:, None, None]) ** 2).sum(0) / 8) for spot in irises)
    picture = np.repeat(40 + 200 * np.asarray(light)[..., None], 3, 2).round().astype(np.uint8)
    cv2.imwrite(str(folder / "face.png"), picture)
    apart = float(np.linalg.norm(xy[45] - xy[36]))
    known = {"place": [100.0, 100.0, apart], "pose": [0.0, 0.0, 0.0]}
    example = Example(
        folder / "face.png", xy, np.ones(70, bool), None, False, known, "", "", "exact", True,
        False, hidden=np.arange(70) == 69,
    )  # fmt: skip
    pairs = (*((a, b) for a, b in face_flip_pairs()), (68, 69))
    return DataSet(Markup(tuple(map(str, range(70))), (), pairs), (example,))


def test_each_eye_is_cut_as_if_it_were_a_right_one(tmp_path: Path) -> None:
    data = a_face(tmp_path)
    eyes = eyes_of(data, [0], 128)
    assert eyes.bgr.shape == (1, 2, CUT, CUT, 3) and eyes.seen.tolist() == [[True, False]]
    for eye in (0, 1):
        light = np.maximum(eyes.bgr[0, eye, ..., 0] - 44.0, 0)
        middle = [(light * at).sum() / light.sum() for at in np.indices(light.shape)[::-1]]
        np.testing.assert_allclose(eyes.xy[0, eye, IRIS], middle, atol=0.1)
    # outer corner left, inner corner right, about the middle of the cut, and the other eye's beyond
    corners = eyes.xy[0][:, [36, 39]]
    assert (corners[:, 0, 0] < corners[:, 1, 0]).all()
    np.testing.assert_allclose(corners.mean(1), (CUT - 1) / 2, atol=1e-3)
    assert (eyes.xy[0, :, IRIS + 1, 0] > CUT).all()
    # outer corners lie as far apart as a cut of SIDE pixels says
    assert np.linalg.norm(eyes.xy[0, 0, 45] - eyes.xy[0, 0, 36]) == pytest.approx(SIDE / WIDE)
    image, target = batch_of(eyes, [0])
    np.testing.assert_allclose(target[0], eyes.xy[0, :, IRIS] - (CUT - SIDE) / 2, atol=1e-3)
    heat, xy = irises_by(EyeNet().eval(), image)
    assert heat.shape == (1, 2, SIDE // 2, SIDE // 2) and xy.shape == (1, 2, 2)


def test_a_cut_around_what_a_network_told_is_measured_in_true_distances(tmp_path: Path) -> None:
    data = a_face(tmp_path)
    told = outputs(true_points(data), place=0.5)
    eyes = eyes_of(data, [0], 128, told)
    apart = np.linalg.norm(told.target[0, 45] - told.target[0, 36])
    assert eyes.share == pytest.approx(WIDE * 0.5 * 128 / apart)
    line = row_of("x", np.full((1, 2), 4.8), replace(eyes, share=np.full(1, 0.5)))
    assert line == {"by": "x", "all": "5.00", "seen": "5.00", "hidden": "5.00"}


def true_points(data: DataSet) -> np.ndarray:
    """(1, 70, 2) pixels of the crop of 128."""
    crop = crop_example("face", data.examples[0], data.image(0), 128, ())
    return crop.xy[None].astype(np.float64)


def outputs(xy: np.ndarray, place: float = 0.5) -> Outputs:
    """What is told, off by nothing."""
    n, none = len(xy), np.zeros(0)
    told = {"place": np.tile([0.0, 0.0, place], (n, 1))}
    return Outputs(
        np.arange(n), xy, none, none, none, told, xy.copy(), np.ones(xy.shape[:2], bool), {}
    )


def test_the_mean_place_between_the_lids(tmp_path: Path) -> None:
    eyes = eyes_of(a_face(tmp_path), [0], 128)
    apart = np.linalg.norm(np.diff(eyes.xy[0, 0, [36, 45]], axis=0))
    pixel = apart / np.linalg.norm(np.diff(a_face(tmp_path).examples[0].xy[[36, 45]], axis=0))
    # one iris is 2 px of the picture nearer to the nose than the middle, the other farther from it
    np.testing.assert_allclose(between_lids(eyes, eyes), [[2 * pixel] * 2], rtol=1e-3)
    moved = eyes.xy.copy()
    moved[:, :, IRIS, 0] += 3
    far = between_lids(eyes, replace(eyes, xy=moved))
    np.testing.assert_allclose(far, [[2 * pixel + 3, abs(3 - 2 * pixel)]], rtol=1e-3)


def test_lines_tell_which_irises_bring_the_error(tmp_path: Path) -> None:
    data = a_face(tmp_path)
    out = outputs(true_points(data))
    apart = np.linalg.norm(out.target[0, 45] - out.target[0, 36])
    out.xy[0, 68] += (0.03 * apart, 0)
    out.xy[0, 69] += (0.01 * apart, 0)
    table = {line.split(" | ")[0]: line for line in lines(out, [data.examples[0]], [["dim"]])}
    assert table["| all"].startswith("| all | 2 | 100% | 100% | 2.00 % | 2.0 % |")
    assert table["| seen"].startswith("| seen | 1 | 50% | 75% | 3.00 % | 3.0 % |")
    assert "| dim" in table and "| glasses" not in table and "| yaw 15 to 30" not in table


def test_a_head_sees_true_points_where_they_are_labelled_and_asked_for() -> None:
    look = {
        "xy": torch.zeros(1, 70, 2), "true": torch.ones(1, 70, 2), "pooled": torch.zeros(1, 8),
        "labelled": torch.arange(70)[None] != 3, "seen": torch.arange(70)[None] != 4,
        "target": torch.zeros(1, 52),
    }  # fmt: skip
    head = Head(Attribute("expressions", size=52))
    takes = [
        torch.nonzero(seen_by(way, look).inputs[0][0, :, 0]).flatten().tolist()
        for way in (Way("a", head), Way("b", head, (3, 4, 5)), Way("c", head, (3, 4, 5), True))
    ]
    assert takes == [[], [4, 5], [5]]
    assert len(seen_by(Way("d", replace(head, source="both")), look).inputs) == 2


def test_expressions_by_their_error() -> None:
    error = np.zeros((2, 52))
    error[:, EXPRESSIONS.index("eyeBlinkLeft")] = 0.4
    error[:, EXPRESSIONS.index("jawLeft")] = 0.1
    first, second, third = by_stem({"head": error})[:3]
    assert first == {"expression": "eyeBlink", "head": "0.200"}
    assert second == {"expression": "jawLeft", "head": "0.100"} and third["head"] == "0.000"
