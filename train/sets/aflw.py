"""AFLW: 19 points, head pose in degrees; 20,000 training and 4,386 test faces.

One folder holds `AFLWinfo_release.mat` (19 re-annotated points of 24,386 faces, their boxes and
the order of the split, of Zhu et al., CVPR 2016; a MATLAB 5 file), the official `aflw.sqlite`
(pose) and the official pictures under `flickr`. A face of the first is found in the second by
its picture and the nearest box centre, at most half a box away; faces not found have no pose.

All 19 points are labels, as in the paper's comparison ("AFLW-full"); the part 'frontal' of the
test set are the faces whose `mask_new` calls all of them visible. Boxes and points are taken as
they are: whether they count from 0 or 1 is not written down.

Pose: the database holds radians that a POSIT fit to a mean face gave; the order of its rotations
is not documented. We take yaw, pitch and roll one by one, in degrees, each with the sign that
`tracker/find/head_pose.py` defines. Signs are settled by the points of all training faces: roll
must rise with the slope of the eye line, yaw with how far right of the eyes' middle the nose is,
pitch with how high between eyes and mouth it is. (Others' code expects yaw and roll to be negated.)
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from train.data.pictures import DataSet, Example, Markup
from train.sets.base import Metric, PaperSet, of_crop
from train.sets.matfile import read_mat
from train.sets.points import example, last_of_shuffled, need

NAMES = (
    "left_brow_outer", "left_brow", "left_brow_inner",
    "right_brow_inner", "right_brow", "right_brow_outer",
    "left_eye_outer", "left_eye", "left_eye_inner",
    "right_eye_inner", "right_eye", "right_eye_outer",
    "nose_left", "nose", "nose_right", "mouth_left", "mouth", "mouth_right", "chin",
)  # fmt: skip  # left and right as seen in the picture
MARKUP = Markup(
    NAMES,
    ((0, 1), (1, 2), (3, 4), (4, 5), (6, 7), (7, 8), (9, 10), (10, 11),
     (12, 13), (13, 14), (15, 16), (16, 17)),
    ((0, 5), (1, 4), (2, 3), (6, 11), (7, 10), (8, 9), (12, 14), (15, 17)),
)  # fmt: skip
COUNTS = (20_000, 4_386)  # training and test faces
HELD = 10  # a tenth of the training faces validates: 2,000
WHERE = (
    "get the pictures and aflw.sqlite from the AFLW page of the Institute of Computer Graphics "
    "and Vision at TU Graz (on request), and AFLWinfo_release.mat from the project page "
    "'compositional' of the Chinese University of Hong Kong's Multimedia Laboratory"
)
QUERY = """
SELECT FaceImages.filepath, FaceRect.x + FaceRect.w / 2.0, FaceRect.y + FaceRect.h / 2.0,
       FacePose.yaw, FacePose.pitch, FacePose.roll
