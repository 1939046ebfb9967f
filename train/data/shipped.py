"""Label files for the two shipped models, made from the raw collections by a repeatable rule.

Class names of the collections are mapped to gestures here, head pose is computed from the 68
points, the split is by person, clip or photo, and pictures of the other kind serve as negatives.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tracker.find.head_pose import pose_from_landmarks
from train.data.pictures import _hashed

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
# Hand pictures without a face in the background: negatives for the face model.
FACELESS = ("asl_letters", "sign_digits", "asl_cutout")


# Chains of the iBUG 68-point markup: first, last, closed.
FACE_CHAINS = (
    (0, 16, False), (17, 21, False), (22, 26, False), (27, 30, False), (31, 35, False),
    (36, 41, True), (42, 47, True), (48, 59, True), (60, 67, True),
)  # fmt: skip


def face_edges() -> list[list[int]]:
    """Edges of the 68-point markup as COCO writes them, 1-based."""
    edges = []
    for first, last, closed in FACE_CHAINS:
        edges += [[i + 1, i + 2] for i in range(first, last)]
        edges += [[last + 1, first + 1]] if closed else []
    return edges


def face_flip_pairs() -> list[list[int]]:
    """Mirror partners of the 68-point markup, 0-based; the other side's chains run backwards."""
    pairs = [[i, 16 - i] for i in range(8)] + [[17 + i, 26 - i] for i in range(5)]
    pairs += [[31, 35], [32, 34], [36, 45], [37, 44], [38, 43], [39, 42], [40, 47], [41, 46]]
    pairs += [[48, 54], [49, 53], [50, 52], [55, 59], [56, 58], [60, 64], [61, 63], [65, 67]]
    return pairs


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ValueError(f"{path} does not exist; give the folder that holds faces68 and hands21")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _relative(data: Path, part: str, name: str, out: Path) -> str:
    return Path(os.path.relpath(data / part / name, out.parent)).as_posix()


