"""What results are sent to while the window is open, and the pipeline they come from. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from tracker.errors import UserError
from tracker.live.pipeline import OutputFacts, Pipeline
from tracker.outputs.numbering import Numbering
from tracker.outputs.open import find_output
from tracker.outputs.out_file import LiveFile
from tracker.outputs.output import About, Output

State = Literal["off", "waits", "sends", "silent", "failed"]
AUTO_CENTRE = 60.0  # s within which the centre follows the head by 63 %


@dataclass(frozen=True, slots=True)
class SendRow:
    """One target, as the panel shows it."""

    target: str
    on: bool
    state: State
    facts: OutputFacts


class Sending:
    """Targets, each on or off; they go along from camera to camera."""

    def __init__(
        self, targets: Sequence[str] = (), auto_centre: bool = False, is_private: bool = False
    ) -> None:
        """All of them on. UserError where one is no target, or is named twice."""
        self._on: dict[str, bool] = {}
        self._numbering: dict[str, Numbering] = {}
        self._auto_centre = auto_centre
        self.is_private = is_private  # the picture itself is shown to nobody
        for target in targets:
            self.add(target, None)

    def attach(self, pipeline: Pipeline) -> None:
        """Send what this pipeline sees."""
        pipeline.centring.follow(AUTO_CENTRE if self._auto_centre else None)
        for target, on in self._on.items():
            if on:
                self._begin(target, pipeline)

    def add(self, target: str, pipeline: Pipeline | None) -> None:
        """Send there, too. UserError, and all as before, where that is no target."""
        target = target.strip()
        find_output(target)
        if target in self._on:
            raise UserError(f"results go to {target} already; name another target")
        if pipeline is not None:
            self._begin(target, pipeline)
        self._on[target] = True

    def switch(self, target: str, on: bool, pipeline: Pipeline | None) -> None:
        """Send there from now on, or no more; the target stays in the list."""
        if pipeline is not None and not on:
            pipeline.remove_output(target)
        elif pipeline is not None and not self._on[target]:
            self._begin(target, pipeline)
        self._on[target] = on

    def remove(self, target: str, pipeline: Pipeline | None) -> None:
        """Send there no more and forget the target; a file keeps what is in it."""
        if pipeline is not None:
            pipeline.remove_output(target)
        del self._on[target]

    def follow_head(self, on: bool, pipeline: Pipeline | None) -> None:
        """Let the centre drift to where the head is, or stay."""
        self._auto_centre = on
        if pipeline is not None:
            pipeline.centring.follow(AUTO_CENTRE if on else None)

    def rows(self, outputs: Sequence[OutputFacts]) -> tuple[SendRow, ...]:
        """How things stand, by what `Health.outputs` says."""
        known = {facts.target: facts for facts in outputs}
        return tuple(
            SendRow(target, on, _state(on, known.get(target)), known.get(target, OutputFacts("")))
            for target, on in self._on.items()
        )

    def _begin(self, target: str, pipeline: Pipeline) -> None:
        pipeline.add_output(target, opened=self._opened)

    def _opened(self, target: str, about: About) -> Output:
        """An output whose file goes on where this window wrote to it before."""
        numbering = self._numbering.setdefault(target, Numbering())
        about = replace(about, numbering=numbering, private=lambda: self.is_private)
        if numbering.has_begun:
            about = replace(about, target=partial(LiveFile, goes_on=True))
        return find_output(target)(target, about)


def _state(on: bool, facts: OutputFacts | None) -> State:
    if not on:
        return "off"
    if facts is None or facts.phase == "opening":
        return "waits"
    if facts.phase in ("failed", "closed"):
        return "failed"
    return "sends" if facts.fps > 0 else "silent"
