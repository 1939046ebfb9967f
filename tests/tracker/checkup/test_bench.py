"""`tracker bench` with fake trackers and clocks: order, counting, closing, and its sentences."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import tracker.checkup.bench_run
import ui.commands.tracker
from tests.helpers import clips
from tests.helpers.clips import Clip
from tracker.checkup import bench
from tracker.checkup.peers import PEERS
from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.find.model_file import Attribute
from tracker.load import Loaded
from tracker.types import Frame, Image, Kind


class FakePeer:
    """Sees one hand in every frame; takes `wall` and `cpu` seconds of the fake clocks."""

    settings = "fake"

    def __init__(self, name: str = "fake", wall: float = 0.0, cpu: float = 0.0) -> None:
        self.name = name
        self.wall, self.cpu = wall, cpu
        self.times: list[float] = []
        self.closed = 0
        self.clock: Clock | None = None
        self.log: list[tuple[str, float]] = []

    def prepare(self, frame_bgr: Image) -> object:
        if self.clock is not None:
            self.clock.wall += 100.0  # must not be counted
        return frame_bgr.copy()

    def process(self, prepared: object, t: float) -> Mapping[Kind, int]:
        self.times.append(t)
        self.log.append((self.name, t))
        if self.clock is not None:
            self.clock.wall += self.wall
            self.clock.cpu += self.cpu
        return {"hand": 1, "face": 0}

    def close(self) -> None:
        self.closed += 1


class Clock:
    wall = cpu = 0.0


def frames(count: int) -> list[Frame]:
    return [Frame(i, i / 25, np.zeros((4, 4, 3), np.uint8)) for i in range(count)]


def test_blocks_alternate_and_the_warm_up_is_not_counted() -> None:
    clock, log = Clock(), list[tuple[str, float]]()
    a, b = FakePeer("a", 0.002, 0.003), FakePeer("b", 0.004, 0.008)
    for peer in (a, b):
        peer.clock, peer.log = clock, log
    clocks = (lambda: clock.wall, lambda: clock.cpu)
    told: list[tuple[int, int]] = []
    runs = bench.compare([a, b], frames(9), 2, 3, clocks, lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert a.times == b.times == [i / 25 for i in range(9)]
    assert "".join(name for name, _ in log) == "aabb" + "aaabbb" + "bbbaaa" + "ab"
    assert runs[0].ms == pytest.approx([2.0] * 7) and runs[1].ms == pytest.approx([4.0] * 7)
    assert runs[1].cpu_s == pytest.approx([0.008] * 7)
    assert runs[0].with_kind == {"hand": 7, "face": 0}


def test_numbers_by_hand() -> None:
    clip = bench.Clip(Path("x/in.mp4"), frames(6), (4, 4), "the whole clip")
    ours = bench.Runs("ours", "s", [1.0, 2.0, 3.0, 10.0], [0.001] * 4, {"hand": 4})
    peer = bench.Runs("peer", "s", [2.0, 2.0, 2.0, 2.0], [0.002] * 4, {"hand": 3})
    found = json.loads(json.dumps(bench.report(clip, [ours, peer], {"end": 1.5}, extra=1)))
    assert found["clip"] == {
        "file": "in.mp4", "size_wh": [4, 4], "frames": 4, "warm_up": 2, "note": "the whole clip",
    }  # fmt: skip
    first = found["sides"][0]
    assert first["ms_per_frame"] == pytest.approx(
        {"min": 1.0, "median": 2.5, "mean": 4.0, "p95": 8.95, "max": 10.0}
    )
    assert first["cpu_s_per_frame"]["mean"] == pytest.approx(0.001)
    ratio = found["ratio_ours_to_peer"]["peer"]
    assert (ratio["min"], ratio["median"], ratio["max"]) == (0.5, 1.25, 5.0)
    assert found["schema_version"] == 1 and found["extra"] == 1


def test_the_clip_is_bounded(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "in.mp4", Clip(frames=12))
    whole = bench.read_clip(path, most=50, warm_up=2)
    assert (len(whole.frames), whole.note) == (12, "the whole clip")
    some = bench.read_clip(path, most=5, warm_up=2)
    assert len(some.frames) == 7 and "--frames 5" in some.note
    small = bench.read_clip(path, most=50, warm_up=2, memory=4 * 96 * 64 * 3)
    assert len(small.frames) == 4 and "MiB" in small.note
    with pytest.raises(UserError, match="gives 12 frames, and the first 12 are a warm-up"):
        bench.read_clip(path, most=50, warm_up=12)


def test_the_processor_has_a_name(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("processor\t: 0\nmodel name\t: Abacus 3000\nmodel name\t: Abacus 3000\n")
    assert bench.cpu_model(info) == "Abacus 3000"
    assert bench.cpu_model(tmp_path / "missing")


def test_a_busy_machine_is_mentioned() -> None:
    assert bench.busy_warning({"load_before": 0.3, "cores": 2}) is None
    assert bench.busy_warning({"load_before": None, "cores": 2}) is None
    assert "load 3.0 on 2 cores" in (bench.busy_warning({"load_before": 3.0, "cores": 2}) or "")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[FakePeer]]:
    """The command with a fake tracker and a fake MediaPipe."""
    peers: list[FakePeer] = []

    def load(config: TrackerConfig, models: Sequence[Path]) -> Loaded:
        kinds: list[Kind] = [k for k, on in (("hand", config.hands), ("face", config.faces)) if on]
        return clips.loaded(kinds)

    def peer(
        bundles: Mapping[Kind, Path], max_hands: int, max_faces: int, expressions: bool
    ) -> FakePeer:
        told = " with expressions" if expressions else ""
        peers.append(FakePeer(f"fake {sorted(bundles)} {max_hands} {max_faces}{told}"))
        return peers[-1]

    monkeypatch.setattr(tracker.checkup.bench_run, "load", load)
    monkeypatch.setitem(PEERS, "mediapipe", peer)
    yield peers


def run(*words: object) -> Result:
    return CliRunner().invoke(ui.commands.tracker.app, ["bench", *map(str, words)])


def test_the_command_beside_a_peer(tmp_path: Path, made: list[FakePeer]) -> None:
    clip = clips.make(tmp_path / "in.mp4", Clip(frames=16))
    bundle = tmp_path / "hand.task"
    bundle.write_bytes(b"x")
    out = tmp_path / "o.json"
    done = run(clip, "--peer", "mediapipe", "--hand-bundle", bundle, "--json", out)
    assert done.exit_code == 0, done.output
    assert "note: MediaPipe looks up a Google host" in done.stderr
    assert "6 frames after 10 of warm-up (the whole clip)" in done.stdout
    assert "ratio ours / fake" in done.stdout and "of 6 frames: hands in 6" in done.stdout
    (peer,) = made
    assert peer.name == "fake ['hand'] 2 1" and peer.closed == 1
    found = json.loads(out.read_text())
    assert found["kinds"] == ["hand"] and len(found["sides"]) == 2
    assert found["hardware"]["cpu"] and found["versions"]["python"]
    again = run(clip, "--json", out)
    assert again.exit_code == 1 and "exists already; add --overwrite" in again.stderr


def test_the_command_alone(tmp_path: Path, made: list[FakePeer]) -> None:
    done = run(clips.make(tmp_path / "in.mp4", Clip(frames=13)), "--frames", 2, "--no-faces")
    assert done.exit_code == 0 and not made
    assert "ratio" not in done.stdout and "MediaPipe" not in done.output
    assert "2 frames after 10 of warm-up" in done.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--peer", "mediapipe"], "needs its own models, which are not shipped; give"),
        (["--peer", "other"], "there is no peer 'other'; choose one of mediapipe"),
        (["--json", "no/such/folder/o.json"], "there is no folder"),
    ],
)
def test_wrong_wishes(
    tmp_path: Path, made: list[FakePeer], words: list[str], sentence: str
) -> None:
    done = run(clips.make(tmp_path / "in.mp4"), *words)
    assert done.exit_code == 1 and sentence in done.stderr and not made


def test_a_peer_that_fails_is_closed(
    tmp_path: Path, made: list[FakePeer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def process(self: FakePeer, prepared: object, t: float) -> Mapping[Kind, int]:
        raise RuntimeError("broken")

    monkeypatch.setattr(FakePeer, "process", process)
    bundle = tmp_path / "hand.task"
    bundle.write_bytes(b"x")
    words = ["--peer", "mediapipe", "--hand-bundle", bundle, "--json", tmp_path / "o.json"]
    done = run(clips.make(tmp_path / "in.mp4"), *words)
    assert isinstance(done.exception, RuntimeError)
    assert made[0].closed == 1
    assert {p.name for p in tmp_path.iterdir()} == {"in.mp4", "hand.task"}


def test_a_peer_is_asked_for_expressions_where_ours_are_told(
    tmp_path: Path, made: list[FakePeer], monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, bundle = clips.make(tmp_path / "in.mp4"), tmp_path / "face.task"
    bundle.write_bytes(b"x")
    words = ["--peer", "mediapipe", "--face-bundle", bundle]
    assert "expressions" not in run(clip, *words).stdout
    face = clips.USED[1]
    info = replace(face.info, attributes=(Attribute("expressions", size=52),))
    told = replace(clips.loaded(["face"]), models=(replace(face, info=info),))
    monkeypatch.setattr(tracker.checkup.bench_run, "load", lambda config, models: told)
    done = run(clip, *words)
    assert done.exit_code == 0, done.output
    assert "gestures, expressions and head pose included" in " ".join(done.stdout.split())
    assert [peer.name for peer in made] == [
        "fake ['face'] 2 1", "fake ['face'] 2 1 with expressions"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--engine", "abacus"], "no engine 'abacus'"),
        (["--engine", "tensorrt:cuda"], "names no device"),
        (["--precision", "int4"], "no precision 'int4'"),
    ],
)
def test_engines_and_precisions_that_do_not_exist(
    tmp_path: Path, made: list[FakePeer], words: list[str], sentence: str
) -> None:
    done = run(clips.make(tmp_path / "in.mp4"), *words)
    assert done.exit_code == 2 and sentence in " ".join(done.stderr.split()) and not made
