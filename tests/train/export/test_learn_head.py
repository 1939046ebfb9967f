"""A head that learns on: the rest of the network stays, the hold-out's error falls."""

import json

import pytest
import torch

from tests.helpers.blobs import rewrite, untrained_checkpoint, write_blobs
from tracker.errors import UserError
from tracker.find.model_file import Attribute
from train.config import AugmentSpec
from train.data.pictures import read_coco
from train.evaluate.outputs import predict, torch_runner
from train.export.learn_head import learn_head
from train.loop.checkpoint import load_checkpoint, load_model, save_checkpoint
from train.networks.model import Head

POSE = [24.0, -12.0, 3.0]


@pytest.fixture
def blobs(tmp_path):
    """Eight pictures of blobs, two of them held out, all with one yaw, pitch and roll."""

    def pose(body):
        for label in body["annotations"]:
            label["attributes"]["pose"] = POSE

    return rewrite(write_blobs(tmp_path), pose)


def saved(labels, *heads):
    """A checkpoint of an untrained network with these heads; its crops are neither turned nor
    mirrored, so that a pose stays what it is.
    """
    still = AugmentSpec(rotate=0.0, flip=0.0, colour=0.0, blur=0.0, occlude=0.0)
    return untrained_checkpoint(labels, heads=heads, augment=still)


@pytest.mark.parametrize("source", ["landmarks", "both"])
def test_one_head_learns_and_all_else_stays(blobs, source, monkeypatch):
    monkeypatch.setattr("train.export.learn_head.EPOCHS", 400)
    monkeypatch.setattr("train.export.learn_head.BATCH", 8)
    both = Head(Attribute("pose", size=3), source), Head(Attribute("order", ("red_left",
                "red_right")))  # fmt: skip
    source, out = saved(blobs, *both), blobs.parent / "new" / "learnt.safetensors"
    told = []
    learnt = learn_head(source, [blobs], "pose", 2, out, lambda done, of: told.append((done, of)))
    before, after = load_checkpoint(source), load_checkpoint(out)
    ours, theirs = before.part("ema"), after.part("ema")
    changed = {k for k in ours if not torch.equal(ours[k], theirs[k])}
    assert changed and all(k.startswith("heads.pose.") for k in changed)
    assert learnt.crops == 12 and after.step == 7 and after.extra["licence"] == "CC0"
    assert after.extra["heads_learnt_on"]["after"] == learnt.after
    assert learnt.before > 10 and learnt.after < 1.5  # degrees; it knew nothing of any pose
    assert [of for _, of in told] == [told[-1][0]] * len(told)
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    model, found = load_model(out)
    data = read_coco(blobs)
    run = predict(torch_runner(model), data, data.rows(hold=True), found.spec)
    error = abs(run.attributes["pose"] - run.truth["pose"]).mean()
    assert error == pytest.approx(learnt.after, abs=1e-3)


def test_what_cannot_learn_on_says_why(blobs):
    heads = (
        Head(Attribute("pose", size=3), "image"),
        Head(Attribute("order", ("red_left", "red_right"))),
        Head(Attribute("place", size=3)),
    )
    source, out = saved(blobs, *heads), blobs.with_name("out.safetensors")
    for name, words in {
        "smile": "no head 'smile'; its heads are pose, order, place",
        "pose": "reads image",
        "place": "no training picture says its place",
    }.items():
        with pytest.raises(ValueError, match=words):
            learn_head(source, [blobs], name, 1, out)
    with pytest.raises(UserError):
        learn_head(source, [blobs], "place", 1, blobs)
    assert not out.exists() and "images" in json.loads(blobs.read_text())


def test_classes_learn_on_where_none_has_an_operating_point(blobs, monkeypatch):
    monkeypatch.setattr("train.export.learn_head.EPOCHS", 300)
    monkeypatch.setattr("train.export.learn_head.BATCH", 8)

    def named(body):
        for label in body["annotations"]:
            label["attributes"]["gesture"] = "fist"

    rewrite(blobs, named)
    source = saved(blobs, Head(Attribute("gesture", ("palm", "fist"))))
    out = blobs.with_name("out.safetensors")
    learnt = learn_head(source, [blobs], "gesture", 1, out)
    assert learnt.after == 0.0
    found = load_checkpoint(source)
    model, _ = load_model(source)
    extra = {"operating_points": {"fist": 0.7}}
    save_checkpoint(source, found.spec, found.markup, 7, None, model, None, extra)
    with pytest.raises(ValueError, match="operating points of 'gesture' would no longer hold"):
        learn_head(source, [blobs], "gesture", 1, out)
