"""Presence after a training: limits by hand, a bias that is moved, the crops it is chosen on."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import train.export.presence
from tests.helpers.blobs import (
    add_bare,
    rewrite,
    untrained_checkpoint,
    write_blobs,
    write_config,
)
from tracker.errors import UserError
from train.config import read_config
from train.data.pictures import read_coco
from train.evaluate.outputs import torch_runner
from train.export.presence import (
    STEPS,
    Logits,
    choose_limit,
    exchanged,
    move_presence,
    presence_logits,
)
from train.loop.checkpoint import load_checkpoint, load_model


def logits(objects, wrong):
    return Logits(np.array(objects, float), np.array(wrong, float))


def test_a_limit_keeps_the_stated_share_and_no_other_refuses_more():
    objects = np.arange(200.0)[::-1]  # 99 % of them: two may go, and the last that stays is at 2
    seen = logits(objects, [-5.0, 1.0, 1.4, 2.0, 3.5, 9.0])
    limit = choose_limit(seen, 0.99)
    assert limit == pytest.approx((2 + 1.4) / 2)
    assert seen.shares(limit).kept == 0.99 and seen.shares(limit).passed == 3 / 6
    assert seen.shares(2.0001).kept < 0.99  # a higher one would refuse one more
    assert seen.shares(limit).words == (
        "99.00 % of 200 objects stay, 50.00 % of 6 wrong crops pass"
    )


def test_a_gap_between_both_is_cut_in_the_middle_and_costs_no_object():
    seen = logits([4.0, 6.0, 8.0], [-9.0, -2.0])
    assert choose_limit(seen, 1.0) == 1.0
    few = logits([4.0] * 150, [-2.0])  # half a percent of 150 is less than one object
    assert choose_limit(few, 0.995) == 1.0


def test_presence_that_tells_nothing_is_left_alone():
    with pytest.raises(ValueError, match=r"keeps 99.5 % of the objects refuses a single wrong"):
        choose_limit(logits([1.0, 2.0], [1.0, 3.0]), 0.995)


@pytest.fixture
def blobs(tmp_path):
    """Eight pictures of blobs, two of them held out, and two without any."""
    return add_bare(write_blobs(tmp_path), "train", "hold")


def saved(labels, kind="face", presence=0.1):
    """A checkpoint of an untrained network, whose presence tells what chance has made of it."""
    loss = read_config(write_config(labels.parent)).loss
    return untrained_checkpoint(labels, kind=kind, loss=replace(loss, presence=presence))


def test_crops_are_of_one_side_and_half_of_them_wrong(blobs):
    spec = read_config(write_config(blobs.parent))
    data, seen = read_coco(blobs), []

    def run(batch):
        seen.extend(zip(batch.rows, batch.present.tolist(), strict=True))
        return {"presence": 0.25 + 0.5 * batch.present.double().numpy()}

    found = presence_logits(run, data, spec)
    assert len(found.objects) == 6 * STEPS  # each once a step: there are no more
    assert len(found.wrong) == 32 * STEPS
    np.testing.assert_allclose(found.objects, np.log(3))  # of 0.75
    np.testing.assert_allclose(found.wrong, -np.log(3))
    assert {row for row, present in seen if present} == set(range(6))
    assert {row for row, present in seen if not present} == {8, *(~row for row in range(6))}
    near = sum(row < 0 for row, _ in seen)
    assert near == 16 * STEPS  # half of the wrong ones
    seen.clear()
    presence_logits(run, exchanged(data), spec)
    assert {row for row, _ in seen} == {6, 7, 9, ~6, ~7}


def test_crops_are_moved_and_not_disturbed(blobs, monkeypatch):
    monkeypatch.setattr(train.export.presence, "STEPS", 1)
    spec, data = read_config(write_config(blobs.parent)), read_coco(blobs)

    def images(**augment):
        found = []

        def run(batch):
            found.append(batch.image.numpy())
            return {"presence": np.full(len(batch.image), 0.5)}

        presence_logits(run, data, replace(spec, augment=replace(spec.augment, **augment)))
        return np.concatenate(found)

    plain = images()
    hard = images(colour=2.0, blur=1.0, occlude=1.0, dark=1.0, jpeg=1.0, far=1.0, cut=1.0)
    np.testing.assert_array_equal(plain, hard)
    assert (images(shift=0.1) != plain).any()


@pytest.mark.parametrize("kind", ["hand", "face"])
def test_only_the_bias_of_presence_is_moved(blobs, kind):
    source, out = saved(blobs, kind), blobs.parent / "new" / "moved.safetensors"
    moved = move_presence(source, [blobs], 0.9, out)
    before, after = load_checkpoint(source), load_checkpoint(out)
    ours, theirs = before.part("ema"), after.part("ema")
    changed = [k for k in ours if not torch.equal(ours[k], theirs[k])]
    assert changed == ["presence.bias"]
    assert float(theirs["presence.bias"] - ours["presence.bias"]) == pytest.approx(moved.by)
    assert after.step == 7 and after.extra["licence"] == "CC0"
    assert after.extra["presence"]["by"] == moved.by
    assert after.extra["presence"]["after"]["kept"] == moved.after.kept
    model, found = load_model(out)
    again = presence_logits(torch_runner(model), read_coco(blobs), found.spec)
    now = again.shares(0.0)
    assert now.kept == pytest.approx(moved.after.kept, abs=1e-3)
    assert now.kept >= 0.9 and moved.before.kept != moved.after.kept
    assert now.passed == pytest.approx(moved.after.passed, abs=1e-3) and now.passed < 1
    assert moved.held_after is not None and moved.held_after.objects == 2 * STEPS


def test_without_a_hold_out_the_training_pictures_alone_are_told(blobs):
    rewrite(blobs, lambda body: [image.update(split="train") for image in body["images"]])
    moved = move_presence(saved(blobs), [blobs], 0.9, blobs.with_name("moved.safetensors"))
    assert moved.held_before is None and moved.held_after is None


def test_refuses_what_cannot_be_moved(blobs):
    source, out = saved(blobs), blobs.with_name("moved.safetensors")
    with pytest.raises(ValueError, match=r"lies in \(0, 1\], found 99.5"):
        move_presence(source, [blobs], 99.5, out)
    with pytest.raises(UserError, match="is the input itself and would be lost"):
        move_presence(source, [blobs], 0.9, source)
    with pytest.raises(ValueError, match="was trained without presence"):
        move_presence(saved(blobs, presence=0.0), [blobs], 0.9, out)
    rewrite(blobs, lambda body: body["categories"][0]["keypoints"].__setitem__(0, "pink"))
    source = saved(write_blobs(blobs.parent / "other"))
    with pytest.raises(ValueError, match="has other landmarks than the labels"):
        move_presence(source, [blobs], 0.9, out)
    assert not out.exists()
