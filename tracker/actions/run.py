"""What is to be done: parsed from `run = "key:space"`, and how whoever does it is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

# A rule fires (begin), fires again while it holds (repeat), and ends; a slider has a value.
Phase = Literal["begin", "repeat", "end", "value"]


@dataclass(frozen=True, slots=True)
class Run:
    """`what` is the runner's own, made by its parser from `text`."""

    scheme: str
    what: Any
    text: str  # as written


@dataclass(frozen=True, slots=True)
class Event:
    """Something to be done, and why."""

    name: str  # of the rule
    run: Run
    phase: Phase
    t: float  # of the frame, s
    since: float  # of the frame in which it first held, s
    value: float = 0.0  # of a slider
    hold: float = 0.0  # s that the rule asks for before it fires


class Runner(Protocol):
    """Does things, on a thread of its own. OSError or RuntimeError when that fails; it goes on."""

    def run(self, what: Any, phase: Phase, value: float) -> None:
        """Do it. Whatever begins has its end told, also when everything is switched off."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...
