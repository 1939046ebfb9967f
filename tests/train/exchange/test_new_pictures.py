"""An import that fails or is killed: nothing stays, and no label comes to lie on other pixels."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.helpers.clips import Clip, make
from tests.train.exchange.test_bring import labels
from tracker.find.markups import Markup
from train.exchange.bring import Brought, ImportWish, bring
from train.exchange.formats import read
from train.project.adding import add_clips
from train.project.check import check
from train.project.journal import read_labels
from train.project.labels import picture_name
from train.project.layout import Project, create_project, open_project
from train.project.removing import find, remove
from train.project.stills import add_pictures, digest, read_set, write_set
from train.project.store import Store

ROOT = Path(__file__).parents[3]


@pytest.fixture
def made(tmp_path) -> Project:
    return create_project(tmp_path / "p", Markup("m", "object", "scratch", ("tip", "end")))


def grey(n: int) -> np.ndarray:
    return np.full((16, 16, 3), n, np.uint8)


def rows(folder: Path, *numbers: int) -> list[str]:
    """Picture `n` is grey `n` and has its label at (n, 2)."""
    folder.mkdir(exist_ok=True)
    for n in numbers:
        cv2.imwrite(str(folder / f"p{n}.png"), grey(n))
    return [f"p{n}.png,{n},2" for n in numbers]


def take(project: Project, path: Path, wishes: ImportWish | None = None) -> Brought:
    return bring(project, [read(path)], "s", wishes or ImportWish())


def lie_right(project: Project) -> int:
    """How many frames are labelled, each of them with the label of its own pixels."""
    frames = read_labels(project).frames
    for key, label in frames.items():
        bgr = cv2.imread(str(project.labels_dir / picture_name(*key)))
        assert bgr is not None and (bgr == int(label.objects[0].xy[0, 0])).all(), key
    return len(frames)


def files(project: Project) -> dict[str, str]:
    return {
        p.as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() if p.is_file() else "folder"
        for p in sorted(project.frames_dir.rglob("*"))
    }


def test_an_unreadable_picture_leaves_nothing_of_its_import_behind(made, tmp_path):
    add_clips(made, [make(tmp_path / "b.mp4", Clip(12))])
    folder = tmp_path / "one"
    good, more = rows(folder, 10, 11), rows(folder, 12, 13)
    (folder / "bad.png").write_bytes(b"no picture")
    bad = ["labeled-data/b/img03.png,1,2", *good, "bad.png,1,2"]
    before = files(made)
    with pytest.raises(ValueError, match=r"bad\.png cannot be read"):
        take(made, labels(folder, *bad))
    assert files(made) == before and read_labels(made).frames == {}
    take(made, labels(folder, *good))
    before = files(made)
    with pytest.raises(ValueError, match=r"bad\.png cannot be read"):
        take(made, labels(folder, "labeled-data/b/img03.png,1,2", *more, "bad.png,1,2"))
    assert files(made) == before
    assert take(made, labels(folder, more[1])).as_stills == 1
    assert lie_right(made) == 3


def test_a_label_that_does_not_fit_is_found_before_anything_stays(made, tmp_path):
    before = files(made)
    path = labels(tmp_path, *rows(tmp_path, 10, 11))
    path.write_text(path.read_text().replace("11,2", "1e300,2"))
    with (
        pytest.warns(RuntimeWarning, match="overflow"),
        pytest.raises(ValueError, match=r"the label of p11\.png: .*need coordinates; mend it"),
    ):
        take(made, path)
    assert files(made) == before and read_labels(made).frames == {}


@pytest.mark.parametrize("at", [1, 2])
def test_ctrl_c_leaves_nothing_behind(made, tmp_path, at):
    take(made, labels(tmp_path, *rows(tmp_path, 10)))
    before = files(made)

    def press(done: int, _: int) -> None:
        if done == at:
            raise KeyboardInterrupt

    path = labels(tmp_path, *rows(tmp_path, 11, 12))
    for name in ("s", "fresh"):
        with pytest.raises(KeyboardInterrupt):
            bring(made, [read(path)], name, ImportWish(), press)
        assert files(made) == before and lie_right(made) == 1


def test_an_index_that_was_written_is_taken_back(made, tmp_path, monkeypatch):
    take(made, labels(tmp_path, *rows(tmp_path, 10)))
    before = files(made)

    def interrupted(*arguments: object) -> None:
        write_set(*arguments)
        monkeypatch.undo()
        raise KeyboardInterrupt

    path = labels(tmp_path, *rows(tmp_path, 11, 12))
    for name in ("s", "fresh"):
        monkeypatch.setattr("train.exchange.new_pictures.write_set", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bring(made, [read(path)], name, ImportWish())
        assert files(made) == before and lie_right(made) == 1


def test_what_lies_beyond_the_index_is_no_picture_of_the_set(made, tmp_path):
    take(made, labels(tmp_path, *rows(tmp_path, 10)))
    stray = made.frames_dir / "s" / "frame000001.png"
    cv2.imwrite(str(stray), np.full((16, 16, 3), 99, np.uint8))
    take(made, labels(tmp_path, *rows(tmp_path, 11)))
    assert lie_right(made) == 2


def test_a_labelled_number_is_not_given_again(made, tmp_path):
    """An index of an older backup."""
    take(made, labels(tmp_path, *rows(tmp_path, 10, 11)))
    write_set(made, "s", {key: n for key, n in read_set(made, "s").items() if n == 0})
    take(made, labels(tmp_path, *rows(tmp_path, 12)), ImportWish(replace=True))
    assert lie_right(made) == 3


def test_the_number_of_a_removed_picture_is_not_given_again(made, tmp_path, monkeypatch):
    """A run or an export of before goes on speaking of that picture."""
    take(made, labels(tmp_path, *rows(tmp_path, 10, 11)))
    remove(made, find(made, "s/1"))
    before = files(made)

    def interrupted(*arguments: object) -> None:
        write_set(*arguments)
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr("train.exchange.new_pictures.write_set", interrupted)
    path = labels(tmp_path, *rows(tmp_path, 12))
    with pytest.raises(KeyboardInterrupt):
        take(made, path)
    assert files(made) == before
    take(made, path)
    assert sorted(read_set(made, "s").values()) == [0, 2] and lie_right(made) == 2
    remove(made, find(made, "s/2"))
    remove(made, find(made, "s/0"))
    assert add_pictures(made, [tmp_path / "p10.png", tmp_path / "p11.png"], "s") == (2, [])
    assert read_set(made, "s").keys() == {(f"p{n}.png", digest(grey(n))) for n in (10, 11)}
    assert sorted(read_set(made, "s").values()) == [3, 4]


def test_the_index_is_read_when_the_labels_are_ours(made, tmp_path, monkeypatch):
    """Another import ends between the start of this one and its turn."""
    path = labels(tmp_path, *rows(tmp_path, 11))
    opened = Store.open

    def late(project: Project) -> Store:
        monkeypatch.undo()
        other = tmp_path / "other"
        take(made, labels(other, *rows(other, 10)))
        return opened(project)

    monkeypatch.setattr(Store, "open", late)
    take(made, path)
    assert lie_right(made) == 2 and sorted(read_set(made, "s").values()) == [0, 1]


def test_an_old_number_with_other_pixels_is_a_picture_of_its_own(made, tmp_path):
    """Another program made a set of the same name anew."""
    take(made, labels(tmp_path, *rows(tmp_path, 10)))
    with Store.open(made) as store:
        store.remove_frame("s", 0)
    away = tmp_path / "s"
    rows(away, 200)
    (away / "p200.png").rename(away / "frame000000.png")
    done = bring(made, [read(labels(away, "s/frame000000.png,200,2"))], "back", ImportWish())
    assert any("picture of the set" in note for note in done.notes)
    assert sorted(read_labels(made).frames) == [("back", 0)] and lie_right(made) == 1


def test_a_picture_that_the_index_does_not_name_is_told(made, tmp_path):
    take(made, labels(tmp_path, *rows(tmp_path, 10)))
    assert not [p for p in check(made) if "does not name" in p.what]
    stray = made.frames_dir / "s" / "frame000001.png"
    cv2.imwrite(str(stray), np.full((16, 16, 3), 99, np.uint8))
    (problem,) = [p for p in check(made, fix=True) if "does not name" in p.what]
    assert (problem.severity, problem.file) == ("warning", "labels/frames/s/frame000001.png")
    assert stray.is_file() and not problem.fixed, "it may be the only copy"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a copy of this process")
def test_a_kill_at_any_moment(tmp_path):
    """Each write of an import is once the last: see `swept`, here in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.train.exchange.test_new_pictures", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    moments = [int(line) for line in done.stdout.split()]
    assert len(moments) == 2 and min(moments) > 10, moments


