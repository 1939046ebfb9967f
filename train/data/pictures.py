"""Labelled pictures: COCO keypoints JSON in, examples out, split by group.

Beyond COCO the reader knows: image `group` (person or clip; a group never straddles the split; in
a project's labels.json its `clip`, but a picture of a set stands for itself),
`split` ('train' or 'hold'), `negative` (true: no object here), `background` ('black': cut out);
annotation `attributes` (class names, or a list of numbers; absent = unlabelled), `weight` (how much
its landmarks count in training, above 0; absent: 1), `by_box` (true: its bbox, not its few points,
says where the crop lies).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.find.markups import Drawing, mirror_partners
from tracker.find.markups import mirror_name as mirror_name
from tracker.plain_data import from_json
from tracker.sources.picture_file import load_picture
from tracker.types import Floats, Image
from tracker.whole_files import read_text


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One object (or, negative, none) in one picture; pixel coordinates of that picture."""

    path: Path
    xy: Floats  # (K, 2); NaN where no point is given
    labelled: np.ndarray  # (K,) bool: may be used as a landmark label
    box_xyxy: Floats | None  # None: the whole picture
    negative: bool
    attributes: Mapping[str, Any]
    source: str
    group: str
    quality: str
    hold: bool
    black: bool  # cut out on a black background
    neighbour: Path | None = None  # the next frame's picture, cut with the very same box
    by_box: bool = False  # the box, not the few points that are labelled, says where the crop is
    weight: float = 1.0  # of its landmarks in the losses
    hidden: np.ndarray | None = None  # (K,) bool: labelled, but behind something (COCO's v = 1)
    sure: np.ndarray | None = None  # (K,) 0 to 1: how much each label counts; None: all by hand
    angle: float = 0.0  # degrees by which a crop by the box is turned, as the object is


@dataclass(frozen=True, slots=True, eq=False)
class Markup:
    """What is labelled: names, edges and left-right partners of the landmarks (0-based)."""

    landmarks: tuple[str, ...]
    edges: tuple[tuple[int, int], ...] = ()
    flip_pairs: tuple[tuple[int, int], ...] = ()
    drawing: Drawing | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """Examples of one markup, and their decoded pictures on demand."""

    markup: Markup
    examples: tuple[Example, ...]
    cache: dict[Path, Image] = field(default_factory=dict)

    def image(self, row: int) -> Image:
        """The picture of an example, BGR (H, W, 3), decoded once."""
        return self.picture(self.examples[row].path)

    def picture(self, path: Path) -> Image:
        """A picture file, BGR (H, W, 3), decoded once."""
        if path not in self.cache:
            read = load_picture(path)
            if read is None:
                raise ValueError(f"picture {path} cannot be read; mend or remove its label")
            self.cache[path] = read
        return self.cache[path]

    def rows(self, hold: bool) -> list[int]:
        """Indices of the training or of the hold-out examples."""
        return [i for i, e in enumerate(self.examples) if e.hold == hold]

    def landmarked(self, hold: bool) -> list[int]:
        """The objects of a split that have a labelled landmark."""
        return [
            i for i in self.rows(hold)
            if self.examples[i].labelled.any() and not self.examples[i].negative
        ]  # fmt: skip

    def measured(self) -> list[int]:
        """Of the hold-out, the objects on which an error can be measured: with a labelled landmark
        or an attribute. Frames of a held-out clip that say nothing would cost their time alone.
        """
        return [
            i for i in self.rows(hold=True)
            if not self.examples[i].negative
            and (self.examples[i].labelled.any() or self.examples[i].attributes)
        ]  # fmt: skip


