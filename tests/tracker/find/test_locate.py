from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.helpers.drawn import SHAPE, SIZE, BlobEngine, blob_info, centroid_onnx, draw_blobs
from tracker.find.geometry import apply, crop_to_frame
from tracker.find.locate import (
    Model,
    _span,
    at_angle,
    averaged,
    check_outputs,
    cut,
    is_plausible,
    load_model,
    locate,
    network_input,
    read,
)
from tracker.find.model_file import Attribute
from tracker.timings import Timings
from tracker.types import CropBox, Located


def box(x: float, y: float, side: float, angle: float) -> CropBox:
    return CropBox(np.array([x, y], np.float32), side, angle)


@pytest.mark.parametrize("angle", [0, 25, -110, 180])
@pytest.mark.parametrize("side", [48.0, 64.0, 101.5])
def test_blobs_land_on_their_points(blob_onnx: Path, angle: float, side: float) -> None:
    """Through a real ONNX file, to a twentieth of a pixel."""
    truth = SHAPE * 0.7 + (150.3, 110.8)
    model = load_model(blob_onnx, threads=1)
    found = locate(draw_blobs([truth]), [box(151, 109, side, angle)], model)[0]
    assert found.xy == pytest.approx(truth, abs=0.05)
    assert found.presence == 1 and found.score == pytest.approx(np.ones(3))
    assert found.attributes["side"] == pytest.approx([0.9, 0.1])


def test_large_crops_are_averaged_not_skipped(blob_onnx: Path) -> None:
    """One pixel of 7 x 7 would be sampled; thin structures would come and go."""
    truth = np.array([[500.2, 420.0], [300.7, 380.4], [560.3, 260.9]])
    rng = np.random.default_rng(0)
    frame = np.zeros((720, 960, 3), np.uint8)
    for c, (x, y) in zip((2, 1, 0), truth, strict=True):
        dots = rng.normal((x, y), 30, (4000, 2)).round().astype(int)
        dots = np.concatenate([dots, np.round(2 * np.array([x, y]) - dots).astype(int)])
        frame[dots[:, 1], dots[:, 0], c] = 255
    weights = frame.astype(float).sum((0, 1))
    y, x = np.mgrid[:720, :960]
    exact = np.array([[(frame[..., c] * g).sum() / weights[c] for g in (x, y)] for c in (2, 1, 0)])
    model = load_model(blob_onnx, threads=1)
    found = locate(frame, [box(470, 300, 450, 20)], model)[0].xy
    assert found == pytest.approx(exact, abs=0.6)  # 0.09 crop pixels


@pytest.mark.parametrize("side", [40.0, 150.0, 700.0])
def test_a_crop_over_the_edge_is_black_outside(side: float) -> None:
    frame = np.full((100, 120, 3), 200, np.uint8)
    b = box(0, 0, side, 0)
    patch = cut(frame, b, 32)
    inside = apply(crop_to_frame(b, 32), np.stack(np.mgrid[:32, :32][::-1], -1))
    step = side / 32
    surely_in = ((inside > step) & (inside < (119 - step, 99 - step))).all(-1)
    surely_out = ((inside < -step) | (inside > (119 + step, 99 + step))).any(-1)
    assert (patch[surely_in] == 200).all()
    assert (patch[surely_out] == 0).all()


def test_a_crop_beside_the_frame_is_black() -> None:
    frame = np.full((100, 120, 3), 200, np.uint8)
    for side in (30.0, 300.0):
        assert not cut(frame, box(-900, 50, side, 12), 32).any()


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 5, 6, 7, 12])
def test_averaged_is_the_mean_of_its_pixels(factor: int) -> None:
    image = np.random.default_rng(1).integers(0, 256, (factor * 5, factor * 4, 3), np.uint8)
    mean = image.reshape(5, factor, 4, factor, 3).mean((1, 3))
    found = averaged(image, factor)
    assert found.shape == (5, 4, 3)
    assert np.abs(found - mean).max() <= 1.5  # 12 is rounded three times
    uneven = averaged(image[1:], factor) if factor > 1 else image
    assert uneven.shape == (5, 4, 3)


