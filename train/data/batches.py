"""Batches for the losses. Everything random depends on (seed, step) alone, so a run resumes
exactly without any saved generator state.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import cv2
import numpy as np
import torch

from tracker.find.expressions import MIRRORED
from tracker.find.geometry import apply, rotation
from tracker.find.head_pose import wrap_degrees
from tracker.types import Image
from train.config import FitSpec
from train.data.augment import (
    CropSample,
    block_out,
    crop_example,
    cut_alike,
    degrade,
    near_miss,
    occlude,
    put_behind,
    random_square,
    random_warp,
    recolour,
    sharpen,
    worsen,
)
from train.data.pictures import DataSet, Example, mirror_name
from train.losses import needed
from train.losses.paper import Batch
from train.networks.model import Head


def repeated(data: DataSet, spec: FitSpec, rng: np.random.Generator) -> list[int]:
    """Training rows of real objects, repeated or thinned by source and class as the spec says.

    ValueError for a class of an attribute that no example has.
    """
    known = {name for example in data.examples for name in example.attributes}
    for key in (part for joined in spec.data.repeat for part in joined.split(" & ")):
        name, equals, _ = key.partition("=")
        if equals and name not in known:
            raise ValueError(
                f"data.repeat: '{key}' names no attribute of the data, which have "
                f"{', '.join(sorted(known)) or 'none'}; mend or drop it"
            )
    rows: list[int] = []
    for i in data.rows(hold=False):
        example = data.examples[i]
        if example.negative:
            continue
        words = ((n, v) for n, v in example.attributes.items() if not isinstance(v, list))
        holds = {example.source, *(f"{n}={v}" for n, v in words)}
        times = 1.0
        for key, factor in spec.data.repeat.items():
            times *= float(factor) if holds.issuperset(key.split(" & ")) else 1.0
        rows += [i] * (int(times) + int(rng.random() < times % 1))
    return rows


def shuffled(
    data: DataSet, spec: FitSpec, count: int, labelled: bool | None, quality: str | None = None
) -> Iterator[list[int]]:
    """Lists of `count` rows for ever, an epoch after the other; a short last list is dropped.

    `labelled` restricts them to rows with (True) or without (False) landmark labels, `quality` to
    those of that quality.
    """
    for epoch in itertools.count():
        rng = np.random.default_rng([spec.seed, 1, epoch])
        rows = repeated(data, spec, rng)
        if labelled is not None:
            rows = [i for i in rows if data.examples[i].labelled.any() == labelled]
        if quality is not None:
            rows = [i for i in rows if data.examples[i].quality == quality]
        if not rows:
            what = f" of quality '{quality}'" if quality is not None else ""
            raise ValueError(f"no training example{what} is left; check the split and the labels")
        while len(rows) < count:  # fewer labelled pictures than their part of a batch
            rows = rows + rows
        order = rng.permutation(len(rows))
        for at in range(0, len(rows) - count + 1, count):
            yield [rows[j] for j in order[at : at + count]]


def step_rows(data: DataSet, spec: FitSpec, start: int) -> Iterator[tuple[int, list[int]]]:
    """(step, rows) from step `start` on, for ever.

    Negatives come last, near misses of an object's row i as ~i (all of them, where the data hold no
    negatives); with `labelled_share` that part of the objects has landmark labels, with `shares`
    each quality has its own part.
    """
    negatives = [i for i in data.rows(hold=False) if data.examples[i].negative]
    missed = spec.data.near_misses if negatives else 1.0 if spec.data.near_misses else 0.0
    share = round(spec.batch * spec.data.negatives) if negatives or missed else 0
    count = spec.batch - share
    train = [data.examples[i] for i in data.rows(hold=False) if not data.examples[i].negative]
    mixed = any(e.labelled.any() for e in train) and not all(e.labelled.any() for e in train)
    part = round(count * spec.data.labelled_share) if mixed else 0
    if spec.data.shares:
        counts = parts_of(count, spec.data.shares)
        streams = [shuffled(data, spec, n, None, name) for name, n in counts.items() if n]
    elif part:
        streams = [shuffled(data, spec, part, True)]
        streams += [shuffled(data, spec, count - part, False)] if count > part else []
    else:
        streams = [shuffled(data, spec, min(count, max(1, len(train))), None)]
    for step in itertools.count():
        rows = [i for stream in streams for i in next(stream)]
        if step >= start:
            rng = np.random.default_rng([spec.seed, 2, step])
            misses = round(share * missed)
            extra = []
            if share and negatives:
                extra = [negatives[j] for j in rng.integers(0, len(negatives), share)][misses:]
            yield step, rows + extra + [~i for i in itertools.islice(itertools.cycle(rows), misses)]


def parts_of(count: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Whole numbers in the ratio of the shares that add up to `count`; the last takes the rest."""
    whole, left, parts = sum(shares.values()), count, {}
    for name, share in shares.items():
        parts[name] = min(left, round(count * share / whole))
        left -= parts[name]
    parts[name] += left
    return parts


