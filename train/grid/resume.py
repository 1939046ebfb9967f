"""A training of a table that goes on after any kill, and is not run again once it is finished.

Its folder holds the run (train.loop.fit), begun.json (what it was started with) and, at the end,
result.json. Whoever makes the table says what is in the two, and what happens where begun.json
tells of another training.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from tracker.plain_data import from_json
from tracker.whole_files import write_json
from train.config import FitSpec
from train.data.pictures import DataSet
from train.loop.checkpoint import load_checkpoint
from train.loop.fit import fit
from train.loop.progress import Progress

BEGUN, RESULT = "begun.json", "result.json"


class Named(Protocol):
    """What is trained."""

    @property
    def name(self) -> str:
        """For people."""
        ...


class Job(Named, Protocol):
    """A training that can be sent to another process or machine."""

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        ...

    @property
    def spec(self) -> FitSpec:
        """How it is trained."""
        ...

    def on(self, device: str) -> Self:
        """The same on another device."""
        ...

    def placed(self) -> Self:
        """The same with paths that hold wherever the worker stands."""
        ...


J = TypeVar("J", bound=Job)
N = TypeVar("N", bound=Named)


@dataclass(frozen=True, slots=True)
class Trained:
    """How a training ended."""

    model: Path  # the final checkpoint
    from_step: int  # above 0: it was cut, and went on from here
    seconds: float  # of this part


def read_begun(folder: Path) -> dict[str, Any] | None:
    """What a training was started with; None where it was not."""
    return _read(folder / BEGUN)


def read_result(folder: Path) -> dict[str, Any] | None:
    """A finished training's result.json; None where there is none. ValueError where it is broken"""
    return _read(folder / RESULT)


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = from_json(path.read_text(encoding="utf-8"), nan=True)
    except ValueError as error:
        raise ValueError(f"{path} is no JSON ({error}); remove its folder to train it") from error
    return found


def note_begun(folder: Path, facts: Mapping[str, Any]) -> None:
    """Keep what a training is started with."""
    write_json(folder / BEGUN, facts)


def train(
    spec: FitSpec,
    folder: Path,
    data: DataSet,
    init: Path | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    notes: Mapping[str, Any] | None = None,
) -> Trained:
    """To the end, from the last checkpoint where there is one (`fit` says what is raised)."""
    last = folder / "last.safetensors"
    from_step = load_checkpoint(last).step if last.is_file() else 0
    clock = time.monotonic()
    final = fit(spec, Path(), folder, True, init, report, dict(notes or {}), data)
    return Trained(final, from_step, time.monotonic() - clock)


def note_result(folder: Path, result: Mapping[str, Any], *needless: str) -> None:
    """Keep a result, which ends the training; then delete files that only its end needed."""
    write_json(folder / RESULT, result)
    for name in needless:
        (folder / name).unlink(missing_ok=True)


def in_turn(
    todo: Sequence[N],
    work: Callable[[N, Callable[[Progress], None]], str],
    say: Callable[[str], None],
    step: Callable[[str, Progress], None],
) -> None:
    """One after the other in this process; `work` trains one and gives a sentence on it."""
    for i, one in enumerate(todo, 1):
        name = f"{i}/{len(todo)} {one.name}"
        say(f"{name}: {work(one, partial(step, name))}")
