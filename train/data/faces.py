"""Label files for the face models: 68 landmarks and two irises, pose, place, visibility,
expressions.

`prepare_faces` mixes hand-marked pictures, frames of videos with machine-made points, rendered
faces, webcam faces with a teacher's points, and classes of pose; each has a quality, by which
batches are mixed (`data.shares`), and a hold-out of its own. Attributes of an annotation, each
absent where it is not known:

- `pose`: yaw, pitch, roll in degrees (`tracker/find/head_pose.py`); null for an angle not known;
- `yaw_between`: from, to, degrees, where only a class of the head's turn is known;
- `place`: x, y of the middle between the outer corners of the eyes, and the distance that these
  have when seen from the front, pixels of the picture;
- `visible`: 1 or 0 of each landmark;
- `expressions`: 52 (`tracker/find/expressions.py`);
- `eyes`: open, half or closed, `turn`: frontal, turned or profile: words to repeat examples by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.find.expressions import in_order
from tracker.find.head_pose import pose_from_landmarks
from tracker.find.markups import IRISES
from tracker.progress import Report, silent
from train.data.pictures import hashed
from train.data.shipped import FACELESS, pairs_of, read, relative, split_of, write

Points = NDArray[np.float64]

# Chains of the iBUG 68-point markup: first, last, closed.
FACE_CHAINS = (
    (0, 16, False), (17, 21, False), (22, 26, False), (27, 30, False), (31, 35, False),
    (36, 41, True), (42, 47, True), (48, 59, True), (60, 67, True),
)  # fmt: skip
# Upper and lower lid of each eye, by pairs of landmarks; openings are in units of the distance
# between the outer corners of the eyes, seen from the front.
LIDS = (((37, 41), (38, 40)), ((43, 47), (44, 46)))
CLOSED, HALF = 0.03, 0.06
TURNED, PROFILE = 20.0, 50.0  # degrees of yaw from which a head is called so
FLAT = 30.0  # degrees of yaw up to which the eyes' corners on a picture tell their true distance
# MTFL's five classes as ranges of yaw: its card gives 0, 30 and 60 degrees as their middles.
YAW_OF = {
    "left_profile": (-100.0, -45.0), "left": (-50.0, -12.0), "frontal": (-18.0, 18.0),
    "right": (12.0, 50.0), "right_profile": (45.0, 100.0),
}  # fmt: skip
# Of the webcam faces these repositories are held out, as from the hands.
HELD_REPOSITORIES = (
    "JuanParrado19/SignalLanguageDetector",
    "FarzadMalik/Real_Time_Sign_Language_Detection",
    "Anton-Augustsson/object-detection",
)
FIRST = {"faces_synth": 200_000, "faces_real": 300_000, "mtfl": 400_000, "hands21": 500_000,
         "hands_synth": 600_000}  # fmt: skip


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


def held_face_groups(images: Sequence[Mapping[str, Any]], hold_images: int = 200) -> set[str]:
    """Whole groups of manual face pictures, by hash, until there are `hold_images` pictures."""
    manual: dict[str, int] = {}
    for image in images:
        if image["quality"] == "manual":
            manual[str(image["group"])] = manual.get(str(image["group"]), 0) + 1
    held: set[str] = set()
    for group in sorted(manual, key=lambda g: hashed(f"face/{g}")):
        if sum(manual[g] for g in held) + manual[group] <= hold_images:
            held.add(group)
    return held


@dataclass(slots=True, eq=False)
class Labels:
    """Pictures and annotations in the making; `data`: the collections, `out`: the file."""

    data: Path
    out: Path
    images: list[dict[str, Any]]
    annotations: list[dict[str, Any]]

    def add(self, part: str, image: Mapping[str, Any], entry: dict[str, Any]) -> int:
        """A picture of a collection; its number."""
        number = FIRST.get(part, 0) + int(image["id"])
        place = relative(self.data, part, image["file_name"], self.out)
        self.images.append({"id": number, "file_name": place, **entry})
        return number

    def label(self, number: int, keypoints: Points, box: Any, **more: Any) -> None:
        """What is known of a picture's face. keypoints (K, 3): x, y, v."""
        flat = [round(float(v), 2) for v in keypoints.ravel()]
        self.annotations.append(
            {"id": number, "image_id": number, "category_id": 1, "keypoints": flat, "bbox": box,
             **more}
        )  # fmt: skip


