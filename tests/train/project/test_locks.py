"""Two commands at once: the second is refused and told, and neither forgets what the other did."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import cv2
import pytest

from tests.helpers.clips import Clip, make, picture
from tests.helpers.teaching import new_project, with_clip
from tracker.errors import UserError
from train.exchange.bring import ImportWish, bring
from train.exchange.formats import read
from train.project.adding import add_clips, add_one, sources
from train.project.check import check
from train.project.clips import read_clips
from train.project.journal import read_labels
from train.project.layout import Project
from train.project.locks import sole_lister
from train.project.removing import find, remove
from train.project.stills import read_stills
from train.project.store import Store

BUSY = "another command adds or removes clips or pictures of .*; run this again"


@pytest.fixture
def made(tmp_path: Path) -> Project:
    project = new_project(tmp_path / "p")
    with_clip(project)
    return project


def test_another_process_is_refused_until_the_first_has_ended(made: Project) -> None:
    clip = make(made.root.parent / "b.mp4", Clip(8))
    command = [sys.executable, "-c", "from ui.commands.train import main; main()", "add", str(clip),
               "--project", str(made.root)]  # fmt: skip
    with sole_lister(made):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "run this again when it has ended" in done.stderr
    assert [c.name for c in read_clips(made)] == ["a.mp4"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [c.name for c in read_clips(made)] == ["a.mp4", "b.mp4"]


def test_a_clip_that_comes_while_another_is_decoded_is_not_forgotten(made: Project) -> None:
    """The report of the first, from the midst of its decoding, lets a second one try."""
    first, second = (
        make(made.root.parent / n, Clip(8 + i)) for i, n in enumerate(("b.mp4", "c.mp4"))
    )
    told: list[str] = []

    def try_second(*_: object) -> None:
        try:
            add_clips(made, [second])
        except UserError as error:
            told.append(str(error))

    def report(name: str, done: int, total: int) -> None:
        if not told:
            other = threading.Thread(target=try_second)
            other.start()
            other.join()

    add_one(made, sources(first)[0], report=report)
    assert told and "run this again" in told[0]
    add_clips(made, [second])
    assert [c.name for c in read_clips(made)] == ["a.mp4", "b.mp4", "c.mp4"]


def test_sets_imports_and_removals_are_refused_whole(made: Project, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    cv2.imwrite(str(folder / "x.png"), picture(1))
    labels = folder / "l.csv"
    labels.write_text("scorer,me,me\nbodyparts,tip,tip\ncoords,x,y\nx.png,1,2\n", encoding="utf-8")
    with sole_lister(made):
        with pytest.raises(UserError, match=BUSY):
            add_one(made, sources(folder)[0])
        with pytest.raises(UserError, match=BUSY):
            bring(made, [read(labels)], "photos", ImportWish())
        with pytest.raises(UserError, match=BUSY):
            remove(made, find(made, "a.mp4"))
    assert read_stills(made) == () and not read_labels(made).frames
    assert [c.name for c in read_clips(made)] == ["a.mp4"] and not (made.root / "removed").exists()
    assert bring(made, [read(labels)], "photos", ImportWish()).as_stills == 1


def test_a_clip_on_its_way_into_the_list_is_not_called_a_stray(made: Project) -> None:
    make(made.clips_dir / "b.mp4", Clip(8))
    with sole_lister(made):
        (told,) = [p for p in check(made, fix=True) if p.file == "clips/b.mp4"]
    assert told.severity == "warning" and "delete" not in told.remedy and not told.fixed
    assert (made.clips_dir / "b.mp4").is_file()
    (told,) = [p for p in check(made, fix=True) if p.file == "clips/b.mp4"]
    assert told.fixed


def test_a_second_removal_finds_nothing_and_says_so(made: Project) -> None:
    wish = find(made, "a.mp4")
    remove(made, wish)
    with pytest.raises(UserError, match="is not in the project any more"):
        remove(made, wish)
    assert [p.name for p in (made.root / "removed").iterdir()] == ["a"]


def test_clips_are_added_while_someone_labels(made: Project) -> None:
    with Store.open(made) as store:
        assert not store.read_only
        with_clip(made, "b.mp4", 8)
    assert [c.name for c in read_clips(made)] == ["a.mp4", "b.mp4"]


def test_a_folder_that_cannot_be_written_is_told(made: Project, monkeypatch) -> None:
    def no(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("train.project.locks.FileLock.acquire", no)
    with pytest.raises(UserError, match="Permission denied"), sole_lister(made):
        pass
