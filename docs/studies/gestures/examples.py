"""The hands beside which a gesture of one's own is learnt: `assets/gestures/examples.npz`.

    python -m docs.studies.gestures.examples PREP/hand21.json

What a landmark network says of hands that it was trained on: places of landmarks and the name of
the gesture, numbers alone, no pictures. PREP/hand21.json is the labels file of the bundled model's
training (`train fit` of `hand21.toml`). As many hands of a source and a gesture are taken as
`--most` says, chosen at random; hands that were held out are not among them, but their answers are
in `--answers` too, for the study `taught`. Run it again after the network changed, with
the same line: about two minutes on a quiet core.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from tracker.find.geometry import box_from_landmarks
from tracker.find.locate import load_model, locate
from tracker.find.model_file import bundled_file
from tracker.gestures.features import hands_of

FEWEST = 15  # landmarks with a label, of those that lay the crop
MOST_HANDS = 6000  # hands in the file, so that it stays below 1 MB
OUT = Path(__file__).parents[3] / "assets" / "gestures" / "examples.npz"
ANSWERS = Path("runs/gesture_answers.npz")
OTHER = "other"  # hands whose gesture nobody named


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Of N hands: what the network says, and what is known of them."""

    xy: NDArray[np.float32]  # (N, 21, 2) picture pixels
    xyz: NDArray[np.float32]  # (N, 21, 3) palm lengths from the wrist
    score: NDArray[np.float32]  # (N,) mean of the landmarks'
    said: NDArray[np.float32]  # (N, classes) of the bundled gesture head
    classes: NDArray[np.str_]  # (classes,) their names
    left: NDArray[np.bool_]  # (N,) a person's left hand, by the label
    gesture: NDArray[np.str_]  # (N,) by the label, OTHER where it names none
    source: NDArray[np.str_]  # (N,)
    held_out: NDArray[np.bool_]  # (N,) kept from the network's training


def hands(labels: Path, most: int, seed: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Pictures and labels of at most so many hands of a source, gesture and split."""
    coco = json.loads(labels.read_text(encoding="utf-8"))
    images = {image["id"]: image for image in coco["images"]}
    groups = defaultdict(list)
    for label in coco["annotations"]:
        image, told = images[label["image_id"]], label.get("attributes") or {}
        if "side" not in told or sum(v > 0 for v in label["keypoints"][2::3]) < FEWEST:
            continue
        held_out = image.get("split") == "hold"
        groups[source_of(image), told.get("gesture") or OTHER, held_out].append((image, label))
    rng = np.random.default_rng(seed)
    found = []
    for key in sorted(groups):
        chosen = rng.permutation(len(groups[key]))[: most * (4 if key[1] in ("none", OTHER) else 1)]
        found += [groups[key][i] for i in sorted(chosen)]
    return found


def source_of(image: dict[str, Any]) -> str:
    """Where a picture is from."""
    return str(image.get("source") or "rendered")


def ask(labels: Path, model: Path, most: int, seed: int = 0) -> Answers:
    """Let the network look at each hand in the crop of its labelled landmarks."""
    network, rows = load_model(model, threads=1), []
    chosen = hands(labels, most, seed)
    for i, (image, label) in enumerate(chosen):
        bgr = cv2.imread(str(labels.parent / image["file_name"]))
        if bgr is None:
            raise ValueError(f"{labels.parent / image['file_name']} cannot be read")
        points = np.array(label["keypoints"], np.float64).reshape(-1, 3)
        xy = np.where(points[:, 2:] > 0, points[:, :2], np.nan)
        rows += locate(np.asarray(bgr, np.uint8), [box_from_landmarks("hand", xy)], network)
        if i % 500 == 499:
            print(f"{i + 1} of {len(chosen)}", flush=True)
    told = [label["attributes"] for _, label in chosen]
    classes = next(a.classes for a in network.info.attributes if a.name == "gesture")
    xyz = np.stack([row.attributes["xyz"].reshape(-1, 3) for row in rows])
    return Answers(
        np.stack([row.xy for row in rows]),
        xyz - xyz[:, :1],
        np.array([row.score.mean() for row in rows], np.float32),
        np.stack([row.attributes["gesture"] for row in rows]),
        np.array(classes),
        np.array([t["side"] == "left" for t in told]),
        np.array([t.get("gesture") or OTHER for t in told]),
        np.array([source_of(image) for image, _ in chosen]),
        np.array([image.get("split") == "hold" for image, _ in chosen]),
    )


def read_answers(path: Path) -> Answers:
    """What `main` kept."""
    with np.load(path, allow_pickle=False) as found:
        return Answers(**{name: found[name] for name in Answers.__dataclass_fields__})


def write_examples(answers: Answers, path: Path, seed: int = 0) -> int:
    """The file that is bundled, of hands that were not held out; how many there are in it.

    Numbers are kept as 16 bits: in 1/256 (a root mean square of `Hands.xy`, a palm length).
    """
    allowed = np.flatnonzero(~answers.held_out)
    chosen = np.random.default_rng(seed).permutation(allowed)[:MOST_HANDS]
    chosen.sort()
    found = hands_of(answers.xy, answers.xyz, answers.left)[chosen]
    names, name = np.unique(answers.gesture[chosen], return_inverse=True)
    sources, source = np.unique(answers.source[chosen], return_inverse=True)
    whole = {
        "xy": in_256ths(found.xy), "xyz": in_256ths(found.xyz),
        "name": name.astype(np.uint8), "source": source.astype(np.uint8),
        "names": names, "sources": sources,
    }  # fmt: skip
    part = path.with_suffix(".part.npz")
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(part, **whole)  # type: ignore[arg-type]
    part.replace(path)
    return len(chosen)


def in_256ths(values: NDArray[np.float64]) -> NDArray[np.int16]:
    """As whole numbers of 1/256."""
    return np.clip(np.rint(values * 256), -32768, 32767).astype(np.int16)


def main(
    labels: Annotated[Path, typer.Argument(metavar="PREP/hand21.json", help="Labels file.")],
    model: Annotated[Path | None, typer.Option(help="Default: the bundled one.")] = None,
    most: Annotated[int, typer.Option(help="Hands of a source and a gesture.")] = 70,
    out: Annotated[Path, typer.Option(help="File to write.")] = OUT,
    answers: Annotated[Path, typer.Option(help="What the network said.")] = ANSWERS,
    again: Annotated[bool, typer.Option(help="Ask the network, or take --answers.")] = True,
) -> None:
    """Ask the network, and write what is bundled."""
    if again:
        said = ask(labels, model or bundled_file("hand"), most)
        answers.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(answers, **asdict(said))
    count = write_examples(read_answers(answers), out)
    print(f"wrote {out}: {count} hands, {out.stat().st_size} bytes")


if __name__ == "__main__":
    typer.run(main)
