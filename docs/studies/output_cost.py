"""What outputs cost a frame: `python -m docs.studies.output_cost`.

Frames with two hands and a face, new ones each time, are published at 60 a second as the live
pipeline does, to eight outputs, each behind its own backlog, with another process that listens.
Printed as JSON are the milliseconds by which a frame is held up on the tracker's thread (the time
of publishing it), and the processor time that the program takes a frame beyond that without
outputs.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np

from tracker.config import TrackerConfig
from tracker.find.hand_bones import bent
from tracker.find.head_pose import face_xyz
from tracker.live.live_output import LiveOutput
from tracker.load import load
from tracker.outputs.landmark_files import UsedModel
from tracker.outputs.open import find_output
from tracker.outputs.output import About
from tracker.result import Result
from tracker.types import Frame, Pose, Side, Track

FPS, SECONDS, SETTLE = 60, 10.0, 1.0
PORTS = {"udp": 5005, "osc": 9000, "vmc": 39539, "opentrack": 4242, "openseeface": 11573}
WS = 8765


def main() -> None:
    """Measure and print JSON."""
    models = load(TrackerConfig(), []).models
    with tempfile.TemporaryDirectory() as folder, listening():
        targets = [f"{scheme}://127.0.0.1:{port}" for scheme, port in PORTS.items()]
        targets += [f"ws://127.0.0.1:{WS}", "-", str(Path(folder) / "x.jsonl")]
        none, every = measured([], models), measured(targets, models)
    cost = every.pop("processor_ms") - none.pop("processor_ms")
    told = {"outputs": len(targets), "fps": FPS, **every, "processor_ms_more": round(cost, 3)}
    print(json.dumps(told))


def measured(targets: Sequence[str], models: tuple[UsedModel, ...]) -> dict[str, float]:
    """Milliseconds a frame with these outputs."""
    about = About("study", models, used=lambda: models)
    outputs = [LiveOutput(t, find_output(t), about, print) for t in targets]
    threads = [Thread(target=output.run) for output in outputs]
    held: list[float] = []
    worked: list[float] = []  # processor time of the same thread: a busy machine does not count
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        for thread in threads:
            thread.start()
        begun = due = time.monotonic()
        spent = 0.0
        while (now := time.monotonic()) < begun + SETTLE + SECONDS:
            if spent == 0 and now > begun + SETTLE:
                spent, first = time.process_time(), len(held)
            frame, result = seen(len(held), now)
            start, busy = time.perf_counter(), time.thread_time()
            for output in outputs:
                output.put(frame, result)
            held.append(1e3 * (time.perf_counter() - start))
            worked.append(1e3 * (time.thread_time() - busy))
            due += 1 / FPS
            time.sleep(max(due - time.monotonic(), 0))
        spent = time.process_time() - spent
        for output in outputs:
            output.close(True)
        for thread in threads:
            thread.join()
    kept = np.array(held[first:])
    facts = [output.facts for output in outputs]
    assert all(fact.error is None for fact in facts), facts
    return {
        "held_up_mean_ms": round(float(kept.mean()), 4),
        "held_up_p50_ms": round(float(np.percentile(kept, 50)), 4),
        "held_up_p95_ms": round(float(np.percentile(kept, 95)), 4),
        "held_up_processor_mean_ms": round(float(np.mean(worked[first:])), 4),
        "processor_ms": 1e3 * spent / len(kept),
        "dropped": sum(fact.dropped for fact in facts),
        "sent": min((fact.sent for fact in facts), default=0),
    }


def seen(index: int, t: float) -> tuple[Frame, Result]:
    """Two hands and a face that move."""
    noise = np.random.default_rng(index)
    tracks = [hand(side, number, noise) for number, side in enumerate(("left", "right"), 1)]
    xy = (8 * face_xyz()[:, :2] + (320, 240) + noise.normal(size=(68, 2))).astype(np.float32)
    matrix = np.eye(4, dtype=np.float32)
    score = np.full(68, 0.9, np.float32)
    tracks.append(Track(3, "face", xy, xy, score, 0.9, None, 0.0, None, 0.0,
                        Pose(*noise.normal(0, 10, 3).tolist(), matrix), index))  # fmt: skip
    return Frame(index, t, PICTURE), Result(t, tuple(tracks))


PICTURE = np.zeros((480, 640, 3), np.uint8)


def hand(side: Side, number: int, noise: np.random.Generator) -> Track:
    """A hand that opens and shuts."""
    xyz = bent(side, noise.uniform(0, 60, (5, 3)))
    xy = (100 * xyz[:, :2] * (1, -1) + (320, 300)).astype(np.float32)
    score = np.full(21, 0.9, np.float32)
    track = Track(number, "hand", xy, xy, score, 0.9, side, 0.9, "fist", 0.9, None, 1)
    return replace(track, xyz=xyz, gestures=(("fist", 0.9), ("palm", 0.1)))


@contextmanager
def listening() -> Iterator[None]:
    """Another process that reads what comes."""
    process = subprocess.Popen([sys.executable, "-m", "docs.studies.output_cost", "--listen"])
    time.sleep(2)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def listen() -> None:
    """Read datagrams and WebSocket lines, until ended."""
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect

    def read(port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as box:
            box.bind(("127.0.0.1", port))
            while True:
                box.recv(65535)

    for port in PORTS.values():
        Thread(target=read, args=(port,), daemon=True).start()
    while True:
        try:
            with connect(f"ws://127.0.0.1:{WS}") as link:
                for _ in link:
                    pass
        except (OSError, WebSocketException):
            time.sleep(0.1)


if __name__ == "__main__":
    listen() if "--listen" in sys.argv else main()
