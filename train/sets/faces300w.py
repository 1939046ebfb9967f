"""300W: 68 points of 3,148 training faces (AFW, HELEN, LFPW) and 689 test faces (and IBUG).

Layout, as the iBUG group's archives unpack, folder names in any case: AFW, HELEN/trainset,
HELEN/testset, LFPW/trainset, LFPW/testset and IBUG, each with pictures (.jpg or .png) and a .pts
file of the same name beside each. Pictures whose name ends in '_mirror' are left out.

Boxes are the square around the 68 points, which RCN enlarges by 1.3. RCN's validation set is the
last tenth of a permutation with seed 7345, over files in the order of the disk; here they are
sorted by set and name, so it is as large but not the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from train.data.pictures import DataSet, Example
from train.sets.base import PaperSet
from train.sets.faces68 import METRICS, POINTS, markup68
from train.sets.points import example, need, read_pts, square_box

COUNTS: Mapping[str, int] = {
    "AFW": 337, "HELEN/trainset": 2000, "LFPW/trainset": 811,
    "HELEN/testset": 330, "LFPW/testset": 224, "IBUG": 135,
}  # fmt: skip
TRAIN, COMMON, IBUG = tuple(COUNTS)[:3], tuple(COUNTS)[3:5], tuple(COUNTS)[5:]
SPLIT_SEED = 7345
HELD = 10  # a tenth of the training images validates: 314 of 3,148
SUFFIXES = (".jpg", ".png", ".jpeg")
WHERE = (
    "get AFW, HELEN, LFPW and IBUG from the page 'Facial point annotations' of the Intelligent "
    "Behaviour Understanding Group (iBUG) at Imperial College London, and give the folder that "
    "holds these four"
)


def _inside(folder: Path, name: str) -> Path:
    """A folder below this one, its parts written in any case."""
    need(folder, WHERE)
    for part in name.split("/"):
        found = [f for f in folder.iterdir() if f.is_dir() and f.name.lower() == part.lower()]
        folder = found[0] if found else need(folder / part, WHERE)
    return folder


def _picture(pts: Path) -> Path:
    """The picture beside a .pts file."""
    for suffix in SUFFIXES:
        for path in (pts.with_suffix(suffix), pts.with_suffix(suffix.upper())):
            if path.is_file():
                return path
    raise ValueError(f"{pts} has no picture beside it ({', '.join(SUFFIXES)}); {WHERE}")


def _part(folder: Path, name: str, count: int, hold: bool) -> list[Example]:
    inside = _inside(folder, name)
    files = sorted(p for p in inside.glob("*.pts") if not p.stem.endswith("_mirror"))
    if len(files) != count:
        raise ValueError(f"{inside} holds {len(files)} .pts files, {count} are wanted; {WHERE}")
    found = []
    for path in files:
        xy = read_pts(path, POINTS)
        origin = (name.lower(), f"{name.lower()}/{path.stem}")
        found.append(example(_picture(path), xy, square_box(xy), {}, origin, hold))
    return found


def read_300w(folder: Path, seed: int = SPLIT_SEED, counts: Mapping[str, int] = COUNTS) -> PaperSet:
    """300W with 314 of the 3,148 training images as validation, chosen by `seed`.

    Parts of the test set: 'common' (HELEN and LFPW), 'ibug' and 'fullset'. `counts`: images that
    each folder must hold. Raises ValueError for what is missing, malformed or of another number.
    """
    train = [e for name in TRAIN for e in _part(folder, name, counts[name], False)]
    # the old generator, because the seed is that of RCN's code, which uses it
    order = np.random.RandomState(seed).permutation(len(train))
    held = {int(i) for i in order[len(train) - len(train) // HELD :]}
    fit = tuple(replace(e, hold=i in held) for i, e in enumerate(train))
    common = [e for name in COMMON for e in _part(folder, name, counts[name], True)]
    test = common + [e for name in IBUG for e in _part(folder, name, counts[name], True)]
    rows = tuple(range(len(test)))
    parts = {"common": rows[: len(common)], "ibug": rows[len(common) :], "fullset": rows}
    markup = markup68()
    sets = DataSet(markup, fit), DataSet(markup, tuple(test))
    return PaperSet("300w", *sets, METRICS, parts, whole_pixels="photo")
