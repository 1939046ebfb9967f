"""Multi-PIE: 68 points, 6 emotions and 5 cameras of 337 people, split by person.

Layout: the official pictures `data/sessionSS/multiview/PPP/RR/CC_C/PPP_SS_RR_CCC_LL.png`
(person, session, recording, camera, illumination) and the label archive of the same project,
`labels/CCC/PPP_SS_RR_CCC_LL_lm.mat` (MATLAB 5, `pts` of 68 rows, counted from 1; files with
another number of points are left out). Names and folders were taken from public code that reads
them, not from a specification; the emotion follows from session and recording.

As in the paper the picture of each labelled scene has a random illumination; all of a scene were
taken at nearly the same time, so the points hold for each. The paper has 1,875, 579 and 1,054
images. How its crops are made is not documented; ours are the square around the points times 1.3.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tracker.types import Floats
from train.data.pictures import DataSet, Example
from train.sets.base import PaperSet
from train.sets.faces68 import METRICS, POINTS, markup68
from train.sets.matfile import read_mat
from train.sets.points import example, need, square_box

# 30 and 15 degrees to one side, frontal, and 15 and 30 degrees to the other
CAMERAS = ("130", "140", "051", "050", "041")
EMOTIONS = {
    ("01", "01"): "neutral", ("01", "02"): "smile",
    ("02", "01"): "neutral", ("02", "02"): "surprise", ("02", "03"): "squint",
    ("03", "01"): "neutral", ("03", "02"): "smile", ("03", "03"): "disgust",
    ("04", "01"): "neutral", ("04", "02"): "neutral", ("04", "03"): "scream",
}  # fmt: skip  # by session and recording
NAME = re.compile(r"(\d{3})_(\d{2})_(\d{2})_(\d{3})_(\d{2})_lm")
LAST_TRAIN, LAST_VALID, LAST = 150, 200, 337  # people
ENLARGE = 1.3
WHERE = (
    "get Multi-PIE and its landmark labels from Carnegie Mellon University's Multi-PIE page (a "
    "licence is needed), and give the folder that holds 'data' and 'labels'"
)


def _scenes(folder: Path) -> dict[tuple[str, ...], Path]:
    """The first label file of each person, session, recording and camera."""
    scenes: dict[tuple[str, ...], Path] = {}
    for camera in CAMERAS:
        for path in sorted(need(folder / "labels" / camera, WHERE).glob("*_lm.mat")):
            name = NAME.fullmatch(path.stem)
            if name is None or name[4] != camera:
                raise ValueError(f"{path} is not named like 001_01_01_{camera}_07_lm.mat; {WHERE}")
            scenes.setdefault(name.groups()[:4], path)
    return scenes


def _points(path: Path) -> Floats | None:
    """(68, 2) pixels counted from 0, or None where the file has another number of points."""
    pts = read_mat(path, ("pts",))["pts"]
    if pts.ndim != 2 or pts.shape[1] != 2:
        raise ValueError(f"{path}: pts is {pts.shape}, ({POINTS}, 2) is wanted; mend the file")
    return (pts - 1).astype(np.float32) if len(pts) == POINTS else None


def _picture(folder: Path, scene: tuple[str, ...], rng: np.random.Generator) -> Path:
    """The scene under a random illumination."""
    person, session, recording, camera = scene
    shelf = folder / "data" / f"session{session}" / "multiview" / person / recording
    inside = need(shelf / f"{camera[:2]}_{camera[2]}", WHERE)
    found = sorted(inside.glob("_".join(scene) + "_??.png"))
    if not found:
        raise ValueError(f"{inside} holds no picture of {'_'.join(scene)}; {WHERE}")
    return found[int(rng.integers(len(found)))]


def read_multipie(folder: Path, seed: int) -> PaperSet:
    """Multi-PIE: people 1 to 150 train, 151 to 200 validate, 201 to 337 test.

    `seed` draws the illuminations alone. Attributes: emotion, camera. Raises ValueError for what
    is missing or malformed.
    """
    rng, found = np.random.default_rng([seed, 11]), list[tuple[int, Example]]()
    for scene, label in sorted(_scenes(folder).items()):
        person, session, recording, camera = scene
        xy = _points(label)
        if (session, recording) not in EMOTIONS or not 1 <= int(person) <= LAST:
            raise ValueError(f"{label} is of no known recording or person; {WHERE}")
        if xy is None:
            continue
        known = {"emotion": EMOTIONS[session, recording], "camera": camera}
        picture = _picture(folder, scene, rng)
        origin, held = ("multipie", f"person {person}"), int(person) > LAST_TRAIN
        box = square_box(xy, ENLARGE)
        found.append((int(person), example(picture, xy, box, known, origin, held)))
    fit = tuple(e for person, e in found if person <= LAST_VALID)
    test = tuple(e for person, e in found if person > LAST_VALID)
    if not test or len({e.hold for e in fit}) < 2:
        raise ValueError(f"{folder} has nobody to train, validate or test; {WHERE}")
    return PaperSet("multipie", DataSet(markup68(), fit), DataSet(markup68(), test), METRICS)