def swap_sides(classes: Sequence[str]) -> list[int]:
    """For each class the class that its mirror image belongs to ('left' <-> 'right'); -1 where
    there is no such class.
    """
    at = {c: i for i, c in enumerate(classes)}
    return [at.get(mirror_name(c), -1) for c in classes]


def place_in_crop(place: np.ndarray, crop: CropSample) -> np.ndarray:
    """x, y and a distance (3,) in pixels of the picture, as sides of the crop from its middle."""
    size = crop.bgr.shape[0]
    if crop.matrix is None:
        raise ValueError("a place needs a crop whose matrix is known")
    matrix = np.asarray(crop.matrix, np.float64)
    x, y = (apply(matrix, place[:2]) - (size - 1) / 2) / size
    return np.array([-x if crop.flipped else x, y, place[2] * crop.scale / size], np.float32)


def visible_in_crop(
    visible: np.ndarray, crop: CropSample, pairs: Sequence[tuple[int, int]]
) -> np.ndarray:
    """The same (K,) of the crop's landmarks, 0 for those beyond it or covered in it."""
    seen, xy, size = visible.copy(), np.nan_to_num(crop.xy, nan=-1.0), crop.bgr.shape[0]
    for a, b in pairs if crop.flipped else ():
        seen[[a, b]] = seen[[b, a]]
    hidden = ((xy < -0.5) | (xy > size - 0.5)).any(1)
    if crop.covered is not None:
        x0, y0, x1, y1 = crop.covered
        hidden |= ((xy >= (x0, y0)) & (xy < (x1, y1))).all(1)
    seen[hidden & np.isfinite(seen)] = 0
    return np.asarray(seen, np.float32)


def yaw_between(example: Example, crop: CropSample) -> np.ndarray:
    """The least and the greatest yaw (2,) that a crop's head can have; NaN where that is open."""
    low, high = example.attributes.get("yaw_between") or (np.nan, np.nan)
    if example.negative:
        low, high = np.nan, np.nan
    return np.array([-high, -low] if crop.flipped else [low, high], np.float32)


def attribute_target(
    head: Head, example: Example, crop: CropSample, pairs: Sequence[tuple[int, int]] = ()
) -> int | np.ndarray:
    """The label of one attribute as it holds in the crop; -1 or NaN where there is none.

    Mirroring swaps left and right classes, negates yaw, roll and x, swaps what is said of either
    side; turning the crop by its angle takes that angle from roll (axes:
    `tracker/find/head_pose.py`) and turns `xyz` about the view. `place` is in sides of the crop
    from its middle; a landmark beyond the crop, or covered in it, is not visible. ValueError for a
    class that the head does not know, or for another number of values than it has.
    """
    attribute = head.attribute
    value = example.attributes.get(attribute.name)
    if value is None or example.negative:
        is_class = bool(attribute.classes)
        return -1 if is_class else np.full(attribute.size, np.nan, np.float32)
    if attribute.classes:
        if value not in attribute.classes:
            raise ValueError(
                f"{example.path.name}: '{value}' is no class of {attribute.name}; "
                f"it has {', '.join(attribute.classes)}"
            )
        index = attribute.classes.index(value)
        return swap_sides(attribute.classes)[index] if crop.flipped else index
    target = np.array(value, np.float32)
    if target.shape != (attribute.size,):
        raise ValueError(
            f"{example.path.name}: {attribute.name} has {target.size} values, its head "
            f"{attribute.size}; make the labels and the config agree"
        )
    return values_in_crop(attribute.name, target, crop, pairs)


def values_in_crop(
    name: str, target: np.ndarray, crop: CropSample, pairs: Sequence[tuple[int, int]]
) -> np.ndarray:
    """The values of an attribute as they hold in the crop, see `attribute_target`."""
    if name == "expressions" and crop.flipped:
        target = target[list(MIRRORED)]
    if name == "place":
        target = place_in_crop(target, crop)
    if name == "visible":
        target = visible_in_crop(target, crop, pairs)
    if name == "xyz":
        points = target.reshape(-1, 3)
        points[:, :2] = points[:, :2] @ rotation(-crop.angle)  # y up: the other way round
        points[:, 0] *= -1 if crop.flipped else 1
    if name == "pose":
        target[2] = wrap_degrees(float(target[2]) - crop.angle)
        if crop.flipped:
            target[[0, 2]] *= -1
    return target


