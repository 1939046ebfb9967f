"""Scores after a fine-tuning: the base's curve where little is held out, else the hold-out."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.helpers.blobs import write_blobs, write_config
from train.config import read_config
from train.data.pictures import DataSet, read_coco
from train.evaluate.outputs import Outputs, Prior, fit_calibration, right_points
from train.finetune.calibrate import PRIOR, Scores, calibrate
from train.loop.checkpoint import build_model, load_checkpoint, save_checkpoint

CURVE = (-13.75, 5.28)  # of a bundled model


def points(n, curve, seed=0, k=21):
    """Outputs of n objects whose points are right as often as the curve says."""
    rng = np.random.default_rng(seed)
    spread = np.exp(rng.uniform(1.65, 3.25, (n, k)))
    right = rng.random((n, k)) < 1 / (1 + np.exp(-(curve[0] - curve[1] * np.log(spread / 128))))
    corners = rng.uniform(0, 100, (n, k, 2))
    corners[:, 0], corners[:, 1] = 0, 100  # a box of 100 px: 5 px are right
    xy = corners + np.stack([np.where(right, 1.0, 20.0), np.zeros((n, k))], -1)
    every = np.ones((n, k), bool)
    return Outputs(np.arange(n), xy, spread, spread, np.ones(n), {}, corners, every, {})


def at(curve, width=8.0):
    return 1 / (1 + np.exp(-(curve[0] - curve[1] * np.log(width / 128))))


def test_without_evidence_the_prior_comes_back():
    out = points(6, CURVE)
    out = replace(out, labelled=np.zeros_like(out.labelled))
    found = fit_calibration(out, 128, prior=Prior(*CURVE, 20 / 6))
    assert found == pytest.approx(CURVE, abs=0.05)
    assert fit_calibration(out, 128) == (-6.0, 2.0)


def test_few_objects_bend_the_curve_a_little_and_many_make_their_own():
    hard = (-16.0, 5.28)  # the clip's points are right less often at the same width
    truth, base = at(hard), at(CURVE)
    assert base - truth > 0.4
    bent = {}
    for n in (3, 20, 2000):
        found = fit_calibration(points(n, hard), 128, prior=Prior(*CURVE, PRIOR / n))
        bent[n] = (base - at(found)) / (base - truth)
    assert 0.0 < bent[3] < 0.3
    assert 0.3 < bent[20] < 0.8
    assert bent[2000] > 0.95


@pytest.fixture
def blobs(tmp_path):
    write_blobs(tmp_path, 12, hold=6)
    spec = replace(read_config(write_config(tmp_path, steps=1)), threads=1)
    return read_coco(tmp_path / "labels.json"), spec, tmp_path


STARTS = [-5.0, 2.0]  # the curve of the start below: half of its points are hollow


def saved(blobs, name, sharper=600.0):
    """A checkpoint of seed 0 whose heats are sharper by a factor, with a curve of its own."""
    data, spec, folder = blobs
    torch.manual_seed(0)
    model = build_model(spec, data.markup)
    state = model.state_dict()
    for key in state:
        if key.startswith("net.head"):
            state[key] = state[key] * sharper
    model.load_state_dict(state)
    model.calibration.copy_(torch.tensor(STARTS if name == "start" else [3.0, 1.0]))
    path = folder / f"{name}.safetensors"
    save_checkpoint(path, spec, data.markup, 7, None, model, None, {"licence": "x"})
    return path


def without_labels(data):
    """Nothing held out is labelled."""
    examples = (
        replace(e, labelled=np.zeros_like(e.labelled)) if e.hold else e for e in data.examples
    )
    return DataSet(data.markup, tuple(examples), data.cache)


def test_wider_heats_alone_do_not_make_points_hollow(blobs):
    data, spec, _ = blobs
    start, final = saved(blobs, "start"), saved(blobs, "final", sharper=300.0)
    found = calibrate(start, final, without_labels(data), spec, True)
    assert found.objects == 0
    assert 0.2 < found.hollow_before < 0.8
    assert found.hollow_shown == pytest.approx(found.hollow_before, abs=0.01)  # nothing bends it
    assert found.hollow == pytest.approx(found.hollow_before, abs=0.15)
    kept = load_checkpoint(final)
    a, b = kept.part("ema")["calibration"].tolist()
    assert b == pytest.approx(2.0, abs=0.1)  # the slope of the start
    assert a == pytest.approx(STARTS[0] + 2.0 * 0.98, abs=0.3)  # moved with the widths
    assert kept.step == 7 and kept.extra["licence"] == "x"


def test_the_same_weights_keep_their_curve(blobs):
    data, spec, _ = blobs
    start, final = saved(blobs, "start"), saved(blobs, "final")
    found = calibrate(start, final, without_labels(data), spec, True)
    assert load_checkpoint(final).part("ema")["calibration"].tolist() == pytest.approx(
        STARTS, abs=0.05
    )
    assert found.hollow == found.hollow_before == found.hollow_shown


def test_held_out_points_that_are_wrong_lower_the_scores(blobs):
    data, spec, _ = blobs
    start, final = saved(blobs, "start"), saved(blobs, "final")
    calibrate(start, final, without_labels(data), spec, True)
    believed = load_checkpoint(final).part("ema")["calibration"]
    found = calibrate(start, final, data, spec, True)  # untrained: nearly all are wrong
    assert found.objects == 6 and found.groups == 6  # each picture is a group of its own
    now = load_checkpoint(final).part("ema")["calibration"]
    assert at(now.tolist(), 10.0) < at(believed.tolist(), 10.0)


def test_what_a_too_sure_start_hid_is_no_loss_of_the_training(blobs):
    data, spec, _ = blobs
    start, final = saved(blobs, "start"), saved(blobs, "final")
    found = calibrate(start, final, data, spec, True)  # the same weights, nearly all points wrong
    assert found.hollow_shown < found.hollow - 0.05  # the hold-out says that the curve is too sure
    assert found.hollow_before == pytest.approx(found.hollow, abs=0.005)
    assert found.right < 0.1 < found.expected
    assert f"{100 * found.right:.0f} % are)" in found.words


def test_right_points_by_hand():
    out = points(2, CURVE, k=3)
    target = np.array([[[0.0, 0.0], [100.0, 40.0], [50.0, 20.0]]] * 2)
    xy = target + np.array([[[5.0, 0.0]], [[0.0, 5.1]]])  # 5 % of the longer side, and more
    labelled = np.array([[True, True, False], [True, True, True]])
    found = right_points(replace(out, xy=xy, target=target, labelled=labelled))
    assert found[0, :2].tolist() == [1, 1] and np.isnan(found[0, 2])
    assert found[1].tolist() == [0, 0, 0]


def test_what_is_said():
    assert Scores(24, 8, 0.184, 0.182, 0.171, 0.8, 0.8).words == (
        "scores: from the base's curve and 24 held-out objects, which count as 8; "
        "hollow points 18 -> 17 %"
    )
    assert Scores(24, 8, 0.06, 0.08, 0.07, 0.84, 0.77).words == (
        "scores: from the base's curve and 24 held-out objects, which count as 8; "
        "hollow points 8 -> 7 % (6 % by the base's own curve, which expects 84 % of its "
        "held-out points to be right; 77 % are)"
    )
    assert Scores(0, 0, 0.2, 0.2, 0.2).words == (
        "scores: from the base's curve; hollow points 20 -> 20 %"
    )
