"""The interval of a difference: by groups, and honest about few objects."""

from __future__ import annotations

import json

import numpy as np

from train.evaluate.interval import Change, change_between, grouped


def test_groups_are_clips_where_there_are_five_and_stretches_where_not() -> None:
    clips = ["a", "a", "b", "c", "d", "e", "b"]
    groups, by = grouped(clips)
    assert by == "clips"
    assert groups.tolist() == [0, 0, 1, 2, 3, 4, 1]
    groups, by = grouped(["a"] * 27 + ["b"] * 8)
    assert by == "stretches of a clip"
    # 27 objects: stretches of 3; 8 objects: of 2
    assert np.bincount(groups).tolist() == [3] * 9 + [2] * 4
    assert len(set(groups[:27]) & set(groups[27:])) == 0


def test_a_clear_gain_is_one_and_its_interval_holds_the_truth() -> None:
    rng = np.random.default_rng(3)
    base = rng.uniform(6, 10, 48)
    tuned = base * rng.normal(0.8, 0.05, 48)
    found = change_between(base, tuned, ["a"] * 48)
    assert found is not None
    assert found.verdict == "better"
    assert found.low < 100 * (tuned.sum() / base.sum() - 1) < found.high < 0
    assert found.words == "the error is smaller: -21 % (95 % interval -22 to -20 %)"
    back = change_between(tuned, base, ["a"] * 48)
    assert back is not None and back.verdict == "worse"
    assert "the error is larger" in back.words


def test_a_difference_within_its_noise_is_none() -> None:
    rng = np.random.default_rng(5)
    base = rng.uniform(4, 12, 60)
    tuned = base + rng.normal(0, 2.0, 60)
    found = change_between(base, tuned, ["a"] * 60)
    assert found is not None
    assert found.low < 0 < found.high
    assert found.verdict == "none"
    assert "no difference shown" in found.words and "holds 0" in found.words


def test_one_clip_that_gained_is_not_taken_for_many() -> None:
    # 100 objects, but what they gained is the gain of one clip of six: chance
    clips = [name for name in "abcdef" for _ in range(20)]
    base = np.full(120, 8.0)
    tuned = base.copy()
    tuned[:20] = 4.0
    by_clip = change_between(base, tuned, clips)
    by_object = change_between(base, tuned, [str(i) for i in range(120)])
    assert by_clip is not None and by_object is not None
    assert by_clip.groups == 6 and by_object.groups == 120
    assert by_object.verdict == "better"
    assert by_clip.verdict == "none"


def test_nineteen_objects_show_nothing_whatever_they_gained() -> None:
    base = np.full(19, 10.0)
    found = change_between(base, base * 0.5, ["a"] * 19)
    assert found is not None
    assert found.verdict == "few"
    assert "19 held-out objects" in found.words and "too few" in found.words
    enough = change_between(np.full(20, 10.0), np.full(20, 5.0), ["a"] * 20)
    assert enough is not None and enough.verdict == "better"


def test_unlabelled_objects_do_not_count_and_none_is_no_change() -> None:
    base, tuned = np.array([8.0, np.nan, 4.0]), np.array([6.0, 5.0, np.nan])
    found = change_between(base, tuned, ["a", "a", "b"])
    assert found is not None and found.objects == 1
    assert (found.before, found.after, found.percent) == (8.0, 6.0, -25.0)
    assert change_between(np.full(2, np.nan), tuned[:2], ["a", "a"]) is None


def test_json_has_null_for_what_is_not_known() -> None:
    found = Change(3, 2, "clips", 5.0, 4.0, -20.0, float("nan"), float("nan"))
    told = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert told["low"] is None and told["verdict"] == "few"
