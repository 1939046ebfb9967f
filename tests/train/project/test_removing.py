"""Taking clips and pictures out of a project, and back in: nothing is lost on the way."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from tests.helpers.teaching import label, new_project, with_clip
from tests.train.project.test_stills import folder_of, picture
from tracker.errors import UserError
from train.project import removing
from train.project.adding import add_one, sources
from train.project.check import check
from train.project.clips import ClipFrames, read_clips
from train.project.journal import read_labels
from train.project.labels import Range
from train.project.layout import Project
from train.project.removing import find, remove
from train.project.stills import read_set, read_stills
from train.project.store import Store
from ui.commands.train import app


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two clips and a set of three pictures, some of each labelled."""
    made = new_project(tmp_path / "p")
    with_clip(made, "a.mp4", 12)
    with_clip(made, "b.mp4", 14)
    (source,) = sources(folder_of(tmp_path))
    add_one(made, source)
    with Store.open(made) as store:
        for clip, frame in (("a.mp4", 1), ("a.mp4", 5), ("b.mp4", 2)):
            with ClipFrames(made, next(c for c in read_clips(made) if c.name == clip)) as frames:
                bgr = frames.frame(frame).bgr
            assert bgr is not None
            store.keep_picture(clip, frame, bgr)
            store.set_frame(label(frame, clip=clip))
        for number, width in ((0, 98), (2, 96)):
            store.set_frame(replace(label(number, clip="my_photos"), t=0.0, size_wh=(width, 64)))
        store.set_ranges([Range(c, 0.0, 0.2, "gesture", "fist") for c in ("a.mp4", "b.mp4")])
    return made


def files(project: Project) -> set[bytes]:
    """Everything that the user made, wherever it is now."""
    return {p.read_bytes() for p in project.root.rglob("*") if p.suffix in (".mp4", ".png")}


def test_a_clip_goes_with_its_labels_and_nothing_is_lost(project: Project) -> None:
    before, content = read_labels(project), files(project)
    done = remove(project, find(project, "a.mp4"))
    assert (done.name, done.frames, done.ranges) == ("a", 2, 1)
    assert [c.name for c in read_clips(project)] == ["b.mp4"]
    after = read_labels(project)
    assert set(after.frames) == {k for k in before.frames if k[0] != "a.mp4"}
    assert [r.clip for r in after.ranges] == ["b.mp4"]
    assert files(project) == content
    assert sorted(p.name for p in done.folder.iterdir()) == [
        "a.mp4", "frames", "labels.json", "ranges.csv",
    ]  # fmt: skip
    assert not (project.frames_dir / "a").exists()
    assert [p for p in check(project) if p.severity == "error"] == []


def test_what_was_removed_comes_back_with_add_and_import(project: Project) -> None:
    before = read_labels(project).frames
    done = remove(project, find(project, "a"))
    run = CliRunner()
    for command in (
        ["add", str(done.folder / "a.mp4")],
        ["import", str(done.folder / "labels.json")],
    ):
        where = ["--project", str(project.root)]
        told = run.invoke(app, [*command, *where])
        assert told.exit_code == 0, (told.output, told.exception)
    after = read_labels(project).frames
    assert set(after) == set(before)
    for key, frame in before.items():
        for old, new in zip(frame.objects, after[key].objects, strict=True):
            assert np.allclose(old.xy, new.xy, equal_nan=True) and (old.v == new.v).all()


def test_a_set_goes_whole(project: Project) -> None:
    content = files(project)
    done = remove(project, find(project, "my_photos"))
    assert (done.frames, done.ranges) == (2, 0) and read_stills(project) == ()
    assert files(project) == content
    assert (done.folder / "frames" / "my_photos" / "pictures.csv").is_file()
    assert {k[0] for k in read_labels(project).frames} == {"a.mp4", "b.mp4"}


@pytest.mark.parametrize("name", ["my_photos/c0.png", "my_photos/2"])
def test_one_picture_goes_and_the_others_keep_their_numbers(project: Project, name: str) -> None:
    done = remove(project, find(project, name))
    assert (done.name, done.frames) == ("my_photos_000002", 1)
    assert sorted(read_set(project, "my_photos").values()) == [0, 1]
    assert ("my_photos", 0) in read_labels(project).frames
    kept = done.folder / "frames" / "my_photos" / "frame000002.png"
    assert np.array_equal(cv2.imread(str(kept)), picture(0))  # c0.png
    assert not (project.frames_dir / "my_photos" / kept.name).exists()
    assert [p for p in check(project) if p.severity == "error"] == []


