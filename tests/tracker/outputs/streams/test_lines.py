"""Lines to standard output and as datagrams are those of a JSON Lines file."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest

from tests.helpers import clips
from tests.helpers.receivers import mailbox
from tracker.errors import UserError
from tracker.outputs.jsonl import JsonLinesFile
from tracker.outputs.open import find_output
from tracker.outputs.output import About
from tracker.outputs.streams.lines import Lines
from tracker.outputs.streams.stdout import StandardOutput
from tracker.outputs.streams.udp import UdpLines
from tracker.result import Result
from tracker.types import Frame

ABOUT = About("cam", clips.USED)


def seen(t: float) -> Result:
    return Result(t, (clips.track("hand"), clips.track("face", number=2)))


def stream(target: object, frames: int = 3, step: float = 0.04) -> None:
    """Some frames, the last without a picture."""
    for i in range(frames):
        last = i == frames - 1
        frame = Frame(5 + i, 70 + i * step, None if last else clips.picture(i))
        target.put(frame, None if last else seen(frame.t))  # type: ignore[attr-defined]


def test_lines_are_those_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    file = JsonLinesFile(str(path), ABOUT)
    stream(file)
    file.close(True)
    lines = Lines(ABOUT)
    texts = [
        text
        for i in range(3)
        for text in lines.next(
            Frame(5 + i, 70 + i * 0.04, clips.picture(i) if i < 2 else None),
            seen(70.0) if i < 2 else None,
        )
    ]
    assert "".join(texts[1:]) == "".join(path.read_text().splitlines(keepends=True)[1:])
    head = json.loads(texts[0])
    assert head["schema_version"] == 1 and head["size_wh"] == [96, 64] and head["source"] == "cam"


def test_other_models_are_told_and_the_header_follows() -> None:
    used = [clips.USED[:1]]
    lines = Lines(About("cam", (), used=lambda: used[0]))
    lines.next(Frame(1, 1.0, None), None)
    used[0] = clips.USED
    event, row = lines.next(Frame(2, 2.0, None), None)
    assert json.loads(event)["event"] == "models" and json.loads(row)["gap"] is True
    assert list(json.loads(lines.header)["landmarks"]) == ["hand", "face"]


def test_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    assert find_output("-") is StandardOutput
    stream(StandardOutput("-", ABOUT))
    rows = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert rows[0]["schema_version"] == 1 and [r["frame"] for r in rows[1:]] == [5, 6, 7]


def test_a_reader_that_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        monkeypatch.setattr("sys.stdout", pipe)
        with pytest.raises(UserError, match="has ended"):
            stream(StandardOutput("-", ABOUT))
        monkeypatch.undo()
        with suppress(BrokenPipeError):
            pipe.close()


def test_datagrams_with_the_header_again_each_second() -> None:
    with mailbox() as box:
        output = UdpLines(f"udp://127.0.0.1:{box.port}", ABOUT)
        stream(output, frames=5, step=0.5)
        rows = [json.loads(box.take()) for _ in range(8)]
        output.close(True)
        assert box.is_empty()
    assert [row.get("frame", "header") for row in rows] == [
        "header", 5, 6, "header", 7, 8, "header", 9,
    ]  # fmt: skip


def test_addresses() -> None:
    with mailbox() as box:
        output = UdpLines(f"udp://:{box.port}", ABOUT)  # no host: this computer
        stream(output, frames=1)
        assert json.loads(box.take())["source"] == "cam"
    for bad, words in (
        ("udp://127.0.0.1", "names no port; give one such as udp://127.0.0.1:5005"),
        ("udp://127.0.0.1:70000", "no usable port"),
        ("udp://127.0.0.1:x", "no usable port"),
        ("udp://127.0.0.1:0", "no usable port"),
        ("udp://no.such.host.invalid:9", "check the host's name"),
    ):
        with pytest.raises(UserError, match=words):
            UdpLines(bad, ABOUT)


def test_nobody_listens() -> None:
    """An ICMP refusal of an earlier datagram is no error: who comes later gets the next ones."""
    with mailbox() as box:
        port = box.port
    output = UdpLines(f"udp://127.0.0.1:{port}", ABOUT)
    for _ in range(5):
        stream(output)
    output.close(True)