FROM Faces
JOIN FaceImages ON FaceImages.file_id = Faces.file_id
JOIN FaceRect ON FaceRect.face_id = Faces.face_id
JOIN FacePose ON FacePose.face_id = Faces.face_id
"""


@dataclass(frozen=True, slots=True, eq=False)
class _Faces:
    """What the MATLAB file says of n faces."""

    names: list[str]
    xy: NDArray[np.float64]  # (n, 19, 2)
    box: NDArray[np.float64]  # (n, 4) x0, y0, x1, y1
    visible: NDArray[np.bool_]  # (n, 19)
    order: NDArray[np.int64]  # training faces first, 0-based


def _annotations(path: Path, count: int) -> _Faces:
    found = read_mat(need(path, WHERE), ("nameList", "data", "bbox", "mask_new", "ra"))
    names = [str(n) for n in found["nameList"].ravel()]
    shapes = {"data": (count, 38), "bbox": (count, 4), "mask_new": (count, 19)}
    for name, shape in shapes.items():
        if found[name].shape != shape:
            raise ValueError(f"{path}: {name} is {found[name].shape}, {shape} is wanted; {WHERE}")
    order = found["ra"].ravel().astype(np.int64) - 1
    if len(names) != count or sorted(order.tolist()) != list(range(count)):
        raise ValueError(f"{path} does not name and order {count} faces; {WHERE}")
    xy = found["data"].reshape(count, 2, 19).transpose(0, 2, 1)  # x1..x19, y1..y19
    box = found["bbox"][:, [0, 2, 1, 3]]  # left, right, top, bottom
    return _Faces(names, xy, box, found["mask_new"] > 0, order)


def _poses(path: Path, faces: _Faces) -> NDArray[np.float64]:
    """(n, 3) yaw, pitch, roll of the database in radians; NaN where it has no such face."""
    by_picture: dict[str, list[tuple[float, ...]]] = {}
    try:
        with closing(sqlite3.connect(f"{need(path, WHERE).as_uri()}?mode=ro", uri=True)) as base:
            for name, *values in base.execute(QUERY):
                by_picture.setdefault(str(name), []).append(tuple(map(float, values)))
    except sqlite3.Error as error:
        raise ValueError(f"{path} is not AFLW's database ({error}); {WHERE}") from error
    poses = np.full((len(faces.names), 3), np.nan)
    for i, (name, box) in enumerate(zip(faces.names, faces.box, strict=True)):
        known = np.array(by_picture.get(name, ()))
        if len(known):
            away = np.linalg.norm(known[:, :2] - (box[:2] + box[2:]) / 2, axis=1)
            if away.min() <= (box[2:] - box[:2]).max() / 2:
                poses[i] = known[away.argmin(), 2:]
    if not np.isfinite(poses).any():
        raise ValueError(f"{path} knows none of the faces; give both of the same AFLW release")
    return poses


def pose_cues(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) of 19 points (n, 19, 2): numbers that rise with yaw, pitch and roll, without unit."""
    along = xy[:, 11] - xy[:, 6]
    along = along / np.linalg.norm(along, axis=1, keepdims=True)
    down = along[:, ::-1] * (-1, 1)
    middle = (xy[:, 11] + xy[:, 6]) / 2
    nose, tall = xy[:, 13] - middle, ((xy[:, 16] - middle) * down).sum(1)
    size = np.maximum(np.abs(tall), 1e-6)
    return np.stack([(nose * along).sum(1) / size, -(nose * down).sum(1) / size, along[:, 1]], 1)


def settle_signs(radians: NDArray[np.float64], cues: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3,) of 1 or -1: what each column (n, 3) must be multiplied by to rise with its cue."""
    both = np.isfinite(radians).all(1) & np.isfinite(cues).all(1)
    a, c = radians[both], cues[both]
    together = ((a - a.mean(0)) * (c - c.mean(0))).sum(0)
    return np.where(together < 0, -1.0, 1.0)


def read_aflw(folder: Path, seed: int, counts: tuple[int, int] = COUNTS) -> PaperSet:
    """AFLW with a tenth of the training faces, by `seed`, as validation.

    Attribute 'pose': [yaw, pitch, roll] in degrees. The error is relative to the side of the
    face box, which is the crop. Raises ValueError for what is missing or malformed.
    """
    folder = folder.resolve()
    faces = _annotations(folder / "AFLWinfo_release.mat", sum(counts))
    poses = _poses(folder / "aflw.sqlite", faces)
    train, test = faces.order[: counts[0]], faces.order[counts[0] :]
    degrees = np.rad2deg(poses * settle_signs(poses[train], pose_cues(faces.xy[train])))

    def one(i: int, hold: bool) -> Example:
        path, origin = need(folder / "flickr" / faces.names[i], WHERE), ("aflw", faces.names[i])
        pose = {"pose": degrees[i].tolist()} if np.isfinite(degrees[i]).all() else {}
        xy, box = faces.xy[i].astype(np.float32), faces.box[i].astype(np.float32)
        return example(path, xy, box, pose, origin, hold)

    held = last_of_shuffled(counts[0], counts[0] // HELD, seed)
    fit = DataSet(MARKUP, tuple(one(i, k in held) for k, i in enumerate(train.tolist())))
    tested = DataSet(MARKUP, tuple(one(i, True) for i in test.tolist()))
    frontal = tuple(np.flatnonzero(faces.visible[test].all(1)).tolist())
    parts = {"full": tuple(range(len(test))), "frontal": frontal}
    return PaperSet("aflw", fit, tested, (Metric("error / face size", "%", of_crop(1.0)),), parts)
