"""Frames and times of a file that goes on: worked out by hand."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from tests.helpers import clips
from tracker.errors import UserError
from tracker.outputs.csv_tables import CsvTables
from tracker.outputs.jsonl import JsonLinesFile
from tracker.outputs.numbering import Numbering
from tracker.outputs.out_file import LiveFile, drop_half_line
from tracker.outputs.output import About
from tracker.result import Result
from tracker.types import Frame


def frame(index: int, t: float, captured: float | None) -> Frame:
    return Frame(index, t, clips.picture(0), captured)


def test_parts_follow_each_other_by_the_clock() -> None:
    numbering = Numbering()
    numbering.begin_part()
    assert not numbering.has_begun
    assert numbering.place(frame(3, 100.0, 50.0)) == (3, 0.0) and numbering.has_begun
    assert numbering.place(frame(5, 100.5, 50.5)) == (5, 0.5)
    numbering.begin_part()
    assert numbering.place(frame(1, 7.0, 62.0)) == (6, 12.0), "12 s after the first was handed over"
    assert numbering.place(frame(2, 7.25, 62.25)) == (7, 12.25)
    numbering.begin_part()
    assert numbering.place(frame(1, 0.0, None)) == (8, 12.25), "no clock: it goes on where it was"
    numbering.begin_part()
    assert numbering.place(frame(40, 0.0, 63.0)) == (40, 13.0), "a number that is free stays"


def test_a_silence_lies_where_it_began() -> None:
    """On a slow computer frames come that were captured before it was told."""
    numbering = Numbering()
    numbering.place(frame(1, 10.0, 10.0))
    assert numbering.place(frame(2, 10.1, 10.1)) == (2, pytest.approx(0.1))
    assert numbering.place(Frame(2, 10.7, None)) == (2, pytest.approx(0.1))
    assert numbering.place(frame(3, 10.2, 10.2)) == (3, pytest.approx(0.2))


def about(numbering: Numbering, source: str) -> About:
    usual = About(source, clips.USED, numbering=numbering)
    if not numbering.has_begun:
        return usual
    return About(source, clips.USED, numbering=numbering, target=partial(LiveFile, goes_on=True))


def test_lines_go_on_in_the_same_file(tmp_path: Path) -> None:
    path, numbering = tmp_path / "x.jsonl", Numbering()
    for source, came in (("first", 10.0), ("second", 15.0)):
        output = JsonLinesFile(str(path), about(numbering, source))
        for i in range(3):
            seen = Result(0.0, (clips.track("hand"),))
            output.put(frame(i + 1, 0.1 * i, came + 0.1 * i), seen)
        output.close(True)
        with path.open("a") as file:
            file.write('{"half a li')
    head, *rows = map(json.loads, path.read_text().splitlines()[:-1])
    assert head["source"] == "first" and "start_time" in head
    assert [row.get("frame") for row in rows] == [1, 2, 3, None, 4, 5, 6]
    assert [row.get("t_s") for row in rows] == [0, 0.1, 0.2, None, 5, 5.1, 5.2]
    event = rows[3]
    assert (event["event"], event["source"]) == ("source", "second")
    assert event["landmarks"] == head["landmarks"] and event["models"] == head["models"]


def test_tables_go_on_with_the_same_columns_only(tmp_path: Path) -> None:
    path, numbering = tmp_path / "x.csv", Numbering()
    for came in (10.0, 15.0):
        output = CsvTables(str(path), about(numbering, "cam"))
        output.put(frame(1, 0.0, came), Result(0.0, (clips.track("hand"),)))
        output.close(True)
    lines = (tmp_path / "x_hand.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in lines] == [["frame", "t_s"], ["1", "0.0"], ["2", "5.0"]]
    (tmp_path / "x_hand.csv").write_text("frame,t_s,other\n")
    with pytest.raises(UserError, match=r"x_hand\.csv cannot go on: .*name another file"):
        CsvTables(str(path), about(numbering, "cam"))


def test_a_file_that_is_gone_begins_anew(tmp_path: Path) -> None:
    path, numbering = tmp_path / "x.jsonl", Numbering()
    numbering.place(frame(1, 0.0, 1.0))
    JsonLinesFile(str(path), about(numbering, "cam")).close(True)
    (head,) = map(json.loads, path.read_text().splitlines())
    assert head["schema_version"] == 1


@pytest.mark.parametrize("size", [10, 100_000])
def test_half_a_line_is_cut_off(tmp_path: Path, size: int) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"a\nb\n" + b"x" * size)
    drop_half_line(path)
    assert path.read_bytes() == b"a\nb\n"
    path.write_bytes(b"x" * size)
    drop_half_line(path)
    assert path.read_bytes() == b""
