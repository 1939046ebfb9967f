"""A training under a budget of time, on a clock that the test turns."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import train.loop.fit
from tests.helpers.blobs import write_blobs, write_config
from train.config import FitSpec, read_config
from train.finetune.budget import spent_in
from train.loop.checkpoint import load_checkpoint
from train.loop.deadline import SPARE, SPARE_S, Deadline, last_step
from train.loop.fit import fit


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.t = 100.0

    def __call__(self) -> float:
        return self.t


def made(clock: Clock, seconds: float = 100.0) -> Deadline:
    return Deadline(seconds, clock.t, 1.0, 2.0, 5.0, 3, clock=clock)


def test_what_follows_and_what_is_left_by_hand() -> None:
    clock = Clock()
    deadline = made(clock)
    closing = SPARE * (3 * 2.0 + 5.0) + SPARE_S
    assert deadline.closing_s == pytest.approx(closing)
    assert deadline.free_s == pytest.approx(100 - closing)
    # each step with a tenth of an evaluation, and one more of those at the end
    assert deadline.steps_left(10) == int((100 - closing - 2) / 1.2)
    clock.t += 30
    assert deadline.all_spent_s == 30
    assert deadline.steps_left(10) == int((70 - closing - 2) / 1.2)
    clock.t += 1000
    assert deadline.steps_left(10) == 0


def test_steps_are_timed_without_the_evaluations_among_them() -> None:
    clock = Clock()
    deadline = made(clock)
    deadline.stepped()
    clock.t += 3.0
    deadline.stepped()
    assert deadline.step_s == pytest.approx(0.8 * 1.0 + 0.2 * 3.0)
    before = deadline.step_s
    clock.t += before + 7.0
    deadline.evaluated(7.0)
    deadline.stepped()
    assert deadline.step_s == pytest.approx(before)
    assert deadline.evaluation_s == 7.0


def test_an_export_takes_longer_where_steps_do() -> None:
    deadline = made(Clock())
    quiet = deadline.closing_s
    deadline.step_s = 4.0
    assert deadline.closing_s == pytest.approx(quiet + SPARE * 3 * 5.0)


def test_the_number_of_steps_follows_the_clock() -> None:
    clock = Clock()
    deadline = made(clock)
    assert last_step(deadline, 10, 30, 10) == 10 + deadline.steps_left(10) > 30  # faster: more
    assert last_step(deadline, 11, 40, 10) == 40  # nor between evaluations
    assert last_step(deadline, 11, 500, 10) == 11 + deadline.steps_left(10)  # far too many
    clock.t += 500
    assert last_step(deadline, 11, 40, 10) == 12  # late: one more, the last


def run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, step_s: Callable[[int], float]
) -> tuple[Clock, Deadline, FitSpec]:
    """A real training in which step n takes step_s(n) and an evaluation 2 seconds of the clock."""
    clock = Clock()
    deadline = Deadline(seconds, clock.t, 1.0, 2.0, 5.0, 1, clock=clock)
    real_step, real_look = train.loop.fit.train_step, train.loop.fit.evaluate_hold_out

    def step(run, batch):  # type: ignore[no-untyped-def]
        clock.t += step_s(run.step)
        return real_step(run, batch)

    def look(run):  # type: ignore[no-untyped-def]
        clock.t += 2.0
        return real_look(run)

    monkeypatch.setattr(train.loop.fit, "train_step", step)
    monkeypatch.setattr(train.loop.fit, "evaluate_hold_out", look)
    write_blobs(folder)
    spec = replace(read_config(write_config(folder, steps=60)), evaluate_every=10)
    final = fit(spec, folder, folder / "run", deadline=deadline)
    assert final.is_file()
    return clock, deadline, load_checkpoint(folder / "run" / "last.safetensors").spec


def test_a_machine_that_gets_busy_ends_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, deadline, spec = run(
        tmp_path, monkeypatch, 100.0, lambda n: 1.0 if n < 15 else 5.0
    )  # fmt: skip
    # what follows: one evaluation (2 s) and an export that takes five times as long (25 s)
    assert deadline.all_spent_s + 2 + 25 <= 100
    assert deadline.all_spent_s + 2 + 25 > 85  # and the time is used
    assert spec.steps < 60


def test_a_machine_that_is_free_again_does_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, deadline, spec = run(tmp_path, monkeypatch, 60.0, lambda n: 0.2)
    assert spec.steps > 60
    assert 40 < deadline.all_spent_s + 2 + 5 <= 60


def test_a_run_that_goes_on_has_what_is_left_of_its_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    write_blobs(tmp_path)
    spec = replace(read_config(write_config(tmp_path, steps=40)), checkpoint_every=5)

    def cut(p):  # type: ignore[no-untyped-def]
        clock.t += 1.0
        if p.step == 12:
            raise KeyboardInterrupt

    deadline = Deadline(60.0, clock.t, 1.0, 0.0, 0.0, 0, clock=clock)
    with pytest.raises(KeyboardInterrupt):
        fit(spec, tmp_path, tmp_path / "run", report=cut, deadline=deadline)
    clock.t += 5000  # the machine was off
    told = json.loads((tmp_path / "run" / "progress.json").read_text())
    assert told["spent_s"] == 11.0  # at step 12, as a run that goes on reads it
    spent = spent_in(tmp_path / "run")
    again = Deadline(60.0, clock.t, 1.0, 0.0, 0.0, 0, spent_s=spent, clock=clock)
    begun = clock.t
    fit(spec, tmp_path, tmp_path / "run", True, deadline=again,
        report=lambda p: setattr(clock, "t", clock.t + 1.0))  # fmt: skip
    assert 40 < clock.t - begun <= 60 - 11


def test_trainings_of_a_run_share_what_is_left() -> None:
    clock = Clock()
    whole = Deadline(100.0, clock.t, 1.0, 0.0, 9.0, 0, clock=clock)
    free = whole.free_s
    clock.t += 10
    first = whole.part(0.25)
    assert first.seconds - first.all_spent_s == pytest.approx(0.25 * (free - 10))
    assert last_step(first, 10, 12, 10) == 12  # it does not grow
    last = whole.part(1.0)
    assert last_step(last, 10, 12, 10) > 12
    assert last.seconds <= 100.0 - whole.closing_s + 1e-9
    clock.t += 500
    assert whole.part(0.5).steps_left(10) == 0


def test_what_a_run_had_spent_is_read_whatever_lies_there(tmp_path: Path) -> None:
    assert spent_in(tmp_path) == 0.0
    for text, spent in (('{"spent_s": 12.5}', 12.5), ("{", 0.0), ("[1]", 0.0),
                        ('{"spent_s": null}', 0.0)):  # fmt: skip
        (tmp_path / "progress.json").write_text(text)
        assert spent_in(tmp_path) == spent
