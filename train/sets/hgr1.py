"""HGR1: 25 points and the gestures of the hands of 12 people, split by person.

Layout, as the archives `hgr1_images` and `hgr1_feature_pts` unpack: `original_images/*.jpg` and
`feature_points/*.xml`, both in the given folder or each in one of those names. A file's name is
`GESTURE_SET_hgr1_idNN_K`, such as `1_P_hgr1_id04_2`: the gesture's code is the first two parts,
the person the fourth. Its XML holds 25 `FeaturePoint` elements with `x` and `y`. Names, folders
and XML were taken from public code that reads them, not from a specification. Assumed: points
in the order of the file, counted from 0, those with a negative coordinate not labelled.

The paper has 573, 163 and 162 images in its three parts. How its crops are made is not
documented; ours are the square around the points, enlarged by 1.3.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from tracker.types import Floats
from train.data.pictures import DataSet, Example, Markup
from train.sets.base import Metric, PaperSet, between
from train.sets.points import example, need, square_box

POINTS = 25
MARKUP = Markup(tuple(f"point_{i}" for i in range(1, POINTS + 1)))
NAME = re.compile(r"([^_]+_[^_]+)_hgr1_id(\d+)_\d+")
TRAIN, VALID, TEST = frozenset(range(1, 9)), frozenset({11, 12}), frozenset({9, 10})
ENLARGE = 1.3
WHERE = (
    "get HGR1's original images and hand feature points from the page 'Database for hand gesture "
    "recognition' of Michal Kawulok at the Silesian University of Technology, and give the "
    "folder that they are unpacked in"
)


def _folder(folder: Path, archive: str, name: str) -> Path:
    beside = folder / name
    return beside if beside.is_dir() else need(folder / archive / name, WHERE)


def read_points(path: Path) -> Floats:
    """(25, 2) pixels of a feature point file, NaN where a point is not labelled."""
    text = need(path, WHERE).read_bytes()
    try:
        found = ElementTree.fromstring(text).iter("FeaturePoint")
        xy = np.array([[float(p.attrib[axis]) for axis in "xy"] for p in found], np.float32)
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        raise ValueError(f"{path} is not XML with FeaturePoint x='..' y='..' ({error})") from error
    if len(xy) != POINTS:
        raise ValueError(f"{path} holds {len(xy)} FeaturePoint, {POINTS} are wanted; mend the file")
    xy[(xy < 0).any(1)] = np.nan
    return xy


def _example(picture: Path, points: Path) -> tuple[int, Example]:
    """The person of a picture, and its example."""
    name = NAME.fullmatch(picture.stem)
    if name is None:
        raise ValueError(f"{picture.name} is not named like 1_P_hgr1_id04_2.jpg; {WHERE}")
    xy, person = read_points(points / f"{picture.stem}.xml"), int(name[2])
    if person not in TRAIN | VALID | TEST:
        raise ValueError(f"{picture.name} shows person {person}, HGR1 has 1 to 12; {WHERE}")
    held, origin = person not in TRAIN, ("hgr1", f"person {person}")
    box = square_box(xy, ENLARGE)
    return person, example(picture, xy, box, {"gesture": name[1]}, origin, held)


def read_hgr1(folder: Path, seed: int = 0) -> PaperSet:
    """HGR1: people 1 to 8 train, 11 and 12 validate, 9 and 10 test. There is nothing to draw.

    Attribute: gesture. The error is relative to the wrist's width, the distance of the first and
    the last point. Raises ValueError for what is missing or malformed.
    """
    images = _folder(folder, "hgr1_images", "original_images")
    points = _folder(folder, "hgr1_feature_pts", "feature_points")
    found = [_example(p, points) for p in sorted(images.glob("*.jpg"))]
    fit = tuple(e for person, e in found if person not in TEST)
    test = tuple(e for person, e in found if person in TEST)
    for people in (TRAIN, VALID, TEST):
        if not any(person in people for person, _ in found):
            raise ValueError(f"{images} shows nobody of {sorted(people)}; {WHERE}")
    metric = Metric("error / wrist width", "%", between((0,), (POINTS - 1,)))
    return PaperSet("hgr1", DataSet(MARKUP, fit), DataSet(MARKUP, test), (metric,))
