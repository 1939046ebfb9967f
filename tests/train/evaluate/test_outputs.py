"""Evaluation: a perfect and a shifted answer give the numbers one can work out by hand."""

from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.helpers.blobs import write_blobs, write_config
from train.config import DataSpec, read_config
from train.data.pictures import read_coco
from train.evaluate.outputs import (
    Outputs,
    check_pair,
    counted,
    fit_calibration,
    operating_points,
    predict,
    shape_errors,
    shown,
    summarise,
)
from train.evaluate.report import choose_rows, open_model
from train.loop.checkpoint import build_model, save_checkpoint
from ui.commands.train import app


@pytest.fixture
def blobs(tmp_path):
    return read_coco(write_blobs(tmp_path)), read_config(write_config(tmp_path))


def answer(shift: float):
    """A runner that knows the truth and is off by `shift` crop pixels along x."""

    def run(batch):
        n, k = batch.labelled.shape
        order = batch.attributes["order"].numpy()
        return {
            "xy": batch.xy.double().numpy() + np.array([shift, 0.0]),
            "score": np.ones((n, k)),
            "presence": np.ones(n),
            "order": np.eye(2)[order],
        }

    return run


def test_how_many_pictures_are_done_is_told(blobs):
    data, spec = blobs
    told = []
    found = predict(counted(answer(0.0), told.append), data, data.rows(True), spec, batch=1)
    assert told == [1, 2] and len(found.xy) == 2


def test_perfect_answer(blobs):
    data, spec = blobs
    found = summarise(predict(answer(0.0), data, data.rows(True), spec), data, spec)
    assert found["images"] == 2
    assert found["nme"] == 0.0
    assert (found["pck@0.1"], found["auc@10%"]) == (1.0, 1.0)
    assert found["attributes"]["order"]["accuracy"] == 1.0


def test_shifted_answer_over_the_box(blobs):
    """Crops are 1.35 times the box of the points, 64 px wide: the box is 64 / 1.35 px long."""
    data, spec = blobs
    found = summarise(predict(answer(3.0), data, data.rows(True), spec), data, spec)
    assert found["nme"] == pytest.approx(100 * 3 / (64 / 1.35), abs=1e-3)
    assert set(found["per_landmark_nme"]) == {"red", "green", "blue", "white"}


@pytest.mark.parametrize("pair", [(1,), (0, 4), (-1, 2), (2, 2), (0, 1, 2)])
def test_normalisers_that_are_no_two_landmarks(blobs, pair):
    data, spec = blobs
    found = ",".join(map(str, pair))
    with pytest.raises(ValueError, match=f"two different .* from 0 to 3, found {found}"):
        check_pair(pair, 4)
    spec = replace(spec, data=DataSpec(normaliser=pair))
    out = predict(answer(0.0), data, data.rows(True), spec)
    with pytest.raises(ValueError, match=f"found {found}"):
        summarise(out, data, spec)


@pytest.mark.parametrize(
    "given,message",
    [
        ("1", "takes two indices (36,45), found '1'"),
        ("one,two", "takes two indices (36,45), found 'one,two'"),
        ("1,40", "from 0 to 3, found 1,40"),
    ],
)
def test_normalisers_on_the_command_line(blobs, tmp_path, monkeypatch, given, message):
    data, spec = blobs
    model = tmp_path / "m.safetensors"
    save_checkpoint(model, spec, data.markup, 0, None, build_model(spec, data.markup), None)
    monkeypatch.setattr("train.evaluate.report.predict", None)  # it is refused before that
    words = ["evaluate", str(model), str(tmp_path / "labels.json"), "--normaliser", given]
    found = CliRunner().invoke(app, words)
    assert isinstance(found.exception, ValueError) and message in str(found.exception)


def test_normalisers_that_are(blobs):
    data, spec = blobs
    check_pair((), 4)
    spec = replace(spec, data=DataSpec(normaliser=(0, 3)))
    found = summarise(predict(answer(0.0), data, data.rows(True), spec), data, spec)
    assert found["normaliser"] == "distance red to white"