def prepare_faces68(data: Path, out: Path, hold_images: int = 200) -> dict[str, int]:
    """Write labels of the 68 landmarks alone, from faces68 and pictures without a face: whole
    groups of manual pictures are held out until there are `hold_images` of them; automatic pictures
    only train, people of held-out groups never.
    """
    coco, labels = read(data / "faces68/labels.json"), Labels(data, out, [], [])
    _marked(labels, coco, hold_images, landmarks=68)
    _without_faces(labels)
    category = coco["categories"][0] | {"skeleton": face_edges(), "flip_pairs": face_flip_pairs()}
    return _written(labels, category)


def prepare_faces(
    data: Path,
    out: Path,
    free: bool = False,
    report: Report = silent,
) -> dict[str, int]:
    """Write labels of the 68 landmarks and two irises to `out`; returns counts.

    Beside it OUT_classes.json: MTFL's test pictures, of which only the class of the head's turn is
    known. `free`: only what may train weights that are free for any use; the classes are then
    written too, to measure by. `report`: steps that are done, and of how many.
    """
    labels = Labels(data, out, [], [])
    faces68 = read(data / "faces68/labels.json")
    if not free:
        _marked(labels, faces68, 200)
        _classes(labels, read(data / "mtfl/training.json"), "train")
    report(1, 5)
    for image, ann in pairs_of(read(data / "faces_synth/labels.json")):
        _rendered(labels, image, ann)
    report(2, 5)
    for image, ann in pairs_of(read(data / "faces_real/labels.json")):
        _taught(labels, image, ann)
    report(3, 5)
    _without_faces(labels)
    _hands_alone(labels)
    report(4, 5)
    category = {
        **faces68["categories"][0], "skeleton": face_edges(),
        "keypoints": [*faces68["categories"][0]["keypoints"], *IRISES],
        "flip_pairs": [*face_flip_pairs(), [68, 69]],
    }  # fmt: skip
    counts = _written(labels, category)
    tests = Labels(data, out.with_name(f"{out.stem}_classes.json"), [], [])
    _classes(tests, read(data / "mtfl/testing.json"), "hold")
    _written(tests, category)
    report(5, 5)
    return counts


def _written(labels: Labels, category: Any) -> dict[str, int]:
    write(labels.out, category, labels.images, labels.annotations)
    return {"images": len(labels.images), "objects": len(labels.annotations)}


def _marked(labels: Labels, coco: Mapping[str, Any], hold_images: int, landmarks: int = 70) -> None:
    """faces68: pose by the points; with 70 landmarks, irises unlabelled, and what points tell."""
    held = held_face_groups(coco["images"], hold_images)
    for image, ann in pairs_of(coco):
        points = _padded(ann["keypoints"], landmarks)
        pose = pose_from_landmarks(points[:68, :2].astype(np.float32))
        known: dict[str, Any] = {"pose": [round(v, 2) for v in (pose.yaw, pose.pitch, pose.roll)]}
        if landmarks == 70:
            known |= _told_by(points[:, :2], pose.yaw)
        group = str(image["group"])
        number = labels.add("faces68", image, {
            "source": image["source"], "group": group, "quality": image["quality"],
            "split": "hold" if group in held else "train",
        })  # fmt: skip
        labels.label(number, points, ann.get("bbox"), attributes=known)


def _rendered(labels: Labels, image: Mapping[str, Any], ann: Mapping[str, Any]) -> None:
    """faces_synth: everything is known."""
    solid = np.array(ann["points_3d"], np.float64)
    points = np.vstack([np.array(ann["keypoints"], np.float64).reshape(68, 3), _irises(ann, solid)])
    corners = solid[[36, 45]]
    apart = float(np.linalg.norm(corners[1] - corners[0]))
    known = {
        "pose": [ann["yaw"], ann["pitch"], ann["roll"]],
        "place": _rounded([*corners.mean(0)[:2], apart]),
        "visible": [int(v == 2) for v in points[:, 2]],
        "expressions": in_order(ann["blendshapes"]),
        **_words(openings(points[:, :2], apart), ann["yaw"]),
    }
    number = labels.add("faces_synth", image, {
        "source": "faces_synth", "group": str(image["group"]), "quality": "exact",
        "split": split_of(image), "licence": "MIT, CC0",
    })  # fmt: skip
    labels.label(number, points, ann["bbox"], attributes=known)


def _irises(ann: Mapping[str, Any], solid: Points) -> Points:
    """(2, 3) x, y, v of the person's right and left iris.

    The collection has the picture's left eye first, which in a face on its head is the other one;
    eyes are nearer to their own irises.
    """
    xy, seen = np.array(ann["iris"], np.float64), np.array(ann["iris_visible"])
    eyes = np.stack([solid[36:42, :2].mean(0), solid[42:48, :2].mean(0)])
    apart = np.linalg.norm(eyes[:, None] - xy[None], axis=2)
    if apart[0, 1] + apart[1, 0] < apart[0, 0] + apart[1, 1]:
        xy, seen = xy[::-1], seen[::-1]
    return np.column_stack([xy, np.where(seen, 2.0, 1.0)])