def _write(out: Path, category: Any, images: list[Any], annotations: list[Any]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    body = {"images": images, "annotations": annotations, "categories": [category]}
    out.write_text(json.dumps(body), encoding="utf-8")


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


def spread_weight(spread: float) -> float:
    """How much a label counts whose views disagree so much: 1, falling to 1/2, then 0."""
    if spread > UNSURE:
        return 0.0
    return 1.0 - 0.5 * max(0.0, spread - SURE) / (UNSURE - SURE)


def prepare_hands(data: Path, out: Path) -> dict[str, int]:
    """Write hand21 labels to `out`; returns counts.

    `hands_real` (quality 'teacher') and `hands_synth` ('exact'), each with its own hold-out;
    squares without a hand and faces, real and rendered, are the negatives.
    """
    real, made = _read(data / "hands_real/labels.json"), _read(data / "hands_synth/labels.json")
    images, annotations = _real_hands(data, real, out)
    rows = [_rendered_hand(data, i, a, out) for i, a in _pairs(made)]
    images += [image for image, _ in rows]
    annotations += [ann for _, ann in rows]
    for part, first in (("faces_synth", 300_000), ("faces_real", 400_000)):
        images += _faces_without_hands(data, part, out, first)
    _write(out, real["categories"][0], images, annotations)
    return {"images": len(images), "objects": len(annotations)}


def _pairs(coco: Mapping[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each picture with its one annotation; pictures without are left out."""
    by_image = {a["image_id"]: a for a in coco["annotations"]}
    return [(i, by_image[i["id"]]) for i in coco["images"] if i["id"] in by_image]


def _split(image: Mapping[str, Any]) -> str:
    return "hold" if image.get("split") == "holdout" else "train"


def _real_hands(data: Path, coco: Mapping[str, Any], out: Path) -> tuple[list[Any], list[Any]]:
    images, annotations = [], []
    for image in coco["images"]:
        entry = {
            "id": image["id"], "file_name": _relative(data, "hands_real", image["file_name"], out),
            "source": image["source"], "group": str(image["group"]), "split": _split(image),
            "quality": "teacher", "licence": image["licence"],
            "background": "black" if image["source"] == "asl_cutout" else "photo",
        }  # fmt: skip
        images.append(entry if image["hand"] else entry | {"negative": True})
    for image, ann in _pairs(coco):
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
    return (
        {"id": number, "file_name": _relative(data, "hands_synth", image["file_name"], out),
         "source": "hands_synth", "group": image["group"], "split": _split(image),
         "quality": "exact", "licence": "CC0"},
        {"id": number, "image_id": number, "category_id": 1, "bbox": ann["bbox"],
         "keypoints": ann["keypoints"],
         "attributes": {"side": ann["side"], "gesture": ann["gesture"], "thumb": ann["thumb"],
                        "xyz": xyz}},
    )  # fmt: skip


def _faces_without_hands(data: Path, part: str, out: Path, first: int) -> list[dict[str, Any]]:
    """Faces as pictures without a hand: none with a hand, or with what a hand may hold."""
    coco = _read(data / part / "labels.json")
    held = {"hand", "phone", "microphone"}
    bare = [i for i, a in _pairs(coco) if not held & set(a.get("flags") or ())]
    return [
        {"id": first + n, "file_name": _relative(data, part, image["file_name"], out),
         "source": part, "group": str(image["group"]), "negative": True, "quality": "negative",
         "split": "hold" if image.get("split") == "holdout"
         or (part == "faces_real" and _hashed(str(image["group"])) < 0.1) else "train"}
        for n, image in enumerate(bare)
    ]  # fmt: skip


def _negatives(
    data: Path, part: str, images: list[dict[str, Any]], out: Path, first: int
) -> list[Any]:
    """Pictures of the other kind, a tenth of them held out by group."""
    return [
        {"id": first + i, "file_name": _relative(data, part, m["file_name"], out),
         "source": f"no_{part}", "group": str(m.get("group") or m["source"]), "negative": True,
         "split": "hold" if _hashed(str(m.get("group") or m["source"])) < 0.1 else "train"}
        for i, m in enumerate(images)
    ]  # fmt: skip


def held_face_groups(images: Sequence[Mapping[str, Any]], hold_images: int = 200) -> set[str]:
    """Whole groups of manual face pictures, by hash, until there are `hold_images` pictures."""
    manual: dict[str, int] = {}
    for image in images:
        if image["quality"] == "manual":
            manual[str(image["group"])] = manual.get(str(image["group"]), 0) + 1
    held: set[str] = set()
    for group in sorted(manual, key=lambda g: _hashed(f"face/{g}")):
        if sum(manual[g] for g in held) + manual[group] <= hold_images:
            held.add(group)
    return held


def prepare_faces(data: Path, out: Path, hold_images: int = 200) -> dict[str, int]:
    """Write face68 labels to `out`: whole groups of manual pictures are held out until there are
    `hold_images` of them; automatic pictures only train, people of held-out groups never.
    """
    coco = _read(data / "faces68/labels.json")
    held = held_face_groups(coco["images"], hold_images)
    by_image = {a["image_id"]: a for a in coco["annotations"]}
    images, annotations = [], []
    for image in coco["images"]:
        ann = by_image[image["id"]]
        points = np.array(ann["keypoints"], np.float32).reshape(-1, 3)[:, :2]
        pose = pose_from_landmarks(points)
        images.append(
            {"id": image["id"], "file_name": _relative(data, "faces68", image["file_name"], out),
             "source": image["source"], "group": str(image["group"]), "quality": image["quality"],
             "split": "hold" if str(image["group"]) in held else "train"}
        )  # fmt: skip
        annotations.append(
            {"id": ann["id"], "image_id": image["id"], "category_id": 1,
             "keypoints": ann["keypoints"], "bbox": ann.get("bbox"),
             "attributes": {"pose": [round(v, 2) for v in (pose.yaw, pose.pitch, pose.roll)]}}
        )  # fmt: skip
    hands = [m for m in _read(data / "hands21/labels.json")["images"] if m["source"] in FACELESS]
    images += _negatives(data, "hands21", hands, out, 100_000)
    category = coco["categories"][0] | {"skeleton": face_edges(), "flip_pairs": face_flip_pairs()}
    _write(out, category, images, annotations)
    return {"images": len(images), "objects": len(annotations)}