def point_weights(example: Example, hidden: float) -> np.ndarray:
    """How much each landmark counts (K,) float32: the example's weight, times `hidden` where it is
    behind something, times how sure its label is.
    """
    weights = np.full(len(example.xy), example.weight, np.float32)
    if example.sure is not None:
        weights *= example.sure
    if example.hidden is not None:
        weights[example.hidden] *= hidden
    return weights


def up_in_crop(crop: CropSample) -> np.ndarray:
    """Where the picture's up points in a crop: a unit vector (2,), x right and y down."""
    x, y = np.array([0.0, -1.0]) @ rotation(crop.angle)  # the transpose turns frame into crop
    return np.array([-x if crop.flipped else x, y], np.float32)


def to_input(bgr: Image, colour: str) -> np.ndarray:
    """(S, S, 3) BGR -> (C, S, S) uint8 as the network wants it."""
    if colour == "gray":
        return cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)[None]
    return np.ascontiguousarray(bgr[..., ::-1].transpose(2, 0, 1))


def example_at(data: DataSet, row: int) -> Example:
    """The example of a row; for ~row, the same picture as a negative (a near miss)."""
    if row >= 0:
        return data.examples[row]
    example = data.examples[~row]
    return replace(example, negative=True, labelled=np.zeros_like(example.labelled))


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """A training crop as the losses see it: disturbed, and what some of them want besides."""

    crop: CropSample
    easy: Image  # before sharpening, occlusion, colour and blur
    after: Image | None = None  # the next frame, cut and disturbed alike


def _disturb(
    rng: np.random.Generator, bgr: Image, other: Image, black: bool, spec: FitSpec
) -> tuple[Image, Image, tuple[int, int, int, int] | None]:
    """An easy view (background filled) and a hard one (all that disturbs) of a crop; what is
    covered in it.
    """
    covered = None
    if black and rng.random() < spec.augment.background:
        bgr = put_behind(bgr, random_square(rng, other, spec.net.size))
    hard = sharpen(rng, bgr, spec.augment.sharpen) if spec.augment.sharpen else bgr
    if rng.random() < spec.augment.occlude:
        hard, covered = occlude(rng, hard, other)
    if spec.augment.block and rng.random() < spec.augment.block:
        hard = block_out(rng, hard)
    hard = degrade(rng, recolour(rng, hard, spec.augment.colour), spec.augment.blur)
    return bgr, worsen(rng, hard, spec.augment), covered


def _training_crop(data: DataSet, row: int, spec: FitSpec, rng: np.random.Generator) -> Views:
    example, size = example_at(data, row), spec.net.size
    image = data.image(row if row >= 0 else ~row)
    other = data.image(int(rng.integers(len(data.examples))))
    if example.negative:
        nothing = np.full_like(example.xy, np.nan)
        if row < 0:
            bgr = near_miss(rng, spec.kind, example, image, size, spec.crop, spec.data.wrong)  # type: ignore[arg-type]
        else:
            bgr = random_square(rng, image, size)
        crop = CropSample(bgr, nothing, 0.0, False, 1.0)
    else:
        pairs = data.markup.flip_pairs
        crop = crop_example(spec.kind, example, image, size, pairs, rng, spec.augment, spec.crop)  # type: ignore[arg-type]
    again = copy.deepcopy(rng) if "after" in needed(spec.loss) and example.neighbour else None
    easy, hard, covered = _disturb(rng, crop.bgr, other, example.black, spec)
    after = None
    if again is not None and example.neighbour is not None and not example.negative:
        following = data.picture(example.neighbour)
        if following.shape != image.shape:
            raise ValueError(
                f"{example.neighbour} is of another size than {example.path}, whose neighbour it is"
            )
        after = _disturb(again, cut_alike(following, crop), other, example.black, spec)[1]
    return Views(replace(crop, bgr=hard, covered=covered), easy, after)


