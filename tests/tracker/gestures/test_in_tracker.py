"""Own gestures in a tracker: from a file to the names on its tracks, and what models tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.tracker.gestures.taught import examples, learn_little, own_of, seen
from tracker.actions.conditions import told_by
from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.follow.watch import Watch
from tracker.gestures.own import Gesture, write_own
from tracker.load import used_models
from tracker.track import Tracker

BLACK = np.zeros((48, 64, 3), np.uint8)
CONFIG = TrackerConfig(faces=False, threads=1)


def test_a_file_of_gestures_names_hands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learn_little(monkeypatch)
    write_own(tmp_path / "g.json", own_of(Gesture("mine"), examples("l_shape", 50)))
    shape, fist = (examples(name, 1, skip=51)[0].hands[0] for name in ("l_shape", "fist"))
    hands = [seen(shape, 1, "l_shape"), seen(fist, 2, "none")]
    monkeypatch.setattr(Watch, "step", lambda *_: hands)
    config = replace(CONFIG, gestures=tmp_path / "g.json")
    with Tracker(config) as tracker:
        models = tracker.models
        first, second = [tracker.process(BLACK, i / 15).tracks for i in range(6)][-1]
        assert (first.gesture, second.gesture) == ("mine", "none")
        tracker.reset()
        monkeypatch.setattr(Watch, "step", lambda *_: hands[1:] + hands[:1])
        assert [t.gesture for t in tracker.process(BLACK, 0.0).tracks] == ["none", "mine"]
    with Tracker(CONFIG, models) as tracker:
        assert tracker.process(BLACK, 0.0).tracks == (hands[1], hands[0]), (
            "without a file: as it was"
        )
    (used,) = used_models(config, models)
    assert "mine" in told_by([used.info]) and "mine" not in told_by([models["hand"].info])
    classes = next(a.classes for a in used.info.attributes if a.name == "gesture")
    own = next(a.classes for a in models["hand"].info.attributes if a.name == "gesture")
    assert classes == (*own, "mine")


def test_a_file_that_is_not_there_yet_names_nothing(tmp_path: Path) -> None:
    config = replace(CONFIG, gestures=tmp_path / "none.json", live=True)
    with Tracker(config) as tracker:
        info = used_models(replace(config, motions=False), tracker.models)[0].info
        assert info == tracker.models["hand"].info


def test_a_file_that_is_not_there_is_told_where_nobody_teaches(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no file of gestures at .*typo\.json; give one"):
        Tracker(replace(CONFIG, gestures=tmp_path / "typo.json"))
