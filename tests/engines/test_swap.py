"""One engine serves while another is built; it takes over only when it works."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from engines.swap import SwapEngine, differs
from tests.helpers.drawn import BlobFinder, blob_info
from tracker.config import TrackerConfig
from tracker.find.locate import Model
from tracker.live.tracking_thread import Captured, Notes, TrackingThread
from tracker.result import Shown
from tracker.slots import Slot
from tracker.track import Tracker
from tracker.types import Frame

ROOT = Path(__file__).parents[2]
BATCH = np.ones((1, 3, 4, 4), np.float32)


@dataclass
class Plain:
    """An engine that gives one number."""

    provider: str = "CPUExecutionProvider"
    gives: object = 5.0
    threads: int = 2
    props: dict[str, str] = field(default_factory=lambda: {"tracker": "words"})

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        if isinstance(self.gives, Exception):
            raise self.gives
        return {"xy": np.full((len(batch), 2), self.gives, np.float32)}


class Site:
    """A build that waits for the test."""

    def __init__(self, outcome: Plain | Exception) -> None:
        self.outcome, self.may_end, self.begun = outcome, Event(), Event()
        self.engine = SwapEngine(Plain(), "TensorRT", self.build)

    def build(self) -> Plain:
        self.begun.set()
        assert self.may_end.wait(10)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def end(self) -> None:
        self.may_end.set()
        self.engine.thread.join(10)


def test_it_serves_and_then_takes_over() -> None:
    site = Site(Plain("TensorRT", 5.01, 1))
    assert site.begun.wait(10)
    engine = site.engine
    assert engine.provider == "CPUExecutionProvider (TensorRT engine builds)"
    assert engine.run(BATCH)["xy"][0, 0] == 5 and engine.threads == 2
    assert engine.props == {"tracker": "words"}
    site.end()
    assert (engine.provider, engine.threads) == ("TensorRT", 1)
    assert engine.run(BATCH)["xy"][0, 0] == np.float32(5.01)


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        (RuntimeError("the driver is too old; update it"), "no TensorRT: the driver is too old"),
        (OSError("no such file"), "no TensorRT: no such file"),
        (Plain("TensorRT", 9.0), "TensorRT is not used: its xy is another"),
        (Plain("TensorRT", np.nan), "TensorRT is not used: its xy is no number"),
        (Plain("TensorRT", RuntimeError("out of memory; end")), "TensorRT failed: out of memory"),
    ],
)
def test_it_serves_on(outcome: Plain | Exception, word: str) -> None:
    site = Site(outcome)
    site.end()
    assert site.engine.run(BATCH)["xy"][0, 0] == 5
    assert site.engine.provider == f"CPUExecutionProvider ({word})"
    assert site.engine.run(BATCH)["xy"][0, 0] == 5


def test_it_falls_back_later_too() -> None:
    better = Plain("TensorRT")
    site = Site(better)
    site.end()
    site.engine.run(BATCH)
    better.gives = 100.0  # only the first answers are compared
    assert site.engine.run(BATCH)["xy"][0, 0] == 100
    better.gives = RuntimeError("the GPU fell off; start again")
    assert site.engine.run(BATCH)["xy"][0, 0] == 5
    assert site.engine.provider == "CPUExecutionProvider (TensorRT failed: the GPU fell off)"


def test_what_is_the_same_network() -> None:
    one = {"a": np.array([100.0, 1.0]), "b": np.zeros(0)}
    assert differs(one, one) is None
    assert differs({"a": np.array([91.0, 9.0]), "b": np.zeros(0)}, one) is None
    assert differs({"a": np.array([100.0, 12.0]), "b": np.zeros(0)}, one) == "its a is another"
    other = "its outputs have other names or shapes"
    assert (
        differs({"a": one["a"]}, one) == differs({"a": one["a"][:1], "b": one["b"]}, one) == other
    )


def test_the_screen_is_told_when_another_engine_takes_over() -> None:
    site = Site(Plain("TensorRT"))
    config = TrackerConfig(faces=False)
    tracker = Tracker(
        config, {"hand": Model(site.engine, blob_info(), Path(__file__))}, {"hand": BlobFinder()}
    )
    shown: list[Shown] = []
    stage = TrackingThread(Slot(), config, lambda c: tracker, shown.append, Notes(), lambda: 0.0)
    stage._fulfil_wishes()
    assert stage._main is not None
    black = np.zeros((48, 64, 3), np.uint8)
    for t, begins in enumerate(("CPUExecutionProvider (TensorRT engine builds", "TensorRT")):
        stage._process(stage._main, Captured(t, 0, Frame(t, float(t), black), 0.0))
        (used,) = stage.facts.used
        assert used.provider.startswith(begins) and used.file == "test_swap.py"
        site.end()
    assert len(shown) == 2


def test_a_program_that_ends_does_not_wait_for_a_build() -> None:
    """The builder's monitor stops it as soon as the main thread has ended."""
    code = """
import sys, time
from types import SimpleNamespace
from engines.swap import SwapEngine
from engines.trt_build import progress_monitor
class Base: pass
monitor = progress_monitor(SimpleNamespace(IProgressMonitor=Base), lambda share: None)
serving = SimpleNamespace(provider="x", threads=1, props={})
def build():
    monitor.phase_start("all", None, 1000)
    for step in range(1000):
        time.sleep(0.05)
        if not monitor.step_complete("all", step):
            print("stopped", flush=True)
            raise RuntimeError("stopped")
SwapEngine(serving, "TensorRT", build)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=20
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "stopped\n", "")