def weights_by_name(data: DataSet, spec: FitSpec) -> np.ndarray:
    """How much each landmark counts (K,) float32 by `data.landmarks`.

    ValueError for a name that the markup has not.
    """
    names, asked = data.markup.landmarks, spec.data.landmarks
    for name in asked:
        if name not in names:
            raise ValueError(
                f"data.landmarks: '{name}' is no landmark of the data, which have "
                f"{', '.join(names)}; mend or drop it"
            )
    return np.array([float(asked.get(name, 1.0)) for name in names], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One image of a batch."""

    crop: CropSample
    views: Views | None  # of a crop that was disturbed
    labelled: np.ndarray  # (K,) bool, of the crop's landmarks
    weight: np.ndarray  # (K,) float32
    up: np.ndarray  # (2,), see `up_in_crop`; (0, 0) where it is not told
    targets: dict[str, int | np.ndarray]  # by attribute


def make_row(data: DataSet, row: int, spec: FitSpec, rng: np.random.Generator | None) -> Row:
    """A row's crop with all that is known of it; without a generator exactly as the tracker's."""
    example, pairs, views = example_at(data, row), data.markup.flip_pairs, None
    if rng is None:
        picture, size = data.image(row), spec.net.size
        crop = crop_example(spec.kind, example, picture, size, pairs, rule=spec.crop)  # type: ignore[arg-type]
    else:
        views = _training_crop(data, row, spec, rng)
        crop = views.crop
    mask, weight = example.labelled.copy(), point_weights(example, spec.data.hidden)
    if crop.flipped:
        for a, b in pairs:
            mask[[a, b]], weight[[a, b]] = mask[[b, a]], weight[[b, a]]
    # Not drawn where no head asks: runs of before this was told must go on as they began.
    hides_up = spec.augment.no_up > 0 and any(head.up for head in spec.heads)
    told = rng is None or not hides_up or rng.random() >= spec.augment.no_up
    targets = {h.attribute.name: attribute_target(h, example, crop, pairs) for h in spec.heads}
    return Row(crop, views, mask, weight, up_in_crop(crop) * told, targets)


def make_batch(
    data: DataSet,
    rows: Sequence[int],
    spec: FitSpec,
    rng: np.random.Generator | Sequence[np.random.Generator] | None,
) -> Batch:
    """Crops of these rows: augmented when there is a generator, or one for each row, else exactly
    as the tracker's.

    Flipped landmark masks follow their partners.
    """
    each = list(rng) if isinstance(rng, Sequence) else [rng] * len(rows)
    made = [make_row(data, row, spec, own) for row, own in zip(rows, each, strict=True)]
    targets = {
        head.attribute.name: [row.targets[head.attribute.name] for row in made]
        for head in spec.heads
    }
    has_turns = any("yaw_between" in data.examples[row].attributes for row in rows if row >= 0)
    if has_turns or "yaw_between" in needed(spec.loss):
        pairs = zip(rows, made, strict=True)
        targets["yaw_between"] = [yaw_between(example_at(data, i), row.crop) for i, row in pairs]
    still = np.eye(2, 3, dtype=np.float32)
    size = spec.net.size
    warps = np.stack([still if r is None else random_warp(r, spec.elt, size) for r in each])
    images = np.stack([to_input(row.crop.bgr, spec.net.colour) for row in made])
    xy = np.stack([row.crop.xy for row in made])
    labelled = np.stack([row.labelled for row in made]) & np.isfinite(xy).all(-1)
    return Batch(
        torch.from_numpy(images).float(),
        torch.from_numpy(np.nan_to_num(xy)),
        torch.from_numpy(labelled),
        torch.tensor([0.0 if example_at(data, i).negative else 1.0 for i in rows]),
        {name: torch.from_numpy(np.asarray(values)) for name, values in targets.items()},
        torch.from_numpy(warps),
        tuple(rows),
        up=torch.from_numpy(np.stack([row.up for row in made]).astype(np.float32)),
        weight=torch.from_numpy(
            np.stack([row.weight for row in made]) * weights_by_name(data, spec)
        ),
        **_more_views([row.views for row in made if row.views is not None], spec),
    )


def _more_views(views: Sequence[Views], spec: FitSpec) -> dict[str, torch.Tensor]:
    """The fields of a batch that only some losses want; nothing in evaluations."""
    more, colour, needs = {}, spec.net.colour, needed(spec.loss)
    if views and "taught" in needs:
        easy = np.stack([to_input(v.easy, colour) for v in views])
        more["easy"] = torch.from_numpy(easy).float()
    if views and "after" in needs:
        after = [v.crop.bgr if v.after is None else v.after for v in views]
        more["after"] = torch.from_numpy(np.stack([to_input(a, colour) for a in after])).float()
        more["has_after"] = torch.tensor([v.after is not None for v in views])
    return more


def batch_part(batch: Batch, rows: Sequence[int]) -> Batch:
    """These images of a batch; the batch itself where they are all of it."""
    if len(rows) == len(batch.image):
        return batch
    at = torch.tensor(list(rows))
    cut = {k: _mapped(v, lambda t: t[at]) for k, v in _tensors(batch).items()}
    return replace(batch, **cut, rows=tuple(batch.rows[i] for i in rows))


def batch_to(batch: Batch, device: torch.device) -> Batch:
    """The batch on a device."""
    if device.type == "cpu":
        return batch
    moved = {k: _mapped(v, lambda t: t.to(device)) for k, v in _tensors(batch).items()}
    return replace(batch, **moved)


def _tensors(batch: Batch) -> dict[str, Any]:
    """The fields that hold tensors, whether given or not."""
    return {f.name: getattr(batch, f.name) for f in fields(batch) if f.name != "rows"}


def _mapped(value: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    if isinstance(value, dict):
        return {k: change(v) for k, v in value.items()}
    return None if value is None else change(value)
