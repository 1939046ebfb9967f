"""Landmarks of the objects in given boxes: cut, one batched network run, back to the frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engines import Engine, Outputs
from engines.choose import load_network
from tracker.find.geometry import apply, bounds_xyxy, crop_to_frame, rotation
from tracker.find.head_pose import wrap_degrees
from tracker.find.model_file import ModelInfo
from tracker.timings import Timings
from tracker.types import CropBox, Floats, Image, Located

SMALLEST = 8.0  # frame pixels; landmarks in less room than this are noise
COLLAPSED = 0.12  # crop sides; without an object the points gather in the middle of the crop
INSIDE = 0.25  # this share of the landmarks must lie in the frame


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A landmark network and what its file says about it."""

    engine: Engine
    info: ModelInfo
    path: Path | None = None  # the file it came from


def load_model(
    path: str | Path, threads: int = 2, engine_name: str = "onnx", live: bool = False
) -> Model:
    """Load a landmark model and run it once on black, so that a wrong file fails here.

    `engine_name` and `live` as in `engines.choose`. Raises FileNotFoundError, ValueError (not one
    of our models) or RuntimeError (a demanded engine that does not work here).
    """
    engine = load_network(Path(path), threads, engine_name, live)
    try:
        info = ModelInfo.from_props(engine.props, str(path))
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{path} describes its landmarks incompletely ({error}); "
            "export it again with 'train export'"
        ) from error
    model = Model(engine, info, Path(path))
    channels = 3 if info.colour == "rgb" else 1
    outputs = engine.run(np.zeros((1, channels, info.size, info.size), np.float32))
    check_outputs(outputs, info, str(path))
    return model


def check_outputs(outputs: Outputs, info: ModelInfo, origin: str) -> None:
    """ValueError when a network's answers (for one crop) are not what its description promises."""
    points = len(info.landmarks)
    want: dict[str, tuple[int, ...]] = {
        "xy": (1, points, 2),
        "score": (1, points),
        "presence": (1,),
    }
    want |= {a.name: (1, a.ups, a.width) if a.ups else (1, a.width) for a in info.attributes}
    for name, shape in want.items():
        found = outputs[name].shape if name in outputs else "nothing"
        if found != shape:
            raise ValueError(
                f"{origin} should give {name} as {shape} and gives {found}; "
                "export it again with 'train export'"
            )


def locate(
    frame_bgr: Image, boxes: Sequence[CropBox], model: Model, timings: Timings | None = None
) -> list[Located]:
    """What `model` sees in each box of an (H, W, 3) frame, in the order of the boxes."""
    if not boxes:
        return []
    timings = Timings() if timings is None else timings
    with timings.stage("crop"):
        batch = network_input(frame_bgr, boxes, model.info)
    with timings.stage("network"):
        outputs = model.engine.run(batch)
    return [read(outputs, i, box, model.info) for i, box in enumerate(boxes)]


def network_input(frame_bgr: Image, boxes: Sequence[CropBox], info: ModelInfo) -> Floats:
    """(N, C, S, S) float32, 0..255, RGB or gray; black outside the frame."""
    channels = 3 if info.colour == "rgb" else 1
    batch = np.empty((len(boxes), channels, info.size, info.size), np.float32)
    for planes, box in zip(batch, boxes, strict=True):
        patch = cut(frame_bgr, box, info.size)
        if channels == 3:
            for plane, values in zip(planes[::-1], cv2.split(patch), strict=True):
                plane[:] = values
        else:
            planes[0] = cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY)
    return batch


def cut(image: Image, box: CropBox, size: int) -> Image:
    """The (size, size) patch of an image under a box: bilinear, black outside.

    Where a patch pixel covers several image pixels, those are averaged first, because bilinear
    sampling looks at four of them only and would flicker. The map is `crop_to_frame` all the same.
    """
    matrix = crop_to_frame(box, size)  # to the image's pixels: the warp asks where to look
    factor = int(box.side / size)
    if factor >= 2:
        image, scale_xy, offset_xy = shrunk(image, box, factor)
        if image.size == 0:
            return np.zeros((size, size, *image.shape[2:]), np.uint8)
        matrix = matrix.copy()
        matrix[:, 2] -= offset_xy
        matrix /= scale_xy[:, None]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    patch = cv2.warpAffine(image, matrix, (size, size), flags=flags)
    return patch.astype(np.uint8, copy=False)


