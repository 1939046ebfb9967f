"""Sets of pictures in a project: added, found again, read like clips, checked."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from tests.helpers.clips import make
from tests.helpers.teaching import label, new_project, with_clip
from tracker.errors import UserError
from train.project.adding import add_one, sources
from train.project.check import check
from train.project.clips import read_clips
from train.project.labels import FrameLabel
from train.project.layout import Project
from train.project.problems import Problem
from train.project.stills import add_pictures, frames_of, read_set, read_stills, set_name
from train.project.store import Store


def picture(number: int, size_wh: tuple[int, int] = (96, 64)) -> np.ndarray:
    return np.full((size_wh[1], size_wh[0], 3), (10 * number, 0, 90), np.uint8)


def folder_of(root: Path, count: int = 3) -> Path:
    folder = root / "my photos"
    folder.mkdir(exist_ok=True)
    for i in range(count):
        cv2.imwrite(str(folder / f"{'cab'[i % 3]}{i // 3}.png"), picture(i, (96 + 2 * i, 64)))
    return folder


@pytest.fixture
def made(tmp_path: Path) -> Project:
    return new_project(tmp_path / "p")


def add(project: Project, folder: Path) -> tuple[str, ...]:
    (source,) = sources(folder)
    return add_one(project, source).messages


def errors(project: Project) -> list[Problem]:
    return [p for p in check(project) if p.severity == "error"]


def test_a_folder_of_pictures_is_a_set_in_order_of_names(made: Project, tmp_path: Path) -> None:
    assert read_stills(made) == ()
    assert add(made, folder_of(tmp_path)) == ()
    (found,) = read_stills(made)
    assert (found.name, found.frames, found.is_stills) == ("my_photos", 3, True)
    assert found.size_wh == (98, 64), "of the first, which is a0.png"
    frames = frames_of(made, found)
    assert frames.times.tolist() == [0, 1, 2] and len(frames) == 3
    for at, number in ((0, 1), (1, 2), (2, 0)):  # a0, b0, c0
        bgr = frames.frame(at).bgr
        assert bgr is not None and np.array_equal(bgr, picture(number, (96 + 2 * number, 64)))
    with pytest.raises(IndexError):
        frames.frame(3)
    (made.frames_dir / "my_photos" / "frame000001.png").unlink()
    assert frames.frame(1).bgr is None
    assert read_clips(made) == (), "clips.json knows nothing of it"


def test_adding_again_takes_only_what_is_new(made: Project, tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    add(made, folder)
    (source,) = sources(folder)
    assert add_one(made, source).clip is None
    cv2.imwrite(str(folder / "0.png"), picture(20))
    (folder / "d.jpg").write_bytes(b"no picture")
    added = add_one(made, source)
    assert added.clip is not None and added.clip.frames == 4
    assert added.messages == (
        "3 were in this set already", "d.jpg is no picture that can be read and was left out",
    )  # fmt: skip
    known = {file: frame for (file, _), frame in read_set(made, "my_photos").items()}
    assert known == {"a0.png": 0, "b0.png": 1, "c0.png": 2, "0.png": 3}, "numbers stay"


def test_what_is_no_set(made: Project, tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    with pytest.raises(UserError, match="is a picture; put pictures into a folder"):
        (source,) = sources(folder / "a0.png")
        add_one(made, source)
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "x.png").write_bytes(b"")
    with pytest.raises(UserError, match="no picture that can be read"):
        add_one(made, sources(bad)[0])
    with pytest.raises(UserError, match="no clip and no picture"):
        sources(made.labels_dir)
    with_clip(made, "bad.mp4")
    assert set_name(made, "bad", ["bad.mp4"]) == "bad_pictures", "not the name of a clip"


def test_a_picture_that_cannot_be_opened_stops_no_other(made: Project, tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    new, unread = add_pictures(made, [folder / "gone.png", folder / "a0.png"], "some")
    assert (new, unread) == (
        1, ["gone.png could not be read (No such file or directory) and was left out"],
    )  # fmt: skip


def test_an_index_that_is_broken_is_told(made: Project, tmp_path: Path) -> None:
    add(made, folder_of(tmp_path))
    assert not errors(made)
    index = made.frames_dir / "my_photos" / "pictures.csv"
    index.write_text("frame,file,sha256\nx,a.png,00\n")
    with pytest.raises(UserError, match="is damaged"):
        read_stills(made)
    (problem,) = errors(made)
    assert problem.file == "labels/frames/my_photos/pictures.csv" and "damaged" in problem.what


def test_pictures_that_are_not_those_that_were_added_are_told(
    made: Project, tmp_path: Path
) -> None:
    add(made, folder_of(tmp_path))
    assert not errors(made)
    folder = made.frames_dir / "my_photos"
    cv2.imwrite(str(folder / "frame000001.png"), picture(7, (100, 64)))  # b0.png was picture 2
    (problem,) = errors(made)
    assert (problem.severity, problem.file) == ("error", "labels/frames/my_photos/frame000001.png")
    assert "not those of b0.png" in problem.what
    (folder / "frame000001.png").write_bytes(b"no picture")
    (problem,) = errors(made)
    assert problem.what == "it cannot be read"
    with Store.open(made) as store:
        store.set_frame(FrameLabel("my_photos", 1, 1.0, (100, 64), label(0).objects))
    (problem,) = errors(made)  # and once only where it is labelled
    assert "'train remove' it" in problem.remedy


def test_labels_of_stills_are_checked_like_others(made: Project, tmp_path: Path) -> None:
    add(made, folder_of(tmp_path))
    thing = label(0).objects
    with Store.open(made) as store:
        store.set_frame(FrameLabel("my_photos", 0, 0.0, (98, 64), thing))
    assert not errors(made)


def test_the_command_adds_pictures(made: Project, tmp_path: Path) -> None:
    from ui.commands.train import app

    folder = folder_of(tmp_path)
    done = CliRunner().invoke(app, ["add", str(folder), "--project", str(made.root)])
    assert done.exit_code == 0 and "added my_photos: 3 pictures" in done.output
    done = CliRunner().invoke(app, ["add", str(folder), "--project", str(made.root)])
    assert "is in the project already, as my_photos" in done.output


def test_the_command_says_what_it_leaves_out(made: Project, tmp_path: Path) -> None:
    from ui.commands.train import app

    folder = folder_of(tmp_path, 4)
    for name in ("IMG_1.HEIC", "notes.txt", ".hidden"):
        (folder / name).write_bytes(b"")
    (folder / "more").mkdir()
    done = CliRunner().invoke(app, ["add", str(folder), "--project", str(made.root)])
    assert done.exit_code == 0 and "added my_photos: 4 pictures" in done.output
    unread = "left out as neither a video nor a picture that can be read: IMG_1.HEIC, notes.txt"
    assert f"{folder}: {unread}; save HEIC pictures as JPEG" in done.output
    assert "not looked into (more)" in done.output and "so its pictures" not in done.output
    make(folder / "v.mp4")
    done = CliRunner().invoke(app, ["add", str(folder), "--project", str(made.root)])
    assert done.exit_code == 0 and "added v.mp4" in done.output
    assert "its pictures are left out (a0.png, b0.png, c0.png and 1 more)" in done.output


def test_a_clip_never_takes_the_folder_of_a_set(made: Project, tmp_path: Path) -> None:
    """Its labelled frames would be those pictures, and 'check --fix' would remove the others."""
    folder_of(tmp_path).rename(tmp_path / "Hand")
    add(made, tmp_path / "Hand")
    assert with_clip(made, "hand.mp4").name == "hand_2.mp4"
    with Store.open(made) as store:
        store.keep_picture("hand_2.mp4", 0, picture(7))
        store.set_frame(label(0, clip="hand_2.mp4"))
    assert (made.frames_dir / "hand_2" / "frame000000.png").is_file()
    assert errors(made) == [] and len(list((made.frames_dir / "Hand").glob("*.png"))) == 3


def test_a_clip_that_has_the_folder_of_a_set_is_told_and_nothing_of_it_removed(
    made: Project, tmp_path: Path
) -> None:
    """As older versions made them."""
    clip = with_clip(made, "hand.mp4")
    add_pictures(made, sorted(folder_of(tmp_path).iterdir()), "hand")
    (found,) = [p for p in check(made, fix=True) if p.file == f"clips/{clip.name}"]
    assert found.severity == "error" and "in one folder with those of the set hand" in found.what
    assert len(list((made.frames_dir / "hand").glob("*.png"))) == 3
