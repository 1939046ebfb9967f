"""MTFL: 5 points, head pose, smile and glasses of 10,000 training and 2,995 test faces.

Two forms are read. The official one: `training.txt`, `testing.txt` (a line an image: path,
x1..x5, y1..y5, gender, smile, glasses, head pose; its readme gives the codes) and the folders
`lfw_5590`, `net_7876` and `AFLW`. The COCO one: `training.json`, `testing.json`, whose `bbox` is
the face box. The face box is that of the RCN code: the square around eyes and mouth corners, 0.95
times the larger of eye distance and eyes-to-mouth distance added on each side. It is not shifted
into the photo, as RCN's is (1 % of the faces), since what lies outside can be black.

The official coordinates are taken as they are: whether they count from 0 or 1 is not written down.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from tracker.types import Floats
from tracker.whole_files import read_text
from train.data.pictures import DataSet, Example, Markup, read_coco
from train.sets.base import Metric, PaperSet, between
from train.sets.points import example, last_of_shuffled, need, square_box

POINTS = ("left_eye", "right_eye", "nose_tip", "left_mouth_corner", "right_mouth_corner")
MARKUP = Markup(POINTS, ((0, 2), (1, 2), (2, 3), (2, 4), (3, 4)), ((0, 1), (3, 4)))
POSES = ("left_profile", "left", "frontal", "right", "right_profile")  # the official 1 .. 5
ANSWERS = ("yes", "no")  # the official 1, 2: smile, glasses
ENLARGE = 0.95
HELD = 10  # a tenth of the training images validates: 1,000 of 10,000
WHERE = (
    "get MTFL.zip from the TCDCN project page of the Chinese University of Hong Kong's Multimedia "
    "Laboratory (Zhang et al., ECCV 2014), and give the folder it is unpacked in"
)


def face_box(xy: Floats) -> Floats:
    """(4,) RCN's square face box x0, y0, x1, y1 of the five points (5, 2), pixels."""
    eyes, mouth = xy[:2], xy[3:]
    across = float(np.linalg.norm(eyes[1] - eyes[0]))
    down = float(np.linalg.norm(eyes.mean(0) - mouth.mean(0)))
    return square_box(np.concatenate([eyes, mouth]), margin=ENLARGE * max(across, down))


@dataclass(frozen=True, slots=True, eq=False)
class _Face:
    path: Path
    xy: Floats
    box: Floats
    attributes: Mapping[str, str]
    name: PurePosixPath  # folder and file as the official lists name it

    def example(self, hold: bool) -> Example:
        origin = (self.name.parts[0], self.name.as_posix())
        return example(self.path, self.xy, self.box, self.attributes, origin, hold)


def _line(folder: Path, words: list[str], where: str) -> _Face:
    try:
        values = np.array(words[1:11], np.float64)
        _gender, smile, glasses, pose = (int(w) - 1 for w in words[11:])
        if min(smile, glasses, pose) < 0:
            raise ValueError("a code below 1")
        attributes = {
            "head_pose": POSES[pose],
            "smile": ANSWERS[smile],
            "glasses": ANSWERS[glasses],
        }
    except (ValueError, IndexError) as error:
        raise ValueError(
            f"{where}: a path, 10 coordinates and 4 codes were wanted ({error}); mend the line"
        ) from error
    xy = values.reshape(2, 5).T.astype(np.float32)
    name = PurePosixPath(words[0].replace("\\", "/"))
    path = need(folder / name, f"{where} names it; {WHERE}")
    return _Face(path, xy, face_box(xy), attributes, name)


def _official(folder: Path, part: str) -> list[_Face]:
    path = need(folder / f"{part}.txt", WHERE)
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [(f"{path}, line {i}", line.split()) for i, line in enumerate(lines, 1)]
    return [_line(folder, words, where) for where, words in found if words]


def _coco(folder: Path, part: str) -> list[_Face]:
    path = need(folder / f"{part}.json", WHERE)
    data = read_coco(path)
    if data.markup.landmarks != POINTS:
        raise ValueError(f"{path} names the points {data.markup.landmarks}, wanted were {POINTS}")
    images = {folder / m["file_name"]: m for m in json.loads(read_text(path))["images"]}
    faces = []
    for e in data.examples:
        image = images[e.path]
        try:
            given, name = image["attributes"], PurePosixPath(image["original"])
            attributes = {k: ANSWERS[0] if given[k] else ANSWERS[1] for k in ("smile", "glasses")}
            attributes["head_pose"] = given["head_pose"]
        except KeyError as error:
            raise ValueError(
                f"{path}: {image['file_name']} does not say {error}; {WHERE}"
            ) from error
        box = face_box(e.xy) if e.box_xyxy is None else e.box_xyxy
        faces.append(_Face(e.path, e.xy, box, attributes, name))
    return faces


def read_mtfl(folder: Path, seed: int) -> PaperSet:
    """MTFL in either form. Validation: the last tenth of the training images, shuffled by `seed`.

    Attributes: head_pose (`POSES`), smile and glasses (`ANSWERS`). The error is relative to the
    distance of the two eye points. Raises ValueError for what is missing or malformed.
    """
    read = _coco if (folder / "training.json").is_file() else _official
    train, test = read(folder, "training"), read(folder, "testing")
    held = last_of_shuffled(len(train), len(train) // HELD, seed)
    fit = DataSet(MARKUP, tuple(f.example(i in held) for i, f in enumerate(train)))
    metric = Metric("error / eye distance", "%", between((0,), (1,)))
    faces = DataSet(MARKUP, tuple(f.example(True) for f in test))
    return PaperSet("mtfl", fit, faces, (metric,), whole_pixels="crop")