def shrunk(image: Image, box: CropBox, factor: int) -> tuple[Image, Floats, Floats]:
    """The part of an image around a box, area-averaged by `factor`.

    Also scale (2,) and offset (2,): image pixel = small pixel * scale + offset. Empty when the
    box lies outside. The scale is `factor`, and a little less along an axis of the image that the
    part covers whole and that is no multiple of it.
    """
    turn = math.radians(box.angle)
    extent = box.side / 2 * (abs(math.cos(turn)) + abs(math.sin(turn)))  # of the turned square
    reach = extent + 2 * factor  # room for the interpolation
    h, w = image.shape[:2]
    x0, x1 = _span(float(box.centre_xy[0]), reach, w, factor)
    y0, y1 = _span(float(box.centre_xy[1]), reach, h, factor)
    part = image[y0:y1, x0:x1]
    if part.size == 0:
        return part, np.ones(2, np.float32), np.zeros(2, np.float32)
    small = averaged(part, factor)
    scale = np.array([(x1 - x0) / small.shape[1], (y1 - y0) / small.shape[0]])
    offset = np.array([x0, y0]) + (scale - 1) / 2  # the centre of small pixel 0
    return small, scale.astype(np.float32), offset.astype(np.float32)


def _span(centre: float, reach: float, length: int, multiple: int) -> tuple[int, int]:
    """Pixels [low, high) of an axis around a centre, a multiple of them where there is room."""
    low = max(math.floor(centre - reach), 0)
    high = min(math.ceil(centre + reach) + 1, length)
    if high <= low:
        return 0, 0
    missing = -(high - low) % multiple
    after = min(missing, length - high)
    return max(low - missing + after, 0), high + after


def averaged(image: Image, factor: int) -> Image:
    """An image in which every pixel is the mean of `factor` x `factor` ones.

    Sides that are no multiple are divided and rounded up, and their pixels cover a little less.
    """
    h, w = image.shape[:2]
    if factor == 1:
        return image
    size_wh = (-(-w // factor), -(-h // factor))
    if h % factor or w % factor:
        small = cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA)
    elif factor % 2 == 0:  # OpenCV halves ten times as fast as it averages by anything else,
        half = cv2.resize(image, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
        return averaged(np.asarray(half, np.uint8), factor // 2)
    elif factor <= 5:  # and blurs these two twice as fast as it averages
        means = cv2.blur(image, (factor, factor), anchor=(0, 0))
        small = cv2.resize(means, size_wh, interpolation=cv2.INTER_NEAREST)
    else:
        small = cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def read(outputs: Outputs, i: int, box: CropBox, info: ModelInfo) -> Located:
    """Row i of the network's answers, in the frame: roll and `xyz` turn with the box, `iris` and
    `place` are in frame pixels.
    """
    attributes = {a.name: outputs[a.name][i].astype(np.float32) for a in info.attributes}
    for attribute in info.attributes:
        if attribute.ups:
            attributes[attribute.name] = at_angle(attributes[attribute.name], box.angle)
    if "xyz" in attributes:
        points = attributes["xyz"].reshape(-1, 3)
        points[:, :2] = points[:, :2] @ rotation(box.angle)  # y up: the other way round
    if "pose" in attributes:
        yaw, pitch, roll = attributes["pose"]
        turned = wrap_degrees(float(roll) + box.angle)
        attributes["pose"] = np.array([yaw, pitch, turned], np.float32)
    to_frame = crop_to_frame(box, info.size)
    if "place" in attributes:
        x, y, apart = attributes["place"].astype(np.float64)
        middle = (info.size - 1) / 2
        spot = apply(to_frame, [middle + x * info.size, middle + y * info.size])
        attributes["place"] = np.append(spot, np.float32(apart * box.side))
    if "iris" in attributes:
        irises = attributes["iris"].reshape(-1, 3)
        irises[:, :2] = apply(to_frame, irises[:, :2])
    return Located(
        info.kind,
        box,
        apply(to_frame, outputs["xy"][i]),
        outputs["score"][i].astype(np.float32),
        float(outputs["presence"][i]),
        attributes,
    )


def at_angle(answers: Floats, angle: float) -> Floats:
    """From answers (U, W) for even turns that (W,) of a crop turned by `angle` degrees: a mean of
    the two nearest.
    """
    at = angle / 360 * len(answers)
    low, share = int(np.floor(at)), at - np.floor(at)
    first, second = answers[low % len(answers)], answers[(low + 1) % len(answers)]
    return np.asarray((1 - share) * first + share * second, np.float32)


def is_plausible(found: Located, frame: Image) -> bool:
    """Can these landmarks be an object: finite, neither tiny nor collapsed, partly in the frame?"""
    x0, y0, x1, y1 = box = bounds_xyxy(found.xy).tolist()
    if not all(map(math.isfinite, box)):  # a point that is nowhere makes a bound of it
        return False
    if max(x1 - x0, y1 - y0) < max(SMALLEST, COLLAPSED * found.box.side):
        return False
    h, w = frame.shape[:2]
    if min(x0, y0) >= 0 and x1 <= w - 1 and y1 <= h - 1:
        return True
    inside = ((found.xy >= 0) & (found.xy <= (w - 1, h - 1))).all(1).mean()
    return bool(inside >= INSIDE)
