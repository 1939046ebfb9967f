"""Labels that a network makes itself, where it says the same over many views of an object.

Each unlabelled object is cut several times, turned, scaled, shifted and mirrored. The median of a
point over the views is its pseudo-label, the mean distance of the views from it its spread: a
point whose views agree counts in full, one whose views disagree counts less or not at all.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from tracker.find.geometry import apply, frame_to_crop, invert
from tracker.progress import Report, silent
from tracker.types import Floats
from tracker.whole_files import write_whole
from train.config import FitSpec
from train.data.augment import true_box
from train.data.batches import to_input
from train.data.pictures import DataSet
from train.machine.device import half_precision
from train.networks.model import LandmarkNet
from train.suggest.ranking import WarpSpec, warped_boxes

LABELLED, PSEUDO, UNLABELLED = "labelled", "pseudo", "unlabelled"  # qualities of what trains
BROKEN = (BadZipFile, EOFError, KeyError, OSError, ValueError, zlib.error)
LEAST = 0.5  # % of the crop's side: a median spread below it is as good as this one
AT_ONCE = 128  # crops in a pass of the network


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """Over which views an object is labelled, and how much a point counts by its spread."""

    count: int = 16  # the first as the tracker's, the others as `WarpSpec` says
    rotate: float = 25.0  # degrees, uniform in +-
    scale: float = 0.15  # log-uniform in exp(+-scale)
    shift: float = 0.05  # of the crop's side, uniform in +- per axis
    # in units of the median spread of all points that are labelled together, which tells how good
    # the network is: up to `agree` a point counts in full, from `limit` on not at all
    agree: float = 0.5
    limit: float = 2.0
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class PseudoLabels:
    """What a network says of N objects without labels."""

    rows: NDArray[np.int64]  # (N,) of the data set
    xy: Floats  # (N, K, 2) pixels of the picture
    spread: Floats  # (N, K) % of the crop's side; infinite where no view shows the point


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """One object, cut several times."""

    crops: NDArray[np.uint8]  # (V, C, S, S)
    ways: NDArray[np.float64]  # (V, 2, 3) picture to crop pixels, before mirroring
    mirrored: NDArray[np.bool_]  # (V,)
    side: float  # of the first crop, pixels of the picture


def cut_views(data: DataSet, row: int, spec: FitSpec, views: ViewSpec) -> Cut:
    """The views of an object; the first is the tracker's crop.

    Every second one is mirrored where the spec's training mirrors pictures as well.
    """
    example, image, size = data.examples[row], data.image(row), spec.net.size
    first = true_box(spec.kind, example, image.shape[:2], spec.crop)  # type: ignore[arg-type]
    moved = WarpSpec(views.count - 1, views.rotate, views.scale, views.shift, views.seed)
    boxes = [first, *warped_boxes(first, moved)]
    mirrored = np.array([i % 2 == 1 and spec.augment.flip > 0 for i in range(len(boxes))])
    ways = [frame_to_crop(box, size) for box in boxes]
    crops = []
    for way, flip in zip(ways, mirrored, strict=True):
        bgr = cv2.warpAffine(image, way, (size, size))
        crops.append(to_input(bgr[:, ::-1] if flip else bgr, spec.net.colour))  # type: ignore[arg-type]
    return Cut(np.stack(crops), np.stack(ways), mirrored, first.side)


def to_picture(xy: Floats, cut: Cut, pairs: Sequence[tuple[int, int]]) -> Floats:
    """Points (V, K, 2) of views in the picture; mirrored ones are turned back, partners change."""
    back, size = [], cut.crops.shape[-1]
    for one, way, mirrored in zip(xy, cut.ways, cut.mirrored, strict=True):
        points = np.array(one, np.float64)
        if mirrored:
            points[:, 0] = size - 1 - points[:, 0]
            for a, b in pairs:
                points[[a, b]] = points[[b, a]]
        back.append(apply(invert(way), points))
    return np.stack(back)


def agreed(xy: Floats, cut: Cut) -> tuple[Floats, Floats]:
    """Median (K, 2) and spread (K,), % of the crop's side, of points (V, K, 2) in the picture.

    A view counts for the points that lie in it, by the median over all views. The spread is the
    views' mean distance from the median, infinite where no view counts.
    """
    rough = np.median(xy, 0)
    places = np.stack([apply(way, rough) for way in cut.ways])
    inside = ((places > 0) & (places < cut.crops.shape[-1] - 1)).all(-1)
    seen = np.where(inside[..., None], xy, np.nan)
    none = ~inside.any(0)
    seen[:, none] = rough[none]
    middle = np.nanmedian(seen, 0)
    apart = np.nanmean(np.linalg.norm(seen - middle, axis=-1), 0) / cut.side * 100
    return middle.astype(np.float32), np.where(none, np.inf, apart).astype(np.float32)


def point_weight(spread: Floats, views: ViewSpec) -> Floats:
    """How much points (N, K) that are labelled together count, 0 to 1 by their spread, float32."""
    known = spread[np.isfinite(spread)]
    middle = max(float(np.median(known)), LEAST) if len(known) else LEAST
    agree, limit = views.agree * middle, views.limit * middle
    if limit <= agree:
        return (spread <= agree).astype(np.float32)
    return np.asarray(np.clip((limit - spread) / (limit - agree), 0.0, 1.0), np.float32)


def label_pictures(
    model: LandmarkNet,
    data: DataSet,
    rows: Sequence[int],
    spec: FitSpec,
    views: ViewSpec,
    count: Report = silent,
) -> PseudoLabels:
    """Pseudo-labels of these rows by a network, which is put into evaluation."""
    model.eval()
    pairs, each = data.markup.flip_pairs, max(1, AT_ONCE // views.count)
    points, spreads = [], []
    for at in range(0, len(rows), each):
        cuts = [cut_views(data, row, spec, views) for row in rows[at : at + each]]
        found = _points(model, np.concatenate([c.crops for c in cuts]), spec)
        for i, cut in enumerate(cuts):
            xy = found[i * views.count : (i + 1) * views.count]
            middle, spread = agreed(to_picture(xy, cut, pairs), cut)
            points.append(middle)
            spreads.append(spread)
        count(min(at + each, len(rows)), len(rows))
    landmarks = len(data.markup.landmarks)
    return PseudoLabels(
        np.array(rows, np.int64),
        np.array(points, np.float32).reshape(-1, landmarks, 2),
        np.array(spreads, np.float32).reshape(-1, landmarks),
    )


def _points(model: LandmarkNet, crops: NDArray[np.uint8], spec: FitSpec) -> Floats:
    """(V, K, 2) crop pixels; in half precision where the training uses it."""
    device = model.mean.device
    with torch.inference_mode():
        image = torch.from_numpy(crops).to(device).float()
        image = model.scale(image).contiguous(memory_format=torch.channels_last)
        with half_precision(device, spec.precision):
            heat, _ = model.net(image)
        return np.asarray(model.points(heat)[0].float().cpu().numpy(), np.float32)


def unlabelled_rows(data: DataSet) -> list[int]:
    """Training rows of objects of which no landmark is labelled."""
    return [
        i for i in data.rows(hold=False)
        if not data.examples[i].negative and not data.examples[i].labelled.any()
    ]  # fmt: skip


def with_pseudo_labels(data: DataSet, found: PseudoLabels, views: ViewSpec) -> DataSet:
    """The data set with pseudo-labels; training examples get the quality LABELLED, PSEUDO or
    UNLABELLED, by which a batch is shared out.
    """
    at, weights = (
        {int(row): i for i, row in enumerate(found.rows)},
        point_weight(found.spread, views),
    )
    examples = []
    for row, example in enumerate(data.examples):
        if example.hold or example.negative:
            examples.append(example)
            continue
        quality = LABELLED if example.labelled.any() else UNLABELLED
        if row in at:
            weight = weights[at[row]]
            if weight.any():
                xy = found.xy[at[row]]
                example = replace(example, xy=xy, labelled=weight > 0, sure=weight, hidden=None)
                quality = PSEUDO
        examples.append(replace(example, quality=quality))
    return DataSet(data.markup, tuple(examples), data.cache)


def write_pseudo_labels(path: Path, found: PseudoLabels) -> None:
    """Keep them, whole or not at all."""
    data = io.BytesIO()
    np.savez(data, rows=found.rows, xy=found.xy, spread=found.spread)
    write_whole(path, data.getvalue())


def kept_pseudo_labels(path: Path) -> PseudoLabels | None:
    """Those that were kept; None where there are none that can be used."""
    try:
        with np.load(path, allow_pickle=False) as found:
            return PseudoLabels(found["rows"], found["xy"], found["spread"])
    except BROKEN:
        return None
