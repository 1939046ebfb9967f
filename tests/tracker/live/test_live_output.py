"""Outputs of the live pipeline behind their backlogs: whoever does not read holds up no frame."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Event, Thread

import numpy as np

from tests.helpers import clips
from tests.helpers.live import FakeCamera, wait_for
from tests.tracker.live.test_pipeline import running, serial
from tests.tracker.outputs.streams.test_websocket import deaf
from tracker.live.live_output import MOST, LiveOutput
from tracker.outputs.open import OUTPUTS, find_output
from tracker.outputs.output import About, Output
from tracker.outputs.streams.websocket import WebSocketServer
from tracker.result import Result
from tracker.types import Frame

ABOUT = About("cam", clips.USED)
PICTURE = np.zeros((480, 640, 3), np.uint8)


class Stuck:
    """Reads one frame, and no more until it is let go."""

    def __init__(self) -> None:
        self.let_go = Event()
        self.got: list[int] = []

    def put(self, frame: Frame, result: Result | None) -> None:
        if result is None:  # a busy machine was silent for a while
            return
        self.got.append(frame.index)
        self.let_go.wait(60)

    def close(self, whole: bool) -> None:
        pass


@contextmanager
def started(target: str, opened: Callable[[str, About], Output]) -> Iterator[LiveOutput]:
    output = LiveOutput(target, opened, ABOUT, lambda words: None)
    thread = Thread(target=output.run)
    thread.start()
    try:
        yield output
    finally:
        output.close(True)
        thread.join(20)
        assert not thread.is_alive()


def seen(i: int) -> tuple[Frame, Result]:
    return Frame(i, i / 60, PICTURE), Result(i / 60, (clips.track("hand"), clips.track("face")))


def test_what_does_not_fit_is_dropped_and_counted_and_the_oldest_stay_in_order() -> None:
    stuck = Stuck()
    with started("stuck", lambda target, about: stuck) as output:
        output.put(*seen(0))
        wait_for(lambda: stuck.got == [0], "the first frame")
        for i in range(1, 51):
            output.put(*seen(i))
        assert output.facts.dropped == 50 - (MOST - 1), "the one in hand counts as waiting"
        stuck.let_go.set()
        wait_for(lambda: output.facts.sent == MOST, "what waited")
    assert stuck.got == list(range(MOST)) and output.facts.phase == "closed"


def test_a_slow_stream_is_not_silent_between_its_frames() -> None:
    """Of one whose first two frames lie 0.7 s apart it is known from then on."""
    told: list[int | None] = []

    class Noting(Stuck):
        def put(self, frame: Frame, result: Result | None) -> None:
            told.append(None if result is None else frame.index)

    with started("slow", lambda target, about: Noting()) as output:
        for i in range(5):
            output.put(*seen(i))
            time.sleep(0.7)
        assert told == [0, None, 1, 2, 3, 4]
        wait_for(lambda: told[-1] is None, "a silence that lasts")


def test_stuck_outputs_hold_up_no_frame_of_a_pipeline() -> None:
    """Their threads wait for ever; the picture goes on, and the pipeline ends in time."""
    stuck = Stuck()
    OUTPUTS[".stuck"] = lambda target, about: stuck
    try:
        with running(FakeCamera(fps=100)) as pipeline:
            pipeline.add_output("x.stuck")
            wait_for(lambda: len(stuck.got) == 1, "it is stuck")
            before = serial(pipeline)
            wait_for(lambda: pipeline.health().outputs[0].dropped > 10, "frames are dropped")
            assert serial(pipeline) > before + 10 and pipeline.health().error is None
            stuck.let_go.set()
    finally:
        del OUTPUTS[".stuck"]


def work() -> float:
    """What a tracker might do: about two milliseconds of arithmetic."""
    return float(np.linalg.svd(MATRIX)[1][0])


MATRIX = np.random.default_rng(0).normal(size=(60, 60))


def test_receivers_that_stop_reading_change_p95_of_a_frame_by_less_than_5_percent() -> None:
    """Frames with and without them by turns, so that both meet the same busy machine.

    One is stuck in its `put`, one is a WebSocket client that never reads, one is an address where
    nobody listens. A real slow-down would show in each of the tries; bad luck does not.
    """
    stuck, servers = Stuck(), list[WebSocketServer]()

    def serve(target: str, about: About) -> Output:
        servers.append(WebSocketServer(target, about))
        return servers[-1]

    with (
        started("stuck", lambda target, about: stuck) as first,
        started("ws://127.0.0.1:0", serve) as second,
        started("udp://127.0.0.1:9", find_output("udp://127.0.0.1:9")) as third,
    ):
        second.put(*seen(0))
        wait_for(lambda: bool(servers), "the server")
        with closing(deaf(servers[0].port)):
            wait_for(lambda: len(servers[0]._clients) == 1, "the deaf client")
            ratios = []
            for _ in range(20):
                ratios.append(ratio_of_p95([first, second, third]))
                if ratios[-1] < 1.05:
                    break
            assert min(ratios) < 1.05, ratios
            assert first.facts.dropped > 50
            stuck.let_go.set()


def ratio_of_p95(outputs: list[LiveOutput], frames: int = 150) -> float:
    """p95 of a frame's time with these outputs, over that without."""
    times: dict[bool, list[float]] = {True: [], False: []}
    for i in range(frames):
        for with_them in (True, False) if i % 2 else (False, True):
            frame, result = seen(i)
            begun = time.perf_counter()
            work()
            for output in outputs if with_them else []:
                output.put(frame, result)
            times[with_them].append(time.perf_counter() - begun)
    slow, plain = (float(np.percentile(times[key], 95)) for key in (True, False))
    return slow / plain


def test_one_waits_until_the_one_before_has_let_go() -> None:
    """A port or a file that is switched off and on again at once."""
    told: list[str] = []

    class Slow:
        def __init__(self, target: str, about: About) -> None:
            told.append("open")

        def put(self, frame: Frame, result: Result | None) -> None:
            pass

        def close(self, whole: bool) -> None:
            time.sleep(0.3)
            told.append("closed")

    with running(FakeCamera()) as pipeline:
        pipeline.add_output("x", opened=Slow)
        wait_for(lambda: told == ["open"], "it is open")
        pipeline.remove_output("x")
        pipeline.add_output("x", opened=Slow)
        wait_for(lambda: len(told) == 3, "it is open again")
        assert told == ["open", "closed", "open"]
