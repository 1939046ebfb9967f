"""The label file of the shipped hand model, made from the raw collections by a repeatable rule.

Class names of the collections are mapped to gestures here, the split is by person, clip or photo,
and faces serve as negatives. Faces have their own file, `train/data/faces.py`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tracker.progress import Report, silent
from tracker.whole_files import write_json
from train.data.pictures import hashed

GESTURES = (
    "none", "fist", "point", "victory", "three", "three2", "four", "open_palm", "ok", "pinch",
    "thumb_up", "thumb_down", "call", "i_love_you", "rock", "pinky", "l_shape", "middle_finger",
    "grab",
)  # fmt: skip

# A class that is missing here (ambiguous shapes such as K, U or Z) leaves the gesture unlabelled.
LETTERS = {
    "A": "fist", "E": "fist", "S": "fist", "D": "point", "V": "victory", "W": "three",
    "B": "four", "F": "ok", "Y": "call", "I": "pinky", "J": "pinky", "L": "l_shape",
    "P": "none", "Q": "none", "X": "none", "R": "none", "H": "none",
}  # fmt: skip
DIGITS = {"1": "point", "2": "victory", "3": "three2", "4": "four", "5": "open_palm",
          "6": "three", "7": "none", "8": "none", "9": "ok"}  # fmt: skip
# Sources whose class names are their own; all others use ours, and these two beside them.
GESTURE_OF: Mapping[str, Mapping[str, str]] = {
    "asl_letters": LETTERS,
    "asl_cutout": {k.lower(): v for k, v in LETTERS.items()} | DIGITS,
    "sign_digits": DIGITS,
    "finger_count": {"0-hand": "fist", "1-hand": "point", "2-hand": "victory", "3-hand": "three",
                     "4-hand": "four", "5-hand": "open_palm"},
}  # fmt: skip
OTHER_WORDS = {"horns": "rock", "l": "l_shape"}
# The teacher's disagreement with itself over 16 views, in hand sizes: below SURE a label counts
# fully, from there to UNSURE evenly less down to half, above it is none.
SURE, UNSURE = 0.02, 0.04
# Bends of a rendered hand's finger, in degrees over its three joints: at most that of all fingers
# that a named gesture stretches; more than this, and it is rather closed (theirs are so from 240).
STRETCHED, CLOSED = 80.0, 150.0
FINGERS = ((5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
# Which of index, middle, ring and little finger our gestures stretch, the others closed.
STRETCHED_BY_NAME = frozenset({
    (True, False, False, False), (True, True, False, False), (True, True, True, False),
    (True, True, True, True), (False, False, False, True), (True, False, False, True),
    (False, True, False, False),
})  # fmt: skip
# Hand pictures without a face in the background: negatives for the face model.
FACELESS = ("asl_letters", "sign_digits", "asl_cutout")


def read(path: Path) -> dict[str, Any]:
    """The labels of a collection. ValueError where there are none."""
    if not path.is_file():
        raise ValueError(f"{path} does not exist; give the folder that holds the collections")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def relative(data: Path, part: str, name: str, out: Path) -> str:
    """A picture of a collection, as a label file beside `out` names it."""
    return Path(os.path.relpath(data / part / name, out.parent)).as_posix()


def write(out: Path, category: Any, images: list[Any], annotations: list[Any]) -> None:
    """A COCO file."""
    out.parent.mkdir(parents=True, exist_ok=True)
    body = {"images": images, "annotations": annotations, "categories": [category]}
    write_json(out, body, None)


def three_is_ok(points: np.ndarray) -> bool:
    """Is a 'three' of the counting pictures the ok-shaped one (pinky up, thumb on the index)?"""
    size = np.linalg.norm(points[9] - points[0])
    return bool(is_long(points, 17) and np.linalg.norm(points[4] - points[8]) < 0.5 * size)


def is_long(points: np.ndarray, knuckle: int) -> bool:
    """Does a finger (its knuckle's index: 5, 9, 13 or 17) reach away from the wrist?"""
    tip, bend = points[knuckle + 3] - points[0], points[knuckle + 1] - points[0]
    return bool(np.linalg.norm(tip) > 1.25 * np.linalg.norm(bend))


def real_gesture(source: str, word: str | None, points: np.ndarray) -> str | None:
    """Our name of a source's class, or None where it says nothing. points (21, 2).

    A counted three is made with thumb, index and middle (`three2`), with the three middle fingers,
    or as the ok sign; the points tell which.
    """
    if word is None:
        return None
    own = GESTURE_OF.get(source)
    name = OTHER_WORDS.get(word, word) if own is None else own.get(word)
    if name == "three":
        return "ok" if three_is_ok(points) else "three" if is_long(points, 13) else "three2"
    return name


def looks_named(xyz: np.ndarray) -> bool:
    """Do fingers of a hand (21, 3), in any units, stretch and close as one of our gestures does?

    In part closed, none does; nor a hand whose fingers are all closed: hands at rest are, too.
    """
    bends = np.array([bend_of(xyz, finger) for finger in FINGERS])
    stretched, closed = bends < STRETCHED, bends > CLOSED
    return bool((stretched | closed).all()) and tuple(stretched.tolist()) in STRETCHED_BY_NAME


def bend_of(xyz: np.ndarray, finger: tuple[int, int, int, int]) -> float:
    """Degrees, over a finger's three joints; its knuckle bends from the line to the wrist."""
    bones = np.diff(xyz[[0, *finger]], axis=0)
    bones /= np.linalg.norm(bones, axis=1, keepdims=True)
    cosines = (bones[:-1] * bones[1:]).sum(1).clip(-1, 1)
    return float(np.degrees(np.arccos(cosines)).sum())


def rendered_gesture(ann: Mapping[str, Any]) -> str | None:
    """The gesture of a rendered hand; None where natural movement came upon one by chance.

    Such a hand was posed as `none` and points, say, to the eye: neither name would be right. What
    holds a thing is none all the same.
    """
    name: str = ann["gesture"]
    if name == "none" and ann["object"] is None and looks_named(np.array(ann["xyz"], np.float64)):
        return None
    return name


def spread_weight(spread: float) -> float:
    """How much a label counts whose views disagree so much: 1, falling to 1/2, then 0."""
    if spread > UNSURE:
        return 0.0
    return 1.0 - 0.5 * max(0.0, spread - SURE) / (UNSURE - SURE)


def prepare_hands(data: Path, out: Path, report: Report = silent) -> dict[str, int]:
    """Write hand21 labels to `out`; returns counts.

    `hands_real` (quality 'teacher') and `hands_synth` ('exact'), each with its own hold-out;
    squares without a hand and faces, real and rendered, are the negatives. `report`: collections
    that are done, of all, and the file.
    """
    real, made = read(data / "hands_real/labels.json"), read(data / "hands_synth/labels.json")
    images, annotations = _real_hands(data, real, out)
    report(1, 5)
    rows = [_rendered_hand(data, i, a, out) for i, a in pairs_of(made)]
    images += [image for image, _ in rows]
    annotations += [ann for _, ann in rows]
    report(2, 5)
    for done, part, first in ((3, "faces_synth", 300_000), (4, "faces_real", 400_000)):
        images += _faces_without_hands(data, part, out, first)
        report(done, 5)
    write(out, real["categories"][0], images, annotations)
    report(5, 5)
    return {"images": len(images), "objects": len(annotations)}


def pairs_of(coco: Mapping[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each picture with its one annotation; pictures without are left out."""
    by_image = {a["image_id"]: a for a in coco["annotations"]}
    return [(i, by_image[i["id"]]) for i in coco["images"] if i["id"] in by_image]


def split_of(image: Mapping[str, Any]) -> str:
    """Our word for a collection's own split."""
    return "hold" if image.get("split") == "holdout" else "train"


def _real_hands(data: Path, coco: Mapping[str, Any], out: Path) -> tuple[list[Any], list[Any]]:
    images, annotations = [], []
    for image in coco["images"]:
        entry = {
            "id": image["id"], "file_name": relative(data, "hands_real", image["file_name"], out),
            "source": image["source"], "group": str(image["group"]), "split": split_of(image),
            "quality": "teacher", "licence": image["licence"],
            "background": "black" if image["source"] == "asl_cutout" else "photo",
        }  # fmt: skip
        images.append(entry if image["hand"] else entry | {"negative": True})
    for image, ann in pairs_of(coco):
        points = np.array(ann["keypoints"], np.float32).reshape(-1, 3)[:, :2]
        gesture = real_gesture(image["source"], image["gesture"], points)
        weight = spread_weight(ann["spread"])
        # unsure points are unlabelled, but the picture still teaches its gesture and side
        annotations.append(
            {"id": ann["id"], "image_id": image["id"], "category_id": 1, "bbox": ann["bbox"],
             "keypoints": ann["keypoints"] if weight else [0] * len(ann["keypoints"]),
             "weight": round(weight, 3) or 1.0,
             "attributes": {"side": ann["handedness"].lower()}
             | ({"gesture": gesture} if gesture else {})}
        )  # fmt: skip
    return images, annotations


def _rendered_hand(
    data: Path, image: Mapping[str, Any], ann: Mapping[str, Any], out: Path
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Exact points (v = 1 where hidden), `xyz` in palm lengths, gesture, thumb and side."""
    number = 200_000 + int(image["id"])
    xyz = [round(float(v), 3) for point in ann["xyz"] for v in point]
    gesture = rendered_gesture(ann)
    named = {} if gesture is None else {"gesture": gesture}
    return (
        {"id": number, "file_name": relative(data, "hands_synth", image["file_name"], out),
         "source": "hands_synth", "group": image["group"], "split": split_of(image),
         "quality": "exact", "licence": "CC0"},
        {"id": number, "image_id": number, "category_id": 1, "bbox": ann["bbox"],
         "keypoints": ann["keypoints"],
         "attributes": {"side": ann["side"], "thumb": ann["thumb"], "xyz": xyz, **named}},
    )  # fmt: skip


def _faces_without_hands(data: Path, part: str, out: Path, first: int) -> list[dict[str, Any]]:
    """Faces as pictures without a hand: none with a hand, or with what a hand may hold."""
    coco = read(data / part / "labels.json")
    held = {"hand", "phone", "microphone"}
    bare = [i for i, a in pairs_of(coco) if not held & set(a.get("flags") or ())]
    return [
        {"id": first + n, "file_name": relative(data, part, image["file_name"], out),
         "source": part, "group": str(image["group"]), "negative": True, "quality": "negative",
         "split": "hold" if image.get("split") == "holdout"
         or (part == "faces_real" and hashed(str(image["group"])) < 0.1) else "train"}
        for n, image in enumerate(bare)
    ]  # fmt: skip
