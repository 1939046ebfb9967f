"""Settings from data: budgets and losses as typed, heads, the labelled part of a batch."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.teaching import new_project
from tracker.find.model_file import Attribute
from train.config import FitSpec
from train.data.batches import step_rows
from train.data.from_project import CLIP, Census
from train.data.pictures import DataSet, Example, Markup
from train.finetune.choices import (
    Budget,
    New,
    choose_course,
    choose_spec,
    kept_weights,
    labelled_part,
    left_out,
    losses_of,
    missing_attributes,
    parse_budget,
    parse_losses,
    project_heads,
    tuned_rate,
    usable_losses,
)
from train.networks import NetSpec
from train.networks.model import Head
from train.project.labels import SPREAD


def census(labelled=40, unlabelled=200, gestures=0, negatives=0):
    attributes = {"gesture": {"fist": {"train": gestures, "hold": 3}}} if gestures else {}
    return Census({"train": labelled}, {"train": unlabelled}, attributes, negatives, 0)


@pytest.mark.parametrize(
    ("text", "seconds", "steps"),
    [("20m", 1200, None), ("1.5h", 5400, None), ("90s", 90, None), ("2000it", None, 2000),
     (" 10M ", 600, None)],
)  # fmt: skip
def test_budgets(text, seconds, steps):
    assert parse_budget(text) == Budget(seconds, steps)


@pytest.mark.parametrize("text", ["20", "m", "0m", "-3m", "3 days"])
def test_budgets_that_are_none(text):
    with pytest.raises(ValueError, match="20m, 1h, 90s or 2000it"):
        parse_budget(text)


def test_what_was_spread_is_half_of_the_labels_at_most(tmp_path):
    project = new_project(tmp_path / "p")

    def chosen(spread):
        have = replace(census(12, 0), spread=spread)
        return choose_spec(project, have, (), ("L",), NetSpec(), "some")

    spec, told = chosen(120)
    nothing = np.zeros((3, 2), np.float32), np.ones(3, bool)
    examples = tuple(
        Example(Path(f"{i}.png"), *nothing, None, False, {}, source, "c", "", False, False)
        for source, count in ((CLIP, 12), (SPREAD, 120)) for i in range(count)
    )  # fmt: skip
    data = DataSet(Markup(project.landmarks, (), ()), examples)
    drawn = [i for _, rows in islice(step_rows(data, spec, 0), 50) for i in rows if i >= 0]
    assert np.mean(np.array(drawn) < 12) == pytest.approx(0.5, abs=0.03)  # else 12 of 132
    assert "labels by hand" in [c.what for c in told]
    spec, told = chosen(12)
    assert not spec.data.repeat and "labels by hand" not in [c.what for c in told]


def test_losses_in_any_form():
    assert parse_losses("l, elt,A") == ("L", "ELT", "A")
    assert parse_losses("L+A+teacher") == ("L", "A", "teacher")
    assert parse_losses("L+Rounds") == ("L", "rounds")
    assert parse_losses(" Auto ") is None
    for wrong in ("", "L,B"):
        with pytest.raises(ValueError, match="--losses takes L, A, ELT"):
            parse_losses(wrong)


def test_losses_asked_for_and_chosen():
    usable = usable_losses(census(gestures=20))
    assert losses_of(None, usable) == ("L", "A")  # the ELT is tried, not taken
    assert losses_of(("L", "rounds"), usable) == ("L", "rounds")
    assert losses_of(None, usable_losses(census(0, 50, gestures=20))) == ("A",)
    for asked, has, lacks in (
        (("L", "rounds"), census(40, 0), "no unlabelled frames"),
        (("L", "ELT"), census(40, 0), "no unlabelled frames"),
        (("A", "rounds"), census(0, 50, gestures=20), "no labelled frames"),
        (("L", "A"), census(), "no labelled time ranges"),
        (None, census(0, 50), "no labelled frames"),
        (("ELT",), census(), "nothing to learn landmarks or gestures from"),
    ):
        with pytest.raises(ValueError, match=lacks):
            losses_of(asked, usable_losses(has))


def test_the_hold_out_chooses_where_it_can():
    spec = FitSpec(steps=500, keep="best")
    many, few = held(20), held(19)
    assert choose_course(("L", "ELT"), many, spec) == ("plain", None)
    assert choose_course(None, replace(many, unlabelled={}), spec) == ("plain", None)
    course, why = choose_course(None, many, spec)
    assert course == "auto" and why is not None and "20 held-out objects choose" in why.why
    course, why = choose_course(None, few, spec)
    assert course == "plain" and why is not None and why.value == "not used"
    assert why.why.startswith("19 held-out objects cannot tell what they bring, 20 can")
    for told, at, sentence in (
        (many, replace(spec, steps=99), "99 steps are too few to try it"),
        (many, replace(spec, keep="last"), "the hold-out lacks a class"),
    ):
        course, why = choose_course(None, told, at)
        assert course == "plain" and why is not None and sentence in why.why
    assert choose_course(None, many, spec, together=True)[0] == "plain"


def test_rounds_are_had_by_asking():
    spec = FitSpec(steps=500, keep="best")
    course, why = choose_course(("L", "rounds"), held(20), spec)
    assert course == "rounds" and why is not None and why.value == "rounds"
    course, why = choose_course(("L", "rounds"), held(2), replace(spec, keep="last"))
    assert course == "rounds" and why is not None and why.value == "1 round"
    with pytest.raises(ValueError, match="one process"):
        choose_course(("L", "rounds"), held(20), spec, together=True)


def held(count):
    """A project with so many held-out labelled objects."""
    return replace(census(), labelled={"train": 40, "hold": count})


def test_usable_losses_follow_the_data():
    assert set(usable_losses(census())) == {"L", "ELT"}
    assert set(usable_losses(census(0, 50, gestures=20))) == {"A", "ELT"}
    assert usable_losses(census(0, 0)) == {}


def test_labelled_part_of_a_batch():
    assert labelled_part(10, 100, ("L", "ELT")) == 0.5
    assert labelled_part(10, 100, ("L",)) == 1.0  # nothing uses the others
    assert labelled_part(10, 0, ("L", "ELT")) == 0.0
    assert labelled_part(0, 100, ("A",)) == 0.0


def test_learning_rate_grows_with_the_root_of_the_labels():
    assert tuned_rate(3) == pytest.approx(5e-5)
    assert tuned_rate(10) == pytest.approx(6e-5)
    assert tuned_rate(50) == pytest.approx(3e-4)
    assert tuned_rate(200) == pytest.approx(6e-4)
    assert tuned_rate(5000) == pytest.approx(1e-3)
    assert tuned_rate(12, known=True) == tuned_rate(50, known=True) == pytest.approx(2e-5)
    assert tuned_rate(200, known=True) == pytest.approx(8e-5)
    assert tuned_rate(5000, known=True) == pytest.approx(1e-3)


def test_landmarks_that_the_base_knows_are_learnt_slowly(tmp_path):
    project = new_project(tmp_path / "p")

    def rate(new: New, losses: tuple[str, ...]) -> float:
        return choose_spec(project, census(12, 100, gestures=20), (), losses, NetSpec(), new)[0].lr

    assert rate("nothing", ("L",)) == rate("nothing", ("L", "ELT")) == pytest.approx(2e-5)
    assert rate("some", ("L",)) == pytest.approx(7.2e-5)  # new layers have far to go
    assert rate("nothing", ("L", "A")) == pytest.approx(7.2e-5)  # and so have new heads


def test_heads_of_the_project_replace_those_of_the_base(tmp_path):
    project = new_project(tmp_path / "p")  # gestures fist and point, one pose preset
    base = (
        Head(Attribute("gesture", ("a", "b"))),
        Head(Attribute("side", ("left", "right")), "image"),
    )
    heads = project_heads(project, base, same_markup=False)
    assert [h.attribute.name for h in heads] == ["gesture", "pose", "side"]
    assert heads[0].attribute.classes == ("none", "fist", "point")
    plain = replace(project, gestures=(), pose={})
    kept = project_heads(plain, base, same_markup=True)
    assert [h.attribute.name for h in kept] == ["gesture", "side"]
    assert [h.attribute.name for h in project_heads(plain, base, False)] == ["side"]


def test_what_the_base_tells_and_the_new_model_will_not_is_said():
    side, xyz = (Head(Attribute(name, size=1), "both") for name in ("side", "xyz"))
    assert left_out((side, xyz), (side, xyz)) == []
    (told,) = left_out((), (side, xyz))
    assert told.startswith("the new model will not tell side and xyz, as the base does")


def test_gestures_of_the_project_see_up_where_those_of_the_base_do(tmp_path):
    project = new_project(tmp_path / "p")
    for base, up in ((Head(Attribute("gesture", ("a",)), up=True), True), (None, False)):
        heads = project_heads(project, () if base is None else (base,), same_markup=False)
        assert {h.attribute.name: h.up for h in heads} == {"gesture": up, "pose": False}


def test_spec_turns_terms_off_that_are_not_wanted(tmp_path):
    project = new_project(tmp_path / "p")
    spec, told = choose_spec(project, census(), (), ("L",), NetSpec(), "some")
    assert (spec.loss.alpha, spec.loss.attribute, spec.freeze) == (0.0, 0.0, False)
    assert spec.crop == project.crop
    assert spec.data.normaliser == (1, 2)
    assert {c.what for c in told} >= {"losses", "batch", "learning rate"}
    spec, _ = choose_spec(project, census(0, 90, 50), (), ("A",), NetSpec(), "some")
    assert spec.freeze
    assert spec.loss.presence == 0
    spec, _ = choose_spec(project, census(), (), ("L", "ELT", "teacher"), NetSpec(), "some")
    assert spec.loss.teacher > 0
    assert spec.augment.whole > 0  # kind object: the first look sees the whole frame


def test_classes_with_few_examples_are_named():
    head = Head(Attribute("gesture", ("none", "fist", "point")))
    told = missing_attributes([head], census(5, 5, gestures=60))
    assert told == ["gesture 'point' has 0 training frames; 100 are good"]


def test_a_hold_out_that_shows_too_little_chooses_nothing():
    def found(held, gestures):
        shown = {"gesture": {"fist": {"train": 50, "hold": gestures}}}
        return Census({"train": 20, "hold": held}, {"train": 90}, shown, 0, 0)

    assert kept_weights(found(8, 5), ("L", "A", "ELT")) == "best"
    assert kept_weights(found(2, 5), ("L", "A", "ELT")) == "last"
    assert kept_weights(found(8, 0), ("L", "A")) == "last"  # else the gestures stay unlearnt
    assert kept_weights(found(8, 0), ("L", "ELT")) == "best"
    shown = {"gesture": {"fist": {"train": 9, "hold": 5}, "point": {"train": 9}}}  # one class only
    one = Census({"train": 20, "hold": 8}, {"train": 90}, shown, 0, 0)
    assert kept_weights(one, ("L", "A")) == "last"
    assert kept_weights(found(0, 5), ("A",)) == "best"