def hashed(text: str) -> float:
    """A number in [0, 1) that depends on nothing but the text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48


def guess_flip_pairs(names: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """`mirror_partners` of a category. ValueError where they cannot be told from names."""
    return mirror_partners(names, "add flip_pairs [[a, b], ...] (0-based) to the category")


def _markup(category: Mapping[str, Any]) -> Markup:
    names = tuple(category["keypoints"])
    edges = tuple((int(a) - 1, int(b) - 1) for a, b in category.get("skeleton") or ())
    given = category.get("flip_pairs")
    if given is None:
        return Markup(names, edges, guess_flip_pairs(names))
    return Markup(names, edges, tuple((int(a), int(b)) for a, b in given))


def _numbers(path: Path, ann: Mapping[str, Any], key: str, count: int) -> NDArray[np.float64]:
    """What an annotation gives as numbers; `count` zeros where it is absent or null."""
    given = ann.get(key)
    try:
        found = np.asarray(np.zeros(count) if given is None else given, np.float64)
    except (TypeError, ValueError) as error:
        raise _wrong(path, f"{key} must be numbers", given) from error
    return found


def _wrong(path: Path, wanted: str, given: object) -> ValueError:
    remedy = "correct this annotation, or take it out"
    return ValueError(f"{path.name}: {wanted}, found {str(given)[:60]}; {remedy}")


def _example(
    path: Path, image: Mapping[str, Any], ann: Mapping[str, Any] | None, k: int, hold: bool
) -> Example:
    xy = np.full((k, 2), np.nan, np.float32)
    labelled = np.zeros(k, bool)
    box: Floats | None = None
    attributes: Any = {}
    weight, hidden = 1.0, np.zeros(k, bool)
    if ann is not None:
        given = _numbers(path, ann, "keypoints", 3 * k)
        if given.size % 3:
            raise _wrong(path, "keypoints are x, y, v of each landmark", ann["keypoints"])
        points = given.reshape(-1, 3)
        if len(points) != k:
            raise ValueError(f"{path.name}: {len(points)} keypoints, the category names {k}")
        labelled, hidden = points[:, 2] > 0, points[:, 2] == 1
        if not np.isfinite(points[labelled]).all():
            raise _wrong(path, "a labelled landmark has two coordinates", ann["keypoints"])
        xy[labelled] = points[labelled, :2]
        if ann.get("bbox"):
            found = _numbers(path, ann, "bbox", 4)
            if found.shape != (4,) or not np.isfinite(found).all():
                raise _wrong(path, "a bbox is x, y, width, height", ann["bbox"])
            box = np.concatenate([found[:2], found[:2] + found[2:]]).astype(np.float32)
        attributes = ann.get("attributes") or {}
        if not isinstance(attributes, dict):
            raise _wrong(path, "attributes are a table of names and values", attributes)
        weight = ann.get("weight", 1.0)
        if not isinstance(weight, int | float) or not 0 < weight < np.inf:
            raise _wrong(path, "a weight is a number above 0", weight)
    return Example(
        path, xy, labelled, box, bool(image.get("negative", False)),
        dict(attributes), str(image.get("source") or ""),
        str(image.get("group", "")), str(image.get("quality") or ""), hold,
        image.get("background") == "black", weight=float(weight), hidden=hidden,
        by_box=ann is not None and ann.get("by_box") is True and box is not None,
    )  # fmt: skip


def read_coco(path: Path, hold_out: float = 0.0, seed: int = 0) -> DataSet:
    """Read one COCO keypoints file; pictures are relative to it.

    Raises ValueError for a file that is missing, not COCO, or whose split tears a group apart;
    UserError for one that cannot be read or is no UTF-8 text.
    """
    if not path.is_file():
        raise ValueError(f"labels {path} do not exist; give a COCO keypoints JSON file")
    try:
        coco = from_json(read_text(path))
        images, annotations, category = coco["images"], coco["annotations"], coco["categories"][0]
        markup = _markup(category)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ValueError(f"{path} is not a COCO keypoints file ({error!r})") from error
    _demand(path, "annotations", annotations, ("image_id",))
    _demand(path, "images", images, ("id", "file_name"))
    by_image: dict[Any, list[Mapping[str, Any]]] = {}
    for ann in annotations:
        by_image.setdefault(ann["image_id"], []).append(ann)
    examples = []
    for image in images:
        group = str(image.get("group") or _clip(image) or image["file_name"])
        split = image.get("split")
        hold = split == "hold" if split else hashed(f"{seed}/{group}") < hold_out
        found = by_image.get(image["id"])
        if not found and not image.get("negative"):
            continue
        for ann in found or [None]:  # type: ignore[list-item]
            example = _example(
                path.parent / str(image["file_name"]), {**image, "group": group}, ann,
                len(markup.landmarks), hold,
            )  # fmt: skip
            examples.append(example)
    _check_split(examples, path)
    return DataSet(markup, tuple(examples))


def _clip(image: Mapping[str, Any]) -> str:
    """The clip that a project's labels.json names, whose frames are much alike; '' for none."""
    name = str(image.get("clip") or "")
    return name if Path(name).suffix else ""


