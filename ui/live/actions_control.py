"""Which profile of actions is in use, and the pipeline that it listens to. No Qt."""

from __future__ import annotations

from pathlib import Path

from tracker.actions.actions import Actions, ActionsState
from tracker.live.pipeline import Pipeline

TARGET = "actions"  # how the pipeline calls this output


class ActionsControl:
    """At most one profile; it goes along from camera to camera."""

    def __init__(self) -> None:
        """None."""
        self.actions: Actions | None = None

    def use(self, profile: str, on: bool, test: bool, pipeline: Pipeline | None) -> None:
        """This profile from now on, '' none. UserError, and all as before, if it has faults."""
        new = Actions(Path(profile), on, test) if profile else None
        old, self.actions = self.actions, new
        if old is not None:
            if pipeline is not None:
                pipeline.remove_output(TARGET)
            old.end()
        if new is not None:
            new.start()
            self.attach(pipeline)

    def attach(self, pipeline: Pipeline | None) -> None:
        """Listen to this pipeline."""
        if self.actions is not None and pipeline is not None:
            pipeline.add_output(TARGET, opened=self.actions.opened)

    def state(self) -> ActionsState | None:
        """How things stand; None without a profile."""
        return None if self.actions is None else self.actions.state()

    def end(self) -> None:
        """Let go of every key."""
        if self.actions is not None:
            self.actions.end()


def over_hold_ms(actions: Actions | None) -> dict[str, object]:
    """What `--measure` prints: how much longer than its hold time an action took."""
    found = [] if actions is None else sorted(taken.over_hold for taken in actions.latencies())
    whole = [] if actions is None else sorted(taken.whole for taken in actions.latencies())

    def at(values: list[float], share: float) -> float | None:
        if not values:
            return None
        return round(1e3 * values[min(int(share * len(values)), len(values) - 1)], 1)

    return {
        "actions": len(found),
        "action_p50_ms": at(whole, 0.5),
        "action_p95_ms": at(whole, 0.95),
        "action_over_hold_p50_ms": at(found, 0.5),
        "action_over_hold_p95_ms": at(found, 0.95),
    }
