"""A wall clock's budget: when a training must end so that all that follows it is done in time.

Steps, evaluations and the export take as long as the machine lets them, and another program may
begin at any moment: how long each takes is followed as it goes, and the number of steps with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

NEW = 0.2  # weight of the newest step in the running mean
SPARE, SPARE_S = 1.2, 1.0  # what follows the training is given this much more: times, seconds


@dataclass(slots=True, eq=False)
class Deadline:
    """Seconds of a budget, and of the parts of a run as seen so far."""

    seconds: float  # of the budget
    begun: float  # of `clock`: when it began
    step_s: float
    evaluation_s: float  # of the whole hold-out
    export_s: float  # where a step takes `step_s`
    after: int  # evaluations that follow the training
    spent_s: float = 0.0  # before this process: of a run that goes on
    grows: bool = True  # more steps are done where time is left
    clock: Callable[[], float] = time.monotonic
    usual_s: float = 0.0  # step_s at the beginning
    _mark: float | None = None  # when the step that goes on began
    _aside_s: float = 0.0  # of it that evaluations took

    def __post_init__(self) -> None:
        self.usual_s = max(self.step_s, 1e-9)

    @property
    def all_spent_s(self) -> float:
        """Seconds of the budget that are gone."""
        return self.spent_s + self.clock() - self.begun

    @property
    def closing_s(self) -> float:
        """What follows the last step will take: evaluations, and the export, which takes longer
        where steps do.
        """
        export = self.export_s * max(1.0, self.step_s / self.usual_s)
        return SPARE * (self.after * self.evaluation_s + export) + SPARE_S

    def stepped(self) -> None:
        """A step begins, and one before it has ended (with its checkpoint, if it had one)."""
        now = self.clock()
        if self._mark is not None:
            self.step_s += NEW * (now - self._mark - self._aside_s - self.step_s)
        self._mark, self._aside_s = now, 0.0

    def evaluated(self, seconds: float) -> None:
        """An evaluation of the hold-out took so long."""
        self.evaluation_s = seconds
        self._aside_s += seconds

    @property
    def free_s(self) -> float:
        """Seconds that training may still use; below 0 where it is late."""
        return self.seconds - self.all_spent_s - self.closing_s

    def part(self, share: float) -> Deadline:
        """That of one training of several, which may use this share of the free seconds.

        All but the last do no more steps than planned, so that what is compared is alike.
        """
        until = self.all_spent_s + share * max(0.0, self.free_s)
        return Deadline(
            until, self.begun, self.step_s, self.evaluation_s, 0.0, 1, self.spent_s,
            grows=share >= 1, clock=self.clock,
        )  # fmt: skip

    def steps_left(self, every: int) -> int:
        """Steps that fit in before what follows, with an evaluation each `every`; from 0 on."""
        each = self.step_s + self.evaluation_s / every
        return max(0, int((self.free_s - self.evaluation_s) / max(each, 1e-9)))


def last_step(deadline: Deadline, done: int, planned: int, every: int) -> int:
    """How many steps a run shall have in all, where `done` are done and `planned` were.

    Looked at before each step. At an evaluation (each `every` steps) as many as fit in; between
    them fewer where too many were planned, since each change bends the learning rate's curve.
    """
    coming = max(0, planned - done)
    left = max(1, deadline.steps_left(every))
    if not deadline.grows:
        left = min(left, max(1, coming))
    at_evaluation = done > 0 and done % every == 0
    return done + left if at_evaluation or left < max(0.9 * coming, 2) else planned