def _taught(labels: Labels, image: Mapping[str, Any], ann: Mapping[str, Any]) -> None:
    """faces_real: MediaPipe's points (the jaw is another markup, so unlabelled), irises, yaw,
    expressions. The places of its jaw still tell where the crop lies.
    """
    whole = np.array(ann["keypoints"], np.float64).reshape(68, 3)
    points = np.vstack([whole, np.column_stack([np.array(ann["iris"], np.float64), (2, 2)])])
    points[:17] = 0
    known = {
        "pose": [ann["yaw"], None, None],
        "expressions": in_order(ann["blendshapes"]),
        **_told_by(points[:, :2], ann["yaw"]),
    }
    number = labels.add("faces_real", image, {
        "source": image["source"], "group": str(image["group"]), "quality": "teacher",
        "split": "hold" if image["source"] in HELD_REPOSITORIES else "train",
        "licence": image["licence"],
    })  # fmt: skip
    low, high = whole[:, :2].min(0), whole[:, :2].max(0)
    box = _rounded([*low, *(high - low)])
    labels.label(number, points, box, by_box=True, attributes=known)


def _classes(labels: Labels, coco: Mapping[str, Any], split: str) -> None:
    """MTFL: five points of another markup, which are left out, and the class of the turn."""
    for image, ann in pairs_of(coco):
        word = image["attributes"]["head_pose"]
        turn = "profile" if "profile" in word else "frontal" if word == "frontal" else "turned"
        known = {"yaw_between": list(YAW_OF[word]), "turn": turn, "head_pose": word}
        number = labels.add("mtfl", image, {
            "source": "mtfl", "group": str(image["original"]), "quality": "classes",
            "split": split,
        })  # fmt: skip
        labels.label(number, np.zeros((70, 3)), ann["bbox"], by_box=True, attributes=known)


def _without_faces(labels: Labels) -> None:
    """Hand pictures with no face in the background, a tenth of them held out by group."""
    for n, image in enumerate(
        m for m in read(labels.data / "hands21/labels.json")["images"] if m["source"] in FACELESS
    ):
        group = str(image.get("group") or image["source"])
        labels.add("hands21", {**image, "id": n}, {
            "source": "no_hands21", "group": group, "negative": True,
            "split": "hold" if hashed(group) < 0.1 else "train",
        })  # fmt: skip


def _hands_alone(labels: Labels) -> None:
    """Every third rendered hand with no face behind it, with its own hold-out."""
    for image, ann in pairs_of(read(labels.data / "hands_synth/labels.json")):
        if not ann["face"] and int(image["id"]) % 3 == 0:
            labels.add("hands_synth", image, {
                "source": "no_hands_synth", "group": str(image["group"]), "negative": True,
                "split": split_of(image),
            })  # fmt: skip


def _padded(keypoints: Sequence[float], landmarks: int) -> Points:
    """(landmarks, 3): those of 68, then unlabelled ones."""
    given = np.array(keypoints, np.float64).reshape(68, 3)
    return np.vstack([given, np.zeros((landmarks - 68, 3))])


def _told_by(xy: Points, yaw: float) -> dict[str, Any]:
    """Of a face whose points were marked on the picture: words, and where it is if it is flat."""
    if abs(yaw) > FLAT:
        return {"turn": turn_word(yaw)}
    corners = xy[[36, 45]]
    apart = float(np.linalg.norm(corners[1] - corners[0])) / float(np.cos(np.deg2rad(yaw)))
    known = _words(openings(xy, apart), yaw)
    return {"place": _rounded([*corners.mean(0), apart]), **known}


def _words(eyes: Points, yaw: float) -> dict[str, str]:
    """How an example is asked for: by its less open eye, and by its turn."""
    least = float(eyes.min())
    eye = "closed" if least < CLOSED else "half" if least < HALF else "open"
    return {"eyes": eye, "turn": turn_word(yaw)}


def turn_word(yaw: float) -> str:
    """Frontal, turned or profile."""
    return "profile" if abs(yaw) >= PROFILE else "turned" if abs(yaw) >= TURNED else "frontal"


def openings(xy: Points, apart: float) -> Points:
    """(2,) how far the person's right and left lids are apart, in units of `apart`. xy (K, 2)."""
    each = [[np.linalg.norm(xy[a] - xy[b]) for a, b in eye] for eye in LIDS]
    return np.asarray(np.array(each).mean(1) / max(apart, 1e-6))


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(float(v), 2) for v in values]
