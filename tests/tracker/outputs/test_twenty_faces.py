"""Twenty faces at once: in files, datagrams and pictures."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.helpers import clips
from tests.helpers.receivers import mailbox, osc_ears
from tracker.find.expressions import EXPRESSIONS
from tracker.outputs.open import find_output
from tracker.outputs.out_file import OutFile
from tracker.outputs.output import About
from tracker.outputs.overlay import Style, draw
from tracker.outputs.skeleton import skeletons
from tracker.result import Result
from tracker.types import Frame, Track

SHAPE = (1080, 1920, 3)


def face(i: int) -> Track:
    """On a grid of five by four, 60 px large, with all that a face can have."""
    xy = clips.face_xy((200 + 380 * (i % 5), 200 + 220 * (i // 5)), 30)
    return replace(
        clips.track("face", number=i + 1), xy=xy, xy_raw=xy,
        irises=np.zeros((2, 3), np.float32), visible=np.ones(68, np.float32),
        expressions=np.full(len(EXPRESSIONS), i / 20, np.float32),
    )  # fmt: skip


FACES = tuple(face(i) for i in range(20))
FRAME, RESULT = Frame(0, 0.0, np.zeros(SHAPE, np.uint8)), Result(0.0, FACES)


def about(folder: Path) -> About:
    return About(
        "clip", clips.USED, target=lambda path: OutFile(path, [folder / "clip.mp4"], False)
    )


def test_files_hold_them(tmp_path: Path) -> None:
    for name in ("out.jsonl", "out.csv"):
        output = find_output(name)(str(tmp_path / name), about(tmp_path))
        output.put(FRAME, RESULT)
        output.close(True)
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    tracks = json.loads(lines[-1])["tracks"]
    assert [t["id"] for t in tracks] == list(range(1, 21))
    assert all(len(t["xy"]) == 68 for t in tracks)
    rows = list(csv.DictReader((tmp_path / "out_face.csv").open(newline="")))
    assert [int(r["track_id"]) for r in rows] == list(range(1, 21))


def test_osc_names_them() -> None:
    with osc_ears() as ears:
        output = find_output("osc://")(f"osc://127.0.0.1:{ears.port}", About("cam", clips.USED))
        output.put(FRAME, RESULT)
        names = ["face", *(f"face{i}" for i in range(2, 21))]
        for i, name in enumerate(names):
            assert ears.wait(f"/{name}/found") == [(1,)]
            (value,) = ears.wait(f"/{name}/expression/jawOpen")[0]
            assert abs(float(str(value)) - i / 20) < 1e-6
        output.close(True)


def test_openseeface_sends_them_in_one_datagram() -> None:
    with mailbox() as box:
        where = f"openseeface://127.0.0.1:{box.port}"
        output = find_output(where)(where, About("cam", clips.USED))
        output.put(FRAME, RESULT)
        assert len(box.take()) == 20 * 1785
        output.close(True)


def test_a_small_face_has_its_number_beside_it_and_a_large_one_its_words() -> None:
    """20 labels that say all would cover half of the faces."""
    look, plain = skeletons([m.info for m in clips.USED]), Style(labels=False)

    def labelled(tracks: tuple[Track, ...]) -> int:
        without, drawn = draw(FRAME.bgr, tracks, look, plain), draw(FRAME.bgr, tracks, look)
        return int((without != drawn).any(2).sum())

    grey = np.full(SHAPE, 90, np.uint8)
    many = [(draw(grey, (t,), look) != draw(grey, (t,), look, plain)).any(2) for t in FACES]
    assert max(np.ptp(np.nonzero(mask)[1]) for mask in many) < 120, "a number is short"
    assert np.sum(many, axis=0).max() == 1, "no label lies on another"
    large = replace(FACES[7], xy=clips.face_xy((900, 500), 150))
    assert labelled((large,)) > 3 * labelled((FACES[7],))
