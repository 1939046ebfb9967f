"""The pipeline behind the window: started, replaced and ended without ever waiting for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.live.pipeline import Health, Pipeline
from tracker.result import Shown
from tracker.sources.open import Playing
from tracker.sources.source import CameraState
from ui.kit.jobs import Jobs

CLOSE_SECONDS = 2.0  # how long a pipeline may take to end before it is left alone


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be shown."""

    camera: str
    how: Playing
    config: TrackerConfig
    other: TrackerConfig | None = None  # of a second tracker, on the same frames


Make = Callable[[str, Playing, TrackerConfig], Pipeline]


class Session:
    """One pipeline at a time. A new order waits until the old pipeline let go of the camera."""

    def __init__(self, jobs: Jobs, make: Make) -> None:
        """`make` builds a pipeline for a camera, wishes to it and a config; UserError if not."""
        self.order: Order | None = None
        self.is_paused = False
        self._jobs, self._make = jobs, make
        self._pipeline: Pipeline | None = None
        self._error: str | None = None
        self._is_closing = False

    @property
    def pipeline(self) -> Pipeline | None:
        """The one that runs; None while one is being replaced or could not be made."""
        return self._pipeline

    def open(self, order: Order) -> None:
        """Show this from now on."""
        self.order, self._error, self.is_paused = order, None, False
        old, self._pipeline = self._pipeline, None
        if old is not None:
            self._is_closing = True
            self._jobs.start(lambda: old.close(CLOSE_SECONDS), self._closed, self._not_closed)
        elif not self._is_closing:
            self._begin()

    def configure(self, config: TrackerConfig, other: TrackerConfig | None) -> None:
        """Track like this from now on; a pipeline that has failed is started again."""
        if self.order is None:
            return
        before = self.order
        order = Order(before.camera, before.how, config, other)
        if self._pipeline is None or self._pipeline.health().dead:
            self.open(order)
            return
        self.order = order
        if config != before.config:
            self._pipeline.configure(config)
        if other != before.other:
            self._pipeline.compare(other)

    def reload(self) -> None:
        """Load the models again: the newest of a project may be another one by now."""
        if self.order is not None and self._pipeline is not None:
            self._pipeline.configure(self.order.config)

    def pause(self, on: bool) -> None:
        """Hold the picture, or go on."""
        self.is_paused = on
        if self._pipeline is not None:
            self._pipeline.pause(on)

    def latest(self) -> Shown | None:
        """The newest frame with its landmarks."""
        return None if self._pipeline is None else self._pipeline.latest()

    def health(self) -> Health:
        """How it goes."""
        if self._pipeline is not None:
            return self._pipeline.health()
        name = "" if self.order is None else self.order.camera
        state = CameraState("opening", f"opening {name}", monotonic())
        if self._error is not None:
            state = CameraState("failed", self._error, monotonic())
        return Health(
            camera=state, capture_fps=0.0, network_ms=0.0, tracker_ms=0.0, dropped=0, provider="",
            threads=0, lag_ms=0.0, recording=None, error=None,
        )  # fmt: skip

    def close(self) -> None:
        """End for good; `is_ended` tells when that is done."""
        old, self._pipeline, self.order = self._pipeline, None, None
        if old is not None:
            self._is_closing = True
            self._jobs.start(lambda: old.close(CLOSE_SECONDS), self._closed, self._not_closed)

    @property
    def is_ended(self) -> bool:
        """Is there neither a pipeline nor the wish for one?"""
        return self.order is None and self._pipeline is None and not self._is_closing

    def _begin(self) -> None:
        assert self.order is not None
        order = self.order
        try:
            self._pipeline = self._make(order.camera, order.how, order.config)
        except UserError as error:
            self._error = str(error)
            return
        self._pipeline.start()
        if order.other is not None:
            self._pipeline.compare(order.other)

    def _closed(self, ended: bool) -> None:
        self._is_closing = False
        if self.order is not None and self._pipeline is None:
            self._begin()

    def _not_closed(self, reason: str) -> None:
        self._closed(False)
