"""Where imported pictures go: a frame of a clip, a still, or nowhere, and that is said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.helpers.clips import Clip, make, picture
from tracker.errors import UserError
from tracker.find.markups import Markup
from train.exchange.bring import ImportWish, bring
from train.exchange.formats import read
from train.project.adding import add_clips, add_one, sources
from train.project.journal import read_labels
from train.project.labels import picture_name
from train.project.layout import Project, create_project
from train.project.removing import find, remove
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


def test_a_clip_may_be_named_as_macos_writes_it(made, tmp_path):
    add_clips(made, [make(tmp_path / "h\u00e4nde.mp4", Clip(13))])
    path = labels(tmp_path, "labeled-data/ha\u0308nde/img03.png,1,2")
    assert bring(made, [read(path)], "l", ImportWish()).in_clips == 1
    assert sorted(read_labels(made).frames) == [("h\u00e4nde.mp4", 3)]


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


def ball(i: int) -> np.ndarray:
    """A ball that goes 8 pixels to the right in each frame, over a background that stands still."""
    bgr = cv2.resize(np.arange(60, 108, dtype=np.uint8).reshape(6, 8), (160, 112))
    bgr = cv2.cvtColor(bgr, cv2.COLOR_GRAY2BGR)
    cv2.circle(bgr, (20 + 8 * i, 56), 9, (40, 220, 240), -1)
    return bgr


def rolling(path: Path, frames: int = 12) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 112, "yuv420p"
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(ball(i), format="bgr24")
            frame.pts = i
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def places(project: Project) -> dict[tuple[str, int], float]:
    """Where the ball is labelled, in x."""
    return {k: float(f.objects[0].xy[0, 0]) for k, f in read_labels(project).frames.items()}


@pytest.mark.parametrize("first", [0, 1])
def test_pictures_that_are_counted_from_1_go_to_the_frame_they_show(made, tmp_path, first):
    """ffmpeg writes frame 0 as img0001.jpg."""
    add_clips(made, [rolling(tmp_path / "c.mp4")])
    folder, rows = tmp_path / "labeled-data" / "c", []
    folder.mkdir(parents=True)
    for i in (0, 3, 4):
        name = f"img{i + first:04d}.jpg"
        cv2.imwrite(str(folder / name), ball(i))
        rows.append(f"labeled-data/c/{name},{20 + 8 * i},56")
    done = bring(made, [read(labels(tmp_path, *rows))], "l", ImportWish())
    assert places(made) == {("c.mp4", 0): 20.0, ("c.mp4", 3): 44.0, ("c.mp4", 4): 52.0}
    assert any("counted from 1" in n for n in done.notes) == bool(first)
    kept = cv2.imread(str(made.labels_dir / picture_name("c.mp4", 3)))
    assert kept[56, 44].tolist() == pytest.approx([40, 220, 240], abs=12)


def test_labels_of_a_set_that_was_removed_come_back_to_their_pictures(made, tmp_path):
    """A set that comes back is numbered anew; its pictures are much alike."""
    folder = tmp_path / "shots"
    folder.mkdir()
    for i in range(5):
        cv2.imwrite(str(folder / f"s{i}.png"), ball(i))
    rows = [f"s{i}.png,{20 + 8 * i},56" for i in range(5)]
    bring(made, [read(labels(folder, *rows))], "shots", ImportWish())
    remove(made, find(made, "shots/1"))
    gone = remove(made, find(made, "shots")).folder
    add_one(made, sources(gone / "frames" / "shots")[0])
    done = bring(made, [read(gone / "labels.json")], "labels", ImportWish())
    assert done.as_stills == 4
    numbered = enumerate((0, 2, 3, 4))
    assert places(made) == {("shots", n): 20.0 + 8 * i for n, i in numbered}


def test_a_number_that_another_picture_has_now_gives_it_no_label(made, tmp_path):
    """A set is removed and another added in its place: a picture much like one has its number."""
    folder = tmp_path / "shots"
    folder.mkdir()
    for i in range(3):
        cv2.imwrite(str(folder / f"s{i}.png"), ball(i))
    bring(made, [read(labels(folder, "s0.png,20,56", "s2.png,36,56"))], "shots", ImportWish())
    gone = remove(made, find(made, "shots/1")).folder
    remove(made, find(made, "shots"))
    cv2.imwrite(str(folder / "s2.png"), ball(5))
    add_one(made, sources(folder)[0])
    done = bring(made, [read(gone / "labels.json")], "back", ImportWish())
    assert done.stills_name == "back" and places(made) == {("back", 0): 36.0}


def test_what_two_files_say_alike_is_taken_once(made, tmp_path):
    """DeepLabCut keeps its labels as CSV and as HDF5, side by side."""
    path = labels(tmp_path, "labeled-data/b/img03.png,1.25,2", "labeled-data/b/img04.png,7,2")
    (tmp_path / "more").mkdir()
    again = labels(
        tmp_path / "more", "labeled-data/b/img03.png,1.2501,2", "labeled-data/b/img04.png,50,2"
    )
    done = bring(made, [read(path), read(again)], "l", ImportWish())
    assert [len(f.objects) for f in read_labels(made).frames.values()] == [1, 2]
    assert "1 objects are there twice, alike, and were taken once" in done.notes


def test_boxes_of_other_things_are_no_objects(made, tmp_path):
    """A file of hands, people and cars: a person's box is not that of a hand."""
    cv2.imwrite(str(tmp_path / "a.png"), ball(0))
    box = {"image_id": 1, "bbox": [5, 5, 20, 20]}
    body = {
        "images": [{"id": 1, "file_name": "a.png", "width": 160, "height": 112}],
        "categories": [
            {"id": 1, "name": "pen", "keypoints": ["tip", "end"]},
            {"id": 2, "name": "person", "keypoints": ["nose"]}, {"id": 3, "name": "car"},
        ],
        "annotations": [
            {"id": 1, "category_id": 1, "keypoints": [9, 8, 2, 20, 21, 1], **box},
            {"id": 2, "category_id": 1, "keypoints": [0] * 6, **box},
            {"id": 3, "category_id": 2, "keypoints": [50, 10, 2], **box},
            {"id": 4, "category_id": 3, **box},
        ],
    }  # fmt: skip
    path = tmp_path / "c.json"
    path.write_text(json.dumps(body))
    done = bring(made, [read(path)], "c", ImportWish())
    (frame,) = read_labels(made).frames.values()
    assert [o.v.tolist() for o in frame.objects] == [[2, 1], [0, 0]], "a box alone is one"
    assert "1 annotations of categories without keypoints were left out" in done.notes
    assert any(n.startswith("1 objects have no landmark that the project has") for n in done.notes)


@pytest.mark.parametrize("frame", [3, "3", "0003"])
def test_a_frame_number_of_label_studio_may_be_a_text(made, tmp_path, frame):
    value = {"x": 10, "y": 10, "keypointlabels": ["tip"]}
    result = {"original_width": 96, "original_height": 64, "value": value}
    task = {
        "data": {"image": "x.png", "clip": "b.mp4", "frame": frame},
        "annotations": [{"result": [result]}],
    }
    path = tmp_path / "t.json"
    path.write_text(json.dumps([task]))
    bring(made, [read(path)], "t", ImportWish())
    assert list(read_labels(made).frames) == [("b.mp4", 3)]
