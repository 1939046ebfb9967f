"""A head that learns on: the rest of the network stays, the hold-out's error falls."""

import json

import pytest
import torch

from tests.helpers.blobs import rewrite, untrained_checkpoint, write_blobs
from tracker.errors import UserError
from tracker.find.model_file import Attribute
from train.config import AugmentSpec
from train.data.pictures import read_coco
from train.evaluate.outputs import operating_points, predict, torch_runner
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


def named(blobs):
    """The blobs' labels say a gesture: which of the two ends is the red one's."""

    def name(body):
        for label in body["annotations"]:
            order = label["attributes"].pop("order")
            label["attributes"]["gesture"] = "fist" if order == "red_left" else "palm"

    return rewrite(blobs, name)


def gestures(blobs, shown_at=0.6, sure=9.0, **more):
    """A checkpoint that tells `named` gestures, with what it keeps beside its weights; all scores
    are those of `sure`, a logit."""
    still = AugmentSpec(rotate=0.0, flip=0.0, colour=0.0, blur=0.0, occlude=0.0)
    head = Head(Attribute("gesture", ("none", "palm", "fist")))
    path = untrained_checkpoint(blobs, heads=(head,), augment=still, shown_at=shown_at)
    found = load_checkpoint(path)
    model, _ = load_model(path)
    model.calibration.copy_(torch.tensor([sure, 0.0]))
    save_checkpoint(path, found.spec, found.markup, 7, None, model, None, more)
    return path


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr("train.export.learn_head.EPOCHS", 300)
    monkeypatch.setattr("train.export.learn_head.BATCH", 8)


def test_classes_learn_on_and_a_few_held_out_choose_no_point(tmp_path, quick):
    blobs = named(write_blobs(tmp_path, count=16, hold=8))
    source, out = gestures(blobs), blobs.with_name("out.safetensors")
    learnt = learn_head(source, [blobs], "gesture", 1, out)
    before, after = load_checkpoint(source), load_checkpoint(out)
    ours, theirs = before.part("ema"), after.part("ema")
    assert all(torch.equal(ours[k], theirs[k]) for k in ours if not k.startswith("heads."))
    model, found = load_model(out)
    data = read_coco(blobs)
    run = predict(torch_runner(model), data, data.rows(hold=True), found.spec)
    wrong = (run.attributes["gesture"].argmax(1) != run.truth["gesture"]).mean()
    assert wrong == learnt.after < learnt.before
    assert after.extra["operating_points"] == {}  # eight held out are too few to choose any


def test_operating_points_are_chosen_anew_on_the_hold_out(tmp_path, quick):
    blobs = named(write_blobs(tmp_path, count=48, hold=32))
    source = gestures(blobs, operating_points={"fist": 0.987})
    out = blobs.with_name("out.safetensors")
    learn_head(source, [blobs], "gesture", 1, out)
    model, found = load_model(out)
    data = read_coco(blobs)
    run = predict(torch_runner(model), data, data.rows(hold=True), found.spec)
    truth, guess = run.truth["gesture"], run.attributes["gesture"]
    points = operating_points(truth, guess, ("none", "palm", "fist"), 0.6, run.is_read)
    assert points and found.extra["operating_points"] == pytest.approx(points, abs=2e-3)


def test_hands_that_the_tracker_does_not_read_choose_no_point(tmp_path):
    blobs = named(write_blobs(tmp_path, count=48, hold=32))
    source, out = gestures(blobs, sure=-9.0), blobs.with_name("out.safetensors")
    learn_head(source, [blobs], "gesture", 0, out)
    assert load_checkpoint(out).extra["operating_points"] == {}


def test_operating_points_need_a_hold_out(blobs, quick):
    def all_learnt(body):
        for image in body["images"]:
            image["split"] = "train"

    rewrite(named(blobs), all_learnt)
    source = gestures(blobs, operating_points={"fist": 0.987})
    with pytest.raises(ValueError, match="no held-out picture says its gesture, and operating"):
        learn_head(source, [blobs], "gesture", 1, blobs.with_name("out.safetensors"))


def test_points_of_a_training_that_chose_none_do_not_outlive_their_head(blobs, quick):
    source = gestures(named(blobs), shown_at=0.0, operating_points={"fist": 0.987})
    out = blobs.with_name("out.safetensors")
    learn_head(source, [blobs], "gesture", 1, out)
    assert "operating_points" not in load_checkpoint(out).extra


def test_without_a_look_only_the_points_are_chosen(tmp_path):
    blobs = named(write_blobs(tmp_path, count=48, hold=32))
    source, out = gestures(blobs), blobs.with_name("out.safetensors")
    learnt = learn_head(source, [blobs], "gesture", 0, out)
    before, after = load_checkpoint(source), load_checkpoint(out)
    ours, theirs = before.part("ema"), after.part("ema")
    assert all(torch.equal(ours[k], theirs[k]) for k in ours)
    assert learnt.before == learnt.after and learnt.crops == 0
    model, found = load_model(out)
    data = read_coco(blobs)
    run = predict(torch_runner(model), data, data.rows(hold=True), found.spec)
    truth, guess = run.truth["gesture"], run.attributes["gesture"]
    points = operating_points(truth, guess, ("none", "palm", "fist"), 0.6, run.is_read)
    assert after.extra["operating_points"] == pytest.approx(points, abs=2e-3)