def _demand(path: Path, part: str, entries: Any, keys: Sequence[str]) -> None:
    """ValueError where an entry of a part of the file lacks one of the keys."""
    if not isinstance(entries, list):
        raise ValueError(f"{path} is not a COCO keypoints file ('{part}' is no list)")
    for i, entry in enumerate(entries):
        for key in keys:
            if not isinstance(entry, dict) or not isinstance(entry.get(key), int | float | str):
                raise ValueError(
                    f"{path}: {part}[{i}] has no '{key}', which every entry there needs; "
                    "add it, or take the entry out"
                )


def _check_split(examples: Sequence[Example], path: Path) -> None:
    sides: dict[tuple[str, str], bool] = {}
    for e in examples:
        if sides.setdefault((e.source, e.group), e.hold) != e.hold:
            raise ValueError(
                f"{path}: group '{e.group}' of '{e.source}' is in training and in the hold-out; "
                "give every picture of a group the same split"
            )


def join(sets: Sequence[DataSet]) -> DataSet:
    """Several files of the same markup as one."""
    first = sets[0].markup
    for other in sets[1:]:
        if other.markup.landmarks != first.landmarks:
            raise ValueError("the label files name different landmarks; train them apart")
    return DataSet(first, tuple(e for s in sets for e in s.examples))


def choose_labelled(
    data: DataSet, share: float, seed: int, attribute: str | None = None
) -> tuple[int, ...]:
    """Rows of the training images that keep their landmarks: `share` of those that have any.

    Seeded; at least one. With `attribute` the classes take turns, so that their counts differ by
    one at most as long as none runs out (the paper: "class-balanced").
    """
    rows = data.landmarked(hold=False)
    count = max(1, round(share * len(rows)))
    rng = np.random.default_rng([seed, 7])
    order = [rows[i] for i in rng.permutation(len(rows))]
    if attribute is None:
        return tuple(sorted(order[:count]))
    by_class: dict[object, list[int]] = {}
    for row in order:
        by_class.setdefault(data.examples[row].attributes.get(attribute), []).append(row)
    queues = [by_class[k] for k in sorted(by_class, key=str)]
    queues = [queues[i] for i in rng.permutation(len(queues))]
    chosen: list[int] = []
    while len(chosen) < count:
        for queue in queues:
            if queue and len(chosen) < count:
                chosen.append(queue.pop(0))
    return tuple(sorted(chosen))


def keep_labels(data: DataSet, rows: Sequence[int]) -> DataSet:
    """The same examples, with landmark labels in training only on these rows."""
    kept = set(rows)
    examples = tuple(
        e if e.hold or i in kept else replace(e, labelled=np.zeros_like(e.labelled))
        for i, e in enumerate(data.examples)
    )
    return DataSet(data.markup, examples, data.cache)


def hide_landmarks(data: DataSet, share: float, seed: int) -> DataSet:
    """Keep the landmark labels of `share` of the training pictures, seeded; hide the others.

    Points stay as crop geometry (as in the paper, whose crops are made from true boxes).
    """
    return data if share >= 1 else keep_labels(data, choose_labelled(data, share, seed))


def learnable(data: DataSet, terms: Collection[str]) -> tuple[Example, ...]:
    """Training examples that some of the terms L, A and ELT can learn from, and those held out.

    The others would fill batches with nothing.
    """
    return tuple(
        e for e in data.examples
        if e.hold or e.negative or e.labelled.any() or "ELT" in terms
        or ("A" in terms and e.attributes)
    )  # fmt: skip
