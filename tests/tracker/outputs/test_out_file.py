"""Outputs appear whole or not at all, and never over what must stay."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tracker.errors import UserError, writing
from tracker.outputs.out_file import LiveFile, OutFile


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_appears_at_commit(tmp_path: Path) -> None:
    out = OutFile(tmp_path / "a.txt")
    out.temp.write_text("x")
    assert not out.path.exists() and out.temp.parent == tmp_path
    out.commit()
    assert out.path.read_text() == "x" and names(tmp_path) == ["a.txt"]


def test_discard_leaves_nothing(tmp_path: Path) -> None:
    OutFile(tmp_path / "a.txt").discard()
    assert names(tmp_path) == []


def test_input_is_never_an_output(tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    source.write_text("film")
    (tmp_path / "link.mp4").symlink_to(source)
    (tmp_path / "hard.mp4").hardlink_to(source)
    for name in ("in.mp4", "link.mp4", "hard.mp4"):
        with pytest.raises(UserError, match="is the input itself"):
            OutFile(tmp_path / name, [source], overwrite=True)
    assert source.read_text() == "film"


def test_existing_output_needs_overwrite(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(UserError, match="--overwrite"):
        OutFile(path)
    out = OutFile(path, overwrite=True)
    assert path.read_text() == "old"
    out.commit()
    assert path.read_text() == ""


def test_output_that_appeared_meanwhile_is_kept(tmp_path: Path) -> None:
    out = OutFile(tmp_path / "a.txt")
    out.path.write_text("somebody else's")
    with pytest.raises(UserError, match="appeared"):
        out.commit()
    assert names(tmp_path) == ["a.txt"]
    assert out.path.read_text() == "somebody else's"


@pytest.mark.parametrize(
    ("path", "words"), [("no/a.txt", "no folder"), (".", "is a folder"), ("f/a.txt", "no folder")]
)
def test_impossible_places(tmp_path: Path, path: str, words: str) -> None:
    (tmp_path / "f").write_text("a file")
    with pytest.raises(UserError, match=words):
        OutFile(tmp_path / path)


def test_a_live_file_has_its_name_from_the_start_and_is_never_removed(tmp_path: Path) -> None:
    out = LiveFile(tmp_path / "a.txt")
    out.temp.write_text("half")
    out.discard()
    assert (tmp_path / "a.txt").read_text() == "half"
    with pytest.raises(UserError, match="exists already; choose another name") as caught:
        LiveFile(tmp_path / "a.txt")
    assert "--overwrite" not in str(caught.value), "'tracker live' has no such option"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a read-only folder")
def test_unwritable_folder() -> None:
    with pytest.raises(UserError, match="could not be written"):
        OutFile(Path("/proc/a.txt"))


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "disk is full"), (errno.EFBIG, "largest size"), (errno.EIO, "Input/output")],
)
def test_write_errors_are_explained(number: int, words: str) -> None:
    with pytest.raises(UserError, match=words), writing(Path("a.mp4")):
        raise OSError(number, os.strerror(number))
