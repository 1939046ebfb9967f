"""An engine that serves at once with one library while another one's engine is being built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Thread

import numpy as np

from engines.engine import Batch, Engine, Outputs

FAILURES = (OSError, ValueError, RuntimeError)
OFF, TINY = 0.1, 1e-3
Build = Callable[[], Engine]


class SwapEngine:
    """Runs `serving` until the better engine is there and has shown that it works."""

    def __init__(self, serving: Engine, title: str, build: Build) -> None:
        """Build on a thread.

        The thread is no daemon, since ending a process inside a builder may crash it; builders of
        ours stop when the main thread has ended.
        """
        self._serving, self._title, self._build = serving, title, build
        self._better: Engine | None = None
        self._word = f"{title} engine builds"
        self._trusted = False  # the better one has shown that it is the same network
        self.props: Mapping[str, str] = serving.props
        self.thread = Thread(target=self._make, name=f"{title} build", daemon=False)
        self.thread.start()

    @property
    def provider(self) -> str:
        """What runs it now, and what is under way or went wrong."""
        if self._better is not None:
            return self._better.provider
        return f"{self._serving.provider} ({self._word})"

    @property
    def threads(self) -> int:
        """CPU threads inside one `run`."""
        return (self._better or self._serving).threads

    def run(self, batch: Batch) -> Outputs:
        """Outputs by name for one float32 batch, from whichever engine is in use."""
        better = self._better
        if better is None:
            return self._serving.run(batch)
        try:
            found = better.run(batch)
        except RuntimeError as error:  # the GPU is gone or full: go on without it
            return self._fall_back(f"{self._title} failed: {brief(error)}", batch)
        if not self._trusted:
            why = differs(found, self._serving.run(batch))
            if why is not None:
                return self._fall_back(f"{self._title} is not used: {why}", batch)
            self._trusted = True
        return found

    def _fall_back(self, word: str, batch: Batch) -> Outputs:
        self._word, self._better = word, None
        return self._serving.run(batch)

    def _make(self) -> None:
        try:
            self._better = self._build()
        except FAILURES as error:
            self._word = f"no {self._title}: {brief(error)}"


def brief(error: Exception) -> str:
    """The fact of a sentence, without its advice: there is little room on the screen."""
    return str(error).partition(";")[0]


def differs(found: Outputs, wanted: Outputs) -> str | None:
    """Why outputs of one batch cannot be of the same network in another engine; None: they can.

    Generous, since float16 and int8 are meant to pass: a tenth of the largest value.
    """
    if {k: v.shape for k, v in found.items()} != {k: v.shape for k, v in wanted.items()}:
        return "its outputs have other names or shapes"
    for name, value in wanted.items():
        if not np.isfinite(found[name]).all():
            return f"its {name} is no number"
        if value.size and np.abs(found[name] - value).max() > OFF * np.abs(value).max() + TINY:
            return f"its {name} is another"
    return None