@pytest.mark.parametrize(
    ("centre", "reach", "length", "factor", "span"),
    [
        (50.0, 10.0, 200, 4, (40, 64)),  # 21 pixels, three more after them
        (195.0, 10.0, 200, 4, (184, 200)),  # 15, one more before them
        (2.0, 10.0, 200, 4, (0, 16)),
        (50.0, 300.0, 202, 4, (0, 202)),  # all of the axis, no multiple
        (-50.0, 10.0, 200, 4, (0, 0)),  # outside
        (260.0, 10.0, 200, 4, (0, 0)),
    ],
)
def test_spans_are_multiples_where_there_is_room(
    centre: float, reach: float, length: int, factor: int, span: tuple[int, int]
) -> None:
    assert _span(centre, reach, length, factor) == span


@pytest.mark.parametrize("angle", [0, 45, 90, -30, 200])
@pytest.mark.parametrize("side", [130.0, 200.0, 333.0])
def test_the_averaged_part_covers_the_whole_crop(side: float, angle: float) -> None:
    """No black corner inside a white frame, whatever the turn."""
    frame = np.full((700, 700, 3), 255, np.uint8)
    assert (cut(frame, box(350.3, 340.8, side, angle), 32) == 255).all()


def test_averaging_moves_nothing() -> None:
    """A smooth picture looks the same whether it is averaged first or not, up to the edge."""
    y, x = np.mgrid[:600, :800].astype(np.float32)
    smooth = np.stack([x / 4, y / 3, 128 + 60 * np.sin(x / 90) * np.cos(y / 70)], -1)
    frame = smooth.round().astype(np.uint8)
    b = box(390.2, 301.7, 400, 33)
    plain = cv2.warpAffine(frame, crop_to_frame(b, 64), (64, 64), flags=18)  # inverse map, linear
    assert np.abs(cut(frame, b, 64).astype(int) - plain).max() <= 2


def test_colours() -> None:
    frame = np.zeros((50, 50, 3), np.uint8)
    frame[..., 2] = 200  # red
    rgb = network_input(frame, [box(25, 25, 20, 0)], blob_info())
    assert rgb.shape == (1, 3, SIZE, SIZE) and rgb.dtype == np.float32
    assert rgb[0, :, 32, 32].tolist() == [200, 0, 0]
    gray = network_input(frame, [box(25, 25, 20, 0)], replace(blob_info(), colour="gray"))
    assert gray.shape == (1, 1, SIZE, SIZE)
    assert gray[0, 0, 32, 32] == 60  # 0.299 * 200


def test_one_run_for_all_boxes() -> None:
    objects = [np.add(SHAPE, (70, 60)), np.add(SHAPE, (220, 150))]
    engine = BlobEngine()
    timings = Timings()
    boxes = [box(70, 60, 70, 0), box(220, 150, 70, 10)]
    found = locate(draw_blobs(objects), boxes, Model(engine, blob_info()), timings)
    assert engine.batches == [2]
    for f, b, truth in zip(found, boxes, objects, strict=True):
        assert f.box is b
        assert f.xy == pytest.approx(truth, abs=0.6)
    assert timings.calls == {"detect": 0, "crop": 1, "network": 1, "smooth": 0}


def test_no_box_no_run() -> None:
    engine = BlobEngine()
    assert locate(draw_blobs([]), [], Model(engine, blob_info())) == []
    assert engine.batches == []


@pytest.mark.parametrize(("angle", "roll"), [(0, 20), (30, 50), (170, -170), (-45, -25)])
def test_the_crop_angle_is_roll(tmp_path: Path, angle: float, roll: float) -> None:
    info = replace(blob_info("face"), attributes=(Attribute("pose", (), 3),))
    model = load_model(centroid_onnx(tmp_path / "pose.onnx", info), threads=1)
    found = locate(draw_blobs([np.add(SHAPE, (100, 100))]), [box(100, 100, 60, angle)], model)[0]
    assert found.attributes["pose"] == pytest.approx([10, 5, roll])


