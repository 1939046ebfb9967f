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
    "none", "fist", "point", "victory", "three", "four", "open_palm", "ok", "thumb_up", "call",
    "i_love_you", "pinky", "l_shape",
)  # fmt: skip

# A class that is missing here (ambiguous shapes such as K, U or Z) leaves the gesture unlabelled.
LETTERS = {
    "A": "fist", "E": "fist", "S": "fist", "D": "point", "V": "victory", "W": "three",
    "B": "four", "F": "ok", "Y": "call", "I": "pinky", "J": "pinky", "L": "l_shape",
    "C": "none", "O": "none", "P": "none", "Q": "none", "X": "none", "R": "none", "H": "none",
}  # fmt: skip
GESTURE_OF: Mapping[str, Mapping[str, str]] = {
    "asl_letters": LETTERS,
    "asl_cutout": {k.lower(): v for k, v in LETTERS.items()}
    | {"0": "none", "1": "point", "2": "victory", "3": "none", "4": "four", "5": "open_palm",
       "6": "three", "7": "none", "8": "none", "9": "ok"},
    "sign_digits": {"0": "none", "1": "point", "2": "victory", "3": "none", "4": "four",
                    "5": "open_palm", "6": "three", "7": "none", "8": "none", "9": "ok"},
    "finger_count": {"0-hand": "fist", "1-hand": "point", "2-hand": "victory", "3-hand": "three",
                     "4-hand": "four", "5-hand": "open_palm"},
    "linto": {"callme": "call", "handup": "point", "hello": "open_palm", "iloveyou": "i_love_you",
              "no": "none", "ok": "thumb_up", "okay": "ok", "thanks": "none",
              "vectory": "victory", "yes": "fist"},
    "ego_pointing": {"pointing": "point"},
}  # fmt: skip
# Sources whose groups are people, clips or photos; the others have no group and only train.
GROUPED_HANDS = ("asl_letters", "finger_count", "ego_pointing")
# Recording sessions of finger_count held out whole; two of its sessions make half of it, so a
# hash would hold out either nothing or everything. Its single photos are hashed like the rest.
HELD_SESSIONS = ("3", "55", "16", "Hand")
# The teacher's own score below which its points are no label. Below 0.8 half of them are off by
# more than 15 % of the hand; the hold-out keeps nearly all, so as not to flatter the errors.
SURE_TRAIN, SURE_HOLD = 0.8, 0.6
# Hand pictures without a face in the background: negatives for the face model.
FACELESS = ("asl_letters", "sign_digits", "asl_cutout", "ego_pointing")


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
    pinky = np.linalg.norm(points[20] - points[0]) > 1.25 * np.linalg.norm(points[18] - points[0])
    return bool(pinky and np.linalg.norm(points[4] - points[8]) < 0.5 * size)


def _hand_is_held(source: str, group: str, share: float) -> bool:
    if source == "finger_count" and not group.startswith("pic"):
        return group in HELD_SESSIONS
    return source in GROUPED_HANDS and _hashed(f"{source}/{group}") < share


def prepare_hands(data: Path, out: Path, hold_out: float = 0.12) -> dict[str, int]:
    """Write hand21 labels to `out`; returns counts."""
    coco = _read(data / "hands21/labels.json")
    by_image = {a["image_id"]: a for a in coco["annotations"]}
    images, annotations = [], []
    for image in coco["images"]:
        ann = by_image.get(image["id"])
        if ann is None:
            continue  # the teacher saw nothing: neither a label nor a sure negative
        source = image["source"]
        group = str(image.get("group")) if source in GROUPED_HANDS else source
        hold = _hand_is_held(source, group, hold_out)
        points = np.array(ann["keypoints"], np.float32).reshape(-1, 3)[:, :2]
        gesture = GESTURE_OF[source].get(image["gesture"])
        if gesture == "three" and source == "finger_count" and three_is_ok(points):
            gesture = "ok"
        images.append(
            {"id": image["id"], "file_name": _relative(data, "hands21", image["file_name"], out),
             "source": source, "group": group, "split": "hold" if hold else "train",
             "quality": "teacher", "background": "black" if source == "asl_cutout" else "photo"}
        )  # fmt: skip
        attributes = {"side": ann["handedness"].lower()} | ({"gesture": gesture} if gesture else {})
        sure = ann["teacher_score"] >= (SURE_HOLD if hold else SURE_TRAIN)
        # unsure points are unlabelled, but the picture still teaches its gesture and the ELT
        keypoints = ann["keypoints"] if sure else [0] * len(ann["keypoints"])
        annotations.append(
            {"id": ann["id"], "image_id": image["id"], "category_id": 1, "keypoints": keypoints,
             "bbox": ann["bbox"], "attributes": attributes}
        )  # fmt: skip
    faces = _read(data / "faces68/labels.json")
    images += _negatives(data, "faces68", faces["images"], out, 100_000)
    _write(out, coco["categories"][0], images, annotations)
    return {"images": len(images), "objects": len(annotations)}


def _negatives(
    data: Path, part: str, images: list[dict[str, Any]], out: Path, first: int
) -> list[Any]:
    """Pictures of the other kind, a fifth of them held out by group."""
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
