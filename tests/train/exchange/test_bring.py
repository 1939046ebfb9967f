"""Where imported pictures go: a frame of a clip, a still, or nowhere, and that is said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from tests.helpers.clips import Clip, make, picture
from tracker.errors import UserError
from tracker.find.markups import Markup
from train.exchange.bring import ImportWish, bring
from train.exchange.formats import read
from train.project.adding import add_clips
from train.project.journal import read_labels
from train.project.layout import Project, create_project
from train.project.store import Store

HEAD = "scorer,me,me\nbodyparts,Tip,Tip\ncoords,x,y\n"


@pytest.fixture
def made(tmp_path) -> Project:
    found = create_project(tmp_path / "p", Markup("m", "object", "scratch", ("tip", "end")))
    add_clips(found, [make(tmp_path / "b.mp4", Clip(12))])
    return found


def labels(folder: Path, *rows: str) -> Path:
    path = folder / "l.csv"
    path.write_text(HEAD + "".join(f"{row}\n" for row in rows))
    return path


def test_frames_beyond_the_clip_and_lost_pictures_are_told(made, tmp_path):
    path = labels(tmp_path, "labeled-data/b/img03.png,1,2", "labeled-data/b/img12.png,1,2",
                  "labeled-data/c/img03.png,1,2")  # fmt: skip
    done = bring(made, [read(path)], "l", ImportWish())
    assert (done.in_clips, done.as_stills, done.objects) == (1, 0, 1)
    assert any(n.startswith("1 frames are not in the clip") for n in done.notes)
    assert any(n.startswith("1 pictures were not found") for n in done.notes)
    assert "not in the file, not labelled: end" in done.notes
    label = read_labels(made).frames["b.mp4", 3]
    assert label.t == pytest.approx(0.12)
    assert label.objects[0].v.tolist() == [2, 0]
    assert label.objects[0].source == "import:dlc"
    assert (made.frames_dir / "b" / "frame000003.png").is_file()


def test_a_picture_that_is_not_that_frame_is_kept_as_a_still(made, tmp_path):
    folder = tmp_path / "labeled-data" / "b"
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "img03.png"), 255 - picture(3))
    cv2.imwrite(str(folder / "img04.png"), picture(4))
    path = labels(tmp_path, "labeled-data/b/img03.png,1,2", "labeled-data/b/img04.png,1,2")
    done = bring(made, [read(path)], "l", ImportWish())
    assert (done.in_clips, done.as_stills) == (1, 1)
    assert sorted(read_labels(made).frames) == [("b.mp4", 4), ("l", 0)]
    kept = cv2.imread(str(made.frames_dir / "l" / "frame000000.png"))
    assert (kept == 255 - picture(3)).all()


def test_stills_never_share_a_folder_with_a_clip(made, tmp_path):
    cv2.imwrite(str(tmp_path / "x.png"), picture(1))
    done = bring(made, [read(labels(tmp_path, "x.png,1,2"))], "b", ImportWish())
    assert done.stills_name == "b_pictures"


def test_nothing_is_changed_without_a_common_landmark_or_the_right_to_write(made, tmp_path):
    path = labels(tmp_path, "labeled-data/b/img03.png,1,2")
    path.write_text(path.read_text().replace("Tip", "nose"))
    with pytest.raises(ValueError, match="no landmark of the file"):
        bring(made, [read(path)], "l", ImportWish())
    done = bring(made, [read(path)], "l", ImportWish(names={"nose": "end"}))
    assert done.objects == 1
    with Store.open(made), pytest.raises(UserError, match="nothing was imported"):
        bring(made, [read(path)], "l", ImportWish(names={"nose": "end"}))


def test_the_commands(made, tmp_path):
    def train(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ui.commands.train", *map(str, arguments)],
            cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    path = labels(tmp_path, "labeled-data/b/img03.png,1,2")
    done = train("import", path, "--project", made.root)
    assert "imported 1 objects: 1 new frames of clips" in done.stdout
    out = tmp_path / "out"
    done = train("export-labels", made.root, "--format", "cvat", "--out", out)
    assert "wrote 1 frames" in done.stdout
    done = train("export-labels", made.root, "--format", "cvat", "--out", out)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "not empty" in done.stderr
