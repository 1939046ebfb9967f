"""What a run tells while it goes: to a callback every step, to progress.json twice a second."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracker.stop import Stopped
from tracker.whole_files import part_of, put_in_place

EVERY_S = 0.5  # least time between two writes of progress.json


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """What a progress bar or a log line shows, once a step."""

    step: int
    steps: int
    loss: float
    terms: dict[str, float]
    images_s: float
    hold: dict[str, Any] | None  # summary on the hold-out, on the steps that evaluate
    eta_s: float = math.nan  # seconds to the last step at this speed
    message: str = ""  # a sentence worth a line, such as a halved batch
    spent_s: float = math.nan  # of a budget of time


class ProgressFile:
    """OUT/progress.json for a window that watches the run; replaced whole, never half-written.

    Fields: run, step, steps, loss, hold_nme (%, the last one), images_s, eta_s, spent_s (of a
    budget of time), state ('training', 'done', 'stopped' or 'failed') and message; numbers not
    known yet are null.
    """

    def __init__(
        self,
        path: Path,
        run: str,
        clock: Callable[[], float] = time.monotonic,
        active: bool = True,
    ) -> None:
        self.path, self.clock, self.active = path, clock, active
        self.fields: dict[str, Any] = {
            "run": run, "step": 0, "steps": 0, "loss": None, "hold_nme": None, "images_s": None,
            "eta_s": None, "spent_s": None, "state": "training", "message": "",
        }  # fmt: skip
        self.written = -math.inf

    def step(self, p: Progress) -> None:
        """Note one step; the file follows at most twice a second."""
        self.fields |= {"step": p.step, "steps": p.steps, "loss": _number(p.loss)}
        self.fields |= {"images_s": _number(p.images_s), "eta_s": _number(p.eta_s)}
        self.fields["spent_s"] = _number(p.spent_s)
        if p.hold is not None:
            self.fields["hold_nme"] = _number(p.hold["nme"])
        if p.message:
            self.fields["message"] = p.message
        if self.clock() - self.written >= EVERY_S:
            self.write()

    def end(self, state: str, message: str = "") -> None:
        """The last word: 'done', 'stopped' or 'failed', written at once."""
        self.fields |= {"state": state, "message": message or self.fields["message"]}
        self.fields["eta_s"] = 0.0 if state == "done" else None
        self.write()

    @contextmanager
    def telling(self) -> Iterator[None]:
        """The file ends with how the block ends."""
        try:
            yield
        except (Stopped, KeyboardInterrupt) as error:
            self.end(
                "stopped", str(error) or "interrupted; resume goes on from the last checkpoint"
            )
            raise
        except BaseException as error:
            self.end("failed", str(error) or type(error).__name__)
            raise
        self.end("done")

    def write(self) -> None:
        """Write beside and rename; not `active` (another process writes): nothing."""
        if not self.active:
            return
        beside = part_of(self.path)
        try:
            beside.write_text(json.dumps(self.fields), encoding="utf-8")
            put_in_place(beside, self.path)
        finally:
            beside.unlink(missing_ok=True)  # of a full disk
        self.written = self.clock()


def _number(value: float) -> float | None:
    """Rounded for reading; null where it is not a number (JSON has no NaN)."""
    return round(float(value), 4) if math.isfinite(value) else None
