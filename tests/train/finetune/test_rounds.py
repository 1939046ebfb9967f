"""Self-training in rounds and what the hold-out chooses, on blobs and a tiny network."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.helpers.blobs import write_blobs, write_config
from train.config import read_config
from train.data.pictures import DataSet, read_coco
from train.data.pseudo_labels import PseudoLabels, ViewSpec, kept_pseudo_labels
from train.finetune import auto, rounds
from train.finetune.auto import cost, judge, train_auto, with_elt
from train.finetune.choices import Choice
from train.finetune.rounds import RoundsSpec, round_spec, train_rounds, with_steps
from train.finetune.stages import Course, add_log
from train.loop.checkpoint import load_checkpoint

SHARES = {"first": 0.4, "looking": 0.1}
ANY = ViewSpec(count=3, agree=50.0, limit=90.0)  # every point counts


@pytest.fixture
def course(tmp_path):
    """Two labelled pictures, four without labels, two held out; 20 steps."""
    whole = read_coco(write_blobs(tmp_path))
    examples = [
        replace(e, labelled=np.zeros(4, bool)) if 2 <= i < 6 else e
        for i, e in enumerate(whole.examples)
    ]
    spec = read_config(write_config(tmp_path, steps=20))
    loss = replace(spec.loss, alpha=0.0, attribute=0.0, elt_share=0.5)
    spec = replace(
        spec, heads=(), loss=loss, keep="best", evaluate_every=5,
        data=replace(spec.data, files=(), labelled_share=1.0),
    )  # fmt: skip
    (tmp_path / "run").mkdir()
    return Course(spec, DataSet(whole.markup, tuple(examples)), tmp_path / "run", None)


def weights(path):
    return load_checkpoint(path).part("ema")


def same(a, b):
    return all(torch.equal(v, b[k]) for k, v in a.items())


def stages(course):
    return sorted(p.name for p in course.stages.iterdir())


def falling(monkeypatch, *values):
    """The hold-out's errors of the trainings, in their order of the file system's names."""
    at = dict(values)
    monkeypatch.setattr(rounds, "hold_badness", lambda path: at[path.parent.name])
    monkeypatch.setattr(auto, "hold_badness", lambda path: at[path.parent.name])


def test_rounds_go_on_while_the_hold_out_gains(course, monkeypatch):
    said = []
    course = replace(course, say=said.append)
    falling(monkeypatch, ("labels", 9.0), ("round1", 8.0), ("round2", 8.5))
    final = train_rounds(course, RoundsSpec(most=3, views=ANY))
    assert stages(course) == ["labels", "round1", "round1_labels.npz", "round2",
                              "round2_labels.npz"]  # fmt: skip
    assert same(weights(final), weights(course.stages / "round1" / "model.safetensors"))
    assert "round 1: 9.00 -> 8.00 % on the hold-out" in said
    assert "round 2: 8.00 -> 8.50 % on the hold-out" in said


def test_the_labels_alone_stay_where_no_round_gains(course, monkeypatch):
    falling(monkeypatch, ("labels", 7.0), ("round1", 7.0))
    final = train_rounds(course, RoundsSpec(views=ANY))
    assert same(weights(final), weights(course.stages / "labels" / "model.safetensors"))


def test_a_hold_out_that_cannot_tell_gives_one_round(course):
    course = replace(course, spec=replace(course.spec, keep="last"))
    final = train_rounds(course, RoundsSpec(most=3, views=ANY, **SHARES))
    assert stages(course) == ["labels", "round1", "round1_labels.npz"]
    assert same(weights(final), weights(course.stages / "round1" / "model.safetensors"))
    found = load_checkpoint(final)
    assert (found.step, "before" in found.extra) == (20, False)
    assert load_checkpoint(course.stages / "labels" / "last.safetensors").step == 8
    assert load_checkpoint(course.stages / "round1" / "last.safetensors").step == 11  # one: looking
    found = kept_pseudo_labels(course.stages / "round1_labels.npz")
    assert found is not None and set(found.rows.tolist()) <= {2, 3, 4, 5}


def test_as_many_pictures_are_labelled_as_the_time_allows(course, monkeypatch):
    seen = []

    def label(_model, _data, rows, *_):
        seen.append(rows)
        zeros = np.zeros((len(rows), 4), np.float32)
        return PseudoLabels(np.array(rows), np.full((len(rows), 4, 2), 9, np.float32), zeros)

    monkeypatch.setattr(rounds, "label_pictures", label)
    monkeypatch.setattr(rounds, "load_model", lambda _: (torch.nn.Identity(), None))
    course.stages.mkdir()
    views = ViewSpec(count=6)
    rounds.look(course, views, course.out, 1, 1)  # a step of 4 pictures: 12 views
    rounds.look(course, views, course.out, 2, 5)
    assert len(seen[0]) == 2 and set(seen[0]) < {2, 3, 4, 5} and seen[1] == [2, 3, 4, 5]
    rounds.look(course, views, course.out, 2, 5)  # kept
    assert len(seen) == 2


def test_a_network_that_is_sure_of_nothing_teaches_nothing(course):
    said = []
    course = replace(course, say=said.append)
    none = ViewSpec(count=3, agree=0.0, limit=1e-6)
    final = train_rounds(course, RoundsSpec(views=none))
    assert "round 1: the network is sure of no point of the unlabelled pictures" in said
    assert same(weights(final), weights(course.stages / "labels" / "model.safetensors"))


@pytest.mark.parametrize("at", [3, 10, 16])
def test_a_killed_run_goes_on_as_if_nothing_had_been(course, tmp_path, at):
    spec = RoundsSpec(most=1, views=ANY, **SHARES)
    whole = train_rounds(course, spec)

    def kill(p):
        if p.step == at:
            raise RuntimeError("killed")

    cut = replace(course, out=tmp_path / "cut", report=kill)
    cut.out.mkdir()
    with pytest.raises(RuntimeError, match="killed"):
        train_rounds(cut, spec)
    assert json.loads((cut.out / "progress.json").read_text())["state"] == "failed"
    resumed = train_rounds(replace(cut, report=lambda _: None), spec)
    assert same(weights(resumed), weights(whole))
    state = json.loads((cut.out / "progress.json").read_text())
    assert (state["state"], state["step"], state["steps"]) == ("done", 20, 20)
    both = [list(csv.DictReader((c.out / "metrics.csv").open())) for c in (course, cut)]
    assert both[0] == both[1]
    assert [int(r["step"]) for r in both[0]] == [5, 8, 14, 19, 20]


def test_half_of_a_rounds_batch_stays_labelled_by_hand(course):
    quality = lambda names: DataSet(course.data.markup, tuple(  # noqa: E731
        replace(e, quality=q) for e, q in zip(course.data.examples, names, strict=False)
    ))  # fmt: skip
    some = quality(["labelled", "labelled", "pseudo", "unlabelled"])
    made = round_spec(course.spec, some, 0.5)
    assert made is not None and made.data.shares == {"labelled": 0.5, "pseudo": 0.5}
    elt = round_spec(with_elt(course.spec), some, 0.5)
    assert elt is not None
    assert elt.data.shares == {"labelled": 0.5, "pseudo": 0.25, "unlabelled": 0.25}
    assert round_spec(course.spec, quality(["labelled"] * 4), 0.5) is None


def test_fewer_steps_are_evaluated_as_often():
    spec = with_steps(replace(read_spec(), warmup=50, evaluate_every=40, checkpoint_every=100), 30)
    assert (spec.steps, spec.evaluate_every, spec.checkpoint_every, spec.warmup) == (30, 30, 30, 3)


def read_spec():
    from train.config import FitSpec

    return FitSpec()


def test_rows_after_the_step_at_which_a_training_begins_are_its_own(tmp_path):
    whole, part = tmp_path / "whole.csv", tmp_path / "part.csv"
    whole.write_text("step,hold_nme\n5,9\n10,8\n15,7\n")
    part.write_text("step,hold_nme\n5,6\n")
    add_log(whole, part, 10)
    assert whole.read_text().split() == ["step,hold_nme", "5,9", "10,8", "15,6"]


def test_the_cheapest_is_taken_unless_the_others_gain_more_than_chance():
    rng = np.random.default_rng(0)
    plain, clips = rng.uniform(5, 10, 40), ["held.mp4"] * 40
    better = plain - 1 + rng.normal(0, 0.5, 40)
    worse = plain + 0.3
    choice = judge({"L": plain, "L+ELT": worse, "L+rounds": better}, clips)
    assert choice.value == "L+rounds"
    told = f"L {plain.mean():.2f} %, L+ELT {worse.mean():.2f} %, L+rounds {better.mean():.2f} %"
    assert choice.why == f"after the same time {told} on 40 held-out objects"
    noisy = plain - 0.1 + rng.normal(0, 2, 40) * np.resize([1, -1], 40)
    choice = judge({"L": plain, "L+ELT": noisy}, clips)
    assert choice.value == "L" and "no difference shown, so the cheapest" in choice.why
    plain[3] = np.nan  # an object without the normaliser's points says nothing
    assert judge({"L": plain, "L+rounds": better}, clips).value == "L+rounds"
    assert judge({"L": plain[:1], "L+rounds": plain[:1] - 5}, clips[:1]).value == "L"


def test_frames_that_follow_each_other_count_as_one():
    plain = np.full(40, 8.0)
    gain = np.repeat([1.5] * 6 + [-1.0] * 4, 4)  # of ten stretches of a clip, alike within
    assert gain.mean() > 2 * gain.std(ddof=1) / 40**0.5  # for single objects it would be sure
    assert judge({"L": plain, "L+ELT": plain - gain}, ["held.mp4"] * 40).value == "L"
    gain = np.tile([1.5, -1.0, 1.5, -1.0, 1.5], 8)  # the same numbers, unlike within
    assert judge({"L": plain, "L+ELT": plain - gain}, ["held.mp4"] * 40).value == "L+ELT"


def test_the_elt_takes_fewer_steps_in_the_same_time(course):
    spec = replace(course.spec, loss=replace(course.spec.loss, elt_share=0.5))
    assert cost(spec) == 1.0
    assert cost(with_elt(spec)) == 1.25


@pytest.mark.parametrize("chosen", ["L", "L+ELT", "L+rounds"])
def test_the_chosen_has_the_rest_of_the_run(course, monkeypatch, chosen):
    said = []
    course = replace(course, say=said.append)
    choice = lambda errors, _: Choice("losses chosen", chosen, f"{len(errors)} tried")  # noqa: E731
    monkeypatch.setattr(auto, "judge", choice)
    last = "round2" if chosen == "L+rounds" else "rest"
    falling(monkeypatch, ("labels", 9.0), ("trial_L", 8.0), ("trial_ELT", 8.0), ("round1", 8.0),
            (last, 6.0))  # fmt: skip
    final, told = train_auto(course, RoundsSpec(views=ANY))
    assert told == Choice("losses chosen", chosen, "3 tried")
    assert f"losses chosen: {chosen} (3 tried)" in said
    assert {"labels", "trial_L", "trial_ELT", "round1", last} <= set(stages(course))
    assert same(weights(final), weights(course.stages / last / "model.safetensors"))
    alpha = load_checkpoint(course.stages / last / "model.safetensors").spec.loss.alpha
    assert (alpha > 0) == (chosen == "L+ELT")
    assert load_checkpoint(course.stages / "trial_ELT" / "model.safetensors").spec.loss.alpha > 0


def test_the_best_of_all_trainings_is_the_runs(course, monkeypatch):
    monkeypatch.setattr(auto, "judge", lambda *_: Choice("", "L", ""))
    falling(monkeypatch, ("labels", 9.0), ("trial_L", 5.0), ("trial_ELT", 8.0), ("round1", 8.0),
            ("rest", 6.0))  # fmt: skip
    final, _ = train_auto(course, RoundsSpec(views=ANY))
    assert same(weights(final), weights(course.stages / "trial_L" / "model.safetensors"))