def test_names_that_stand_for_nothing(project: Project) -> None:
    with pytest.raises(UserError, match=r"no clip 'c.mp4'; it has a.mp4, b.mp4, my_photos"):
        find(project, "c.mp4")
    with pytest.raises(UserError, match=r"no picture 'zz.png'"):
        find(project, "my_photos/zz.png")


def test_a_wrong_name_among_others_moves_nothing(project: Project) -> None:
    done = CliRunner().invoke(app, ["remove", "a.mp4", "zz", "--project", str(project.root)])
    assert done.exit_code != 0
    assert len(read_clips(project)) == 2 and not (project.root / "removed").exists()


def test_not_while_another_labels(project: Project) -> None:
    with Store.open(project), pytest.raises(UserError, match="nothing was removed: another window"):
        remove(project, find(project, "a.mp4"))
    assert len(read_clips(project)) == 2 and not (project.root / "removed").exists()


def test_a_second_clip_of_that_name_gets_a_folder_of_its_own(project: Project) -> None:
    first = remove(project, find(project, "a.mp4"))
    with_clip(project, "a.mp4", 9)
    second = remove(project, find(project, "a.mp4"))
    assert (first.folder.name, second.folder.name) == ("a", "a_2")
    assert (first.folder / "a.mp4").is_file() and (second.folder / "a.mp4").is_file()


def test_the_hold_out_forgets_it(project: Project) -> None:
    project.split_path.write_text(json.dumps({"hold": ["a", "b.mp4"], "why": "mine"}))
    remove(project, find(project, "a.mp4"))
    assert json.loads(project.split_path.read_text()) == {"hold": ["b.mp4"], "why": "mine"}
    remove(project, find(project, "b.mp4"))
    assert not project.split_path.exists(), "the next training chooses"


def test_a_split_without_it_stays_as_it_was(project: Project) -> None:
    text = '{"hold":["b.mp4"]}'
    project.split_path.write_text(text)
    remove(project, find(project, "a.mp4"))
    assert project.split_path.read_text() == text


def test_a_kill_in_the_middle_loses_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, labels = files(project), read_labels(project)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(removing, "_move_clip", killed)
    with pytest.raises(KeyboardInterrupt):
        remove(project, find(project, "a.mp4"))
    assert files(project) == content
    aside = json.loads((project.root / "removed" / "a" / "labels.json").read_text())
    assert len(aside["images"]) == 2 and len(labels.frames) == 5
    monkeypatch.undo()
    remove(project, find(project, "a.mp4"))  # the same command again ends it
    assert [c.name for c in read_clips(project)] == ["b.mp4"] and files(project) == content


def test_a_clip_whose_file_is_gone_can_be_taken_off_the_list(project: Project) -> None:
    (project.clips_dir / "a.mp4").unlink()
    remove(project, find(project, "a.mp4"))
    assert [c.name for c in read_clips(project)] == ["b.mp4"]


def test_the_command(project: Project) -> None:
    done = CliRunner().invoke(app, ["remove", "a.mp4", "--project", str(project.root)])
    assert done.exit_code == 0
    folder = project.root / "removed" / "a"
    assert f"moved a (2 labelled frames, 1 ranges) to {folder}" in done.output.replace("\n", "")


def test_a_linked_clip_is_still_there_after_it_moved(project: Project, tmp_path: Path) -> None:
    source = tmp_path / "elsewhere" / "c.mp4"
    source.parent.mkdir()
    (project.clips_dir / "b.mp4").rename(source)
    (project.clips_dir / "b.mp4").symlink_to("../../elsewhere/c.mp4")
    done = remove(project, find(project, "b.mp4"))
    moved = done.folder / "b.mp4"
    assert moved.is_symlink() and moved.resolve() == source and source.is_file()
    assert not (project.clips_dir / "b.mp4").is_symlink()
    told = CliRunner().invoke(app, ["add", str(moved), "--project", str(project.root)])
    assert told.exit_code == 0, told.exception