@pytest.mark.parametrize(("a", "b", "logs"), [(-5.0, 2.0, (0, 3)), (-13.75, 5.28, (1.65, 3.25))])
def test_calibration_recovers_the_probability_of_being_right(a, b, logs):
    """The second as a trained network's: the steps towards it swung between -4 and 4 for ever."""
    rng = np.random.default_rng(0)
    n, k = 4000, 5
    spread = np.exp(rng.uniform(*logs, (n, k)))
    right = rng.random((n, k)) < 1 / (1 + np.exp(-(a - b * np.log(spread / 128))))
    target = np.tile(np.array([[0, 0], [100, 0], [0, 100], [100, 100], [50, 50]], float), (n, 1, 1))
    xy = target + np.stack([np.where(right, 1.0, 20.0), np.zeros((n, k))], -1)  # 5 % of 100 is 5
    out = Outputs(
        np.arange(n), xy, spread, spread, np.ones(n), {}, target, np.ones((n, k), bool), {}
    )
    found = fit_calibration(out, 128)
    assert found[0] == pytest.approx(a, abs=0.3)
    assert found[1] == pytest.approx(b, abs=0.1)


def test_rows_by_field(blobs):
    data, _ = blobs
    assert choose_rows(data, "hold", []) == [6, 7]
    assert choose_rows(data, "all", ["group=g2"]) == [2]
    with pytest.raises(ValueError, match="no example fits"):
        choose_rows(data, "hold", ["group=g2"])
    with pytest.raises(ValueError, match="takes quality"):
        choose_rows(data, "hold", ["colour=red"])


def test_foreign_model_file_is_refused(tmp_path):
    import onnx
    from onnx import TensorProto, helper

    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [x], [y])
    path = tmp_path / "foreign.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), path)
    with pytest.raises(ValueError, match="carries no landmark description"):
        open_model(path)


@pytest.mark.parametrize("content", [b"", b"no network", b"\x08\x07"])
def test_broken_model_file_is_refused(tmp_path, content):
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.onnx is not a network .* 'train export'"):
        open_model(path)


def test_places_in_space_are_compared_without_their_mean():
    truth = np.array([[0.0, 0, 0, 1, 0, 0]])
    moved = truth + np.tile([5.0, -2.0, 1.0], 2)
    assert shape_errors(moved, truth).tolist() == [0.0]
    longer = np.array([[0.0, 0, 0, 3, 0, 0]])  # each end 1 too far from the middle
    assert shape_errors(longer, truth).tolist() == [1.0]


def test_qualities_are_reported_apart(blobs):
    data, spec = blobs
    rows = data.rows(True)
    plain = summarise(predict(answer(1.0), data, rows, spec), data, spec)
    assert plain["nme_by_quality"] == {}
    named = [replace(e, quality="exact" if i == rows[0] else "teacher")
             for i, e in enumerate(data.examples)]  # fmt: skip
    data = replace(data, examples=tuple(named))
    found = summarise(predict(answer(1.0), data, rows, spec), data, spec)
    each = [summarise(predict(answer(1.0), data, [r], spec), data, spec)["nme"] for r in rows]
    assert found["nme_by_quality"] == pytest.approx({"exact": each[0], "teacher": each[1]})


def test_operating_points_by_hand():
    """Shown as a with .9, .85, .84 and .8 right, .7 wrong, .6 right: 5 of 6 right from .6, 4 of 4
    from .8. The one whose class is unknown does not count. Three that are told make no point.
    """
    classes = ("none", "a", "b")
    p = [0.9, 0.85, 0.84, 0.8, 0.7, 0.6, 0.95, *[0.1] * 7]
    truth = np.array([1, 1, 1, 1, 0, 1, -1, *[1] * 7])
    guess = np.column_stack([1 - np.array(p), p, np.zeros(len(p))])
    assert operating_points(truth, guess, classes, 0.97) == {"a": 0.8}  # of b nothing is known
    assert operating_points(truth, guess, classes, 0.75) == {"a": 0.6}
    assert operating_points(truth[1:], guess[1:], classes, 0.97) == {}
    assert shown(truth, guess, classes, {"a": 0.8}) == {"a": (4 / 12, 1.0, 12)}
    assert shown(truth, guess, classes, {"a": 0.6}) == {"a": (5 / 12, 5 / 6, 12)}
    read = np.array(p) != 0.7  # from landmarks that lie badly the tracker reads no gesture
    assert operating_points(truth, guess, classes, 0.97, read) == {"a": 0.6}
    assert shown(truth, guess, classes, {"a": 0.6}, read) == {"a": (5 / 12, 1.0, 12)}
    read[0] = False  # an example all the same, which is not shown
    assert shown(truth, guess, classes, {"a": 0.6}, read) == {"a": (4 / 12, 1.0, 12)}
    wrong = np.array([0, 0, 0, 0, 0, 0, -1, *[0] * 7, *[1] * 9])  # never right
    more = np.vstack([guess, guess[7:], guess[7:9]])
    assert operating_points(wrong, more, classes, 0.97) == {}