def swept(root: Path, begun: bool) -> int:
    """Kill an import before each fsync, then import others and the same again; how many kills."""
    base = create_project(root / "base", Markup("m", "object", "scratch", ("tip", "end")))
    first, second, third = (
        labels(root / name, *rows(root / name, *numbers))
        for name, numbers in (("first", (10,)), ("second", (11, 12)), ("third", (13, 14, 15)))
    )
    if begun:
        take(base, first)
    for at in itertools.count():
        project = open_project(shutil.copytree(base.root, root / f"kill{at}"))
        child = os.fork()
        if not child:
            try:
                die_at(at)
                take(project, second)
                os._exit(0)
            finally:
                os._exit(1)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in (0, 9), code
        take(project, third)
        assert lie_right(project) >= begun + 3, at
        take(project, second)
        assert lie_right(project) == begun + 5, at
        if code == 0:
            return at


def die_at(number: int) -> None:
    """Leave without a word instead of the fsync `number`, from 0."""
    left, real = itertools.count(number, -1), os.fsync

    def fsync(handle: int) -> None:
        if next(left) == 0:
            os._exit(9)
        real(handle)

    os.fsync = fsync


if __name__ == "__main__":
    cv2.setNumThreads(1)
    for begun in (False, True):
        folder = Path(sys.argv[1]) / str(begun)
        folder.mkdir()
        print(swept(folder, begun))
