"""A format from outside: one row, and the commands read and write it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.train.exchange.test_roundtrip import labelled as labelled
from tracker.progress import Report
from train.exchange.foreign import NEGATIVE, Foreign, Format, LabelFile, Picture, thing
from train.exchange.formats import FORMATS, read, readable, writable
from train.exchange.pictures import copy_picture, reported
from train.project.journal import read_labels
from train.project.labels import FrameLabel
from train.project.layout import Project
from ui.commands.train import main


def read_dots(file: LabelFile) -> Foreign:
    """A line: clip, frame, and x y v of each landmark, counted from the first pixel's corner."""
    pictures = []
    for line in file.path.read_text().splitlines():
        clip, frame, *cells = line.split("\t")
        rows = [(n, *map(float, c.split())) for n, c in (cell.split("=") for cell in cells)]
        found = thing((n, x, y, int(v)) for n, x, y, v in rows)
        pictures.append(Picture("", (found,), file.path.parent, clip, int(frame)))
    return Foreign("dots", tuple(pictures))


def write_dots(
    project: Project, frames: Sequence[FrameLabel], out: Path, report: Report
) -> list[Path]:
    lines = []
    for label in reported(frames, report):
        copy_picture(project, label, out / f"{label.frame}.png")
        for found in label.objects:
            points = zip(project.landmarks, found.xy, found.v, strict=True)
            cells = [f"{n}={x + 0.5} {y + 0.5} {v}" for n, (x, y), v in points if v]
            lines.append("\t".join([label.clip, str(label.frame), *cells]))
    (out / "all.dots").write_text("\n".join(lines))
    return [out / "all.dots"]


DOTS = Format(
    "dots", read_dots, write_dots, lambda file: file.suffix == ".dots", corner=True,
    loses=(NEGATIVE,),
)  # fmt: skip


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> object:
    monkeypatch.setattr(sys, "argv", ["train", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


def test_a_format_is_one_row(
    labelled: tuple[Project, Project, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made, other, folder = labelled
    out = folder / "out"
    assert command(monkeypatch, "export-labels", made.root, "--format", "dots", "--out", out) == 1
    assert "--format takes coco, dlc," in capsys.readouterr().err
    monkeypatch.setitem(FORMATS, "dots", DOTS)
    assert command(monkeypatch, "export-labels", made.root, "--format", "dots", "--out", out) == 0
    said = capsys.readouterr().out
    assert "not kept by dots: 1 frames with nothing in them are left out" in said
    assert "wrote 3 frames" in said and (out / "7.png").is_file()
    assert command(monkeypatch, "import", out / "all.dots", "--project", other.root) == 0
    before, after = read_labels(made).frames, read_labels(other).frames
    assert set(after) == {("b.mp4", 3), ("b.mp4", 7)}  # frame 5 has boxes and no point
    two, back = before["b.mp4", 7].objects[0], after["b.mp4", 7].objects[0]
    np.testing.assert_allclose(back.xy, two.xy)
    assert back.v.tolist() == two.v.tolist()


@pytest.mark.parametrize("name,known", [("import", readable), ("export-labels", writable)])
def test_the_help_names_every_format(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, known
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert command(monkeypatch, name, "--help") == 0
    text = capsys.readouterr().out
    assert [format for format in known() if format not in text] == []
    assert len(known()) >= 6


@pytest.mark.parametrize("format", ["cvat-video", "nothing"])
def test_what_has_no_reader_is_not_read(tmp_path: Path, format: str) -> None:
    (tmp_path / "a.xml").write_text("<annotations/>")
    with pytest.raises(ValueError, match=r"takes auto or coco, dlc, sleap, cvat, labelstudio, lab"):
        read(tmp_path / "a.xml", format)