def test_wrong_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "no.onnx")
    import onnx

    path = centroid_onnx(tmp_path / "plain.onnx")
    model = onnx.load(path)
    props = {p.key: p.value for p in model.metadata_props}
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "bare.onnx")
    with pytest.raises(ValueError, match=r"bare\.onnx carries no landmark description"):
        load_model(tmp_path / "bare.onnx")
    onnx.helper.set_model_props(model, {"tracker": props["tracker"].replace('"kind"', '"sort"')})
    onnx.save(model, tmp_path / "half.onnx")
    with pytest.raises(ValueError, match="incompletely"):
        load_model(tmp_path / "half.onnx")
    four = replace(blob_info(), landmarks=("a", "b", "c", "d"))
    with pytest.raises(ValueError, match=r"xy as \(1, 4, 2\) and gives \(1, 3, 2\)"):
        load_model(centroid_onnx(tmp_path / "four.onnx", four))
    with pytest.raises(ValueError, match="does not fit the network's input"):
        load_model(centroid_onnx(tmp_path / "size.onnx", replace(blob_info(), size=32)))


@pytest.mark.parametrize(
    ("change", "good"),
    [
        (lambda xy: xy, True),
        (lambda xy: xy * np.nan, False),
        (lambda xy: xy * 0.1 + 90, False),  # 2.8 px in size
        (lambda xy: xy - 130, False),  # outside
        (lambda xy: xy * 10 - 900, True),
    ],
)
def test_plausible(change: Callable[[np.ndarray], np.ndarray], good: bool) -> None:
    xy = change(np.add(SHAPE, (100, 100)).astype(np.float32)).astype(np.float32)
    box = CropBox(np.zeros(2, np.float32), 50.0, 0.0)
    found = Located("hand", box, xy, np.ones(3, np.float32), 1.0, {})
    assert is_plausible(found, np.zeros((300, 300, 3), np.uint8)) is good


def test_collapsed_landmarks_are_not_plausible() -> None:
    box = CropBox(np.zeros(2, np.float32), 400.0, 0.0)
    xy = np.add(SHAPE, (100, 100)).astype(np.float32)  # 28 px in a crop of 400
    found = Located("hand", box, xy, np.ones(3, np.float32), 1.0, {})
    assert not is_plausible(found, np.zeros((300, 300, 3), np.uint8))


def test_the_answer_for_the_crops_own_turn_is_taken() -> None:
    answers = np.eye(8, dtype=np.float32)
    assert at_angle(answers, 90.0).tolist() == answers[2].tolist()
    assert at_angle(answers, -45.0).tolist() == answers[7].tolist()
    assert at_angle(answers, 382.5) == pytest.approx([0.5, 0.5, 0, 0, 0, 0, 0, 0])


def test_what_depends_on_up_and_on_the_view_comes_back_in_the_frame() -> None:
    """A crop turned by 90 degrees: the third answer; a place 'up' in it is to the frame's right."""
    gesture, xyz = Attribute("gesture", ("a", "b"), ups=8), Attribute("xyz", size=9)
    info = replace(blob_info(), attributes=(gesture, xyz))
    table = np.zeros((1, 8, 2), np.float32)
    table[0, 2] = [0.25, 0.75]
    place = np.array([[0, 0, 0, 0, 1, 0.5, 0, 0, 0]], np.float32)
    outputs = {
        "xy": np.zeros((1, 3, 2), np.float32), "score": np.ones((1, 3), np.float32),
        "presence": np.ones(1, np.float32), "gesture": table, "xyz": place,
    }  # fmt: skip
    check_outputs(outputs, info, "a file")
    found = read(outputs, 0, box(10, 10, 20, 90.0), info)
    assert found.attributes["gesture"].tolist() == [0.25, 0.75]
    assert found.attributes["xyz"][3:6] == pytest.approx([1, 0, 0.5], abs=1e-6)
    assert outputs["xyz"].tolist() == place.tolist()  # the network's answer is left alone
    with pytest.raises(ValueError, match="gesture as"):
        check_outputs({**outputs, "gesture": table[:, 0]}, info, "a file")
