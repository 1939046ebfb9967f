"""From a labelled picture to a network crop: geometry with its points, then colour.

`crop_example` is also what evaluation uses, with no generator: the exact crop that the tracker
would take from true landmarks.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from tracker.find.geometry import apply, box_from_landmarks, frame_to_crop, letterbox
from tracker.types import CropBox, CropRule, Floats, Image, Kind
from train.config import AugmentSpec, EltSpec
from train.data.pictures import Example

BORDERS = (cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101)


@dataclass(frozen=True, slots=True, eq=False)
class CropSample:
    """A crop and what is known in it."""

    bgr: Image  # (S, S, 3)
    xy: Floats  # (K, 2) crop pixels, NaN where not given; left-right partners already swapped
    angle: float  # degrees by which the crop is turned against the picture
    flipped: bool
    scale: float  # crop pixels per picture pixel
    matrix: Floats | None = None  # (2, 3) picture pixels to crop pixels, before mirroring
    border: int = cv2.BORDER_CONSTANT
    window: Floats | None = None  # (4, 2) crop pixels before mirroring: black beyond
    covered: tuple[int, int, int, int] | None = None  # x0, y0, x1, y1 that `occlude` covered


def true_box(
    kind: Kind, example: Example, shape_hw: tuple[int, int], rule: CropRule | None = None
) -> CropBox:
    """The crop that the labels ask for: from points, else from the box, else the whole picture.

    An example `by_box` has too few points to tell; its box, turned by the example's angle, goes
    before them.

    A rule can ask for the box (its longer side times the rule's scale) or the whole picture.
    """
    if rule is not None and rule.around != "landmarks":
        if rule.around == "picture" or example.box_xyxy is None:
            return letterbox(shape_hw)
        x0, y0, x1, y1 = (float(v) for v in example.box_xyxy)
        centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2], np.float32)
        return CropBox(centre, max(x1 - x0, y1 - y0) * rule.scale, 0.0)
    if np.isfinite(example.xy).all(1).sum() >= 2 and not example.by_box:
        return box_from_landmarks(kind, example.xy, rule=rule)
    h, w = shape_hw
    box = example.box_xyxy if example.box_xyxy is not None else np.array([0, 0, w - 1, h - 1])
    corners = np.asarray(box, np.float32).reshape(2, 2)
    upright = box_from_landmarks(kind, corners, 0.0, rule)
    return CropBox(upright.centre_xy, upright.side, example.angle)


def jitter_box(rng: np.random.Generator, box: CropBox, spec: AugmentSpec) -> CropBox:
    """Turn, scale and shift a crop at random."""
    turn = 180.0 if spec.spin and rng.random() < spec.spin else spec.rotate
    angle = box.angle + rng.uniform(-turn, turn)
    low, high = -spec.scale, spec.scale
    if spec.far and rng.random() < spec.far:  # the object at 0.5 to 1.6 of its usual size
        low, high = -np.log(1.6), np.log(2.0)
    side = box.side * float(np.exp(rng.uniform(low, high)))
    shift = rng.uniform(-spec.shift, spec.shift, 2) * box.side
    return CropBox((box.centre_xy + shift).astype(np.float32), side, float(angle))


def random_window(rng: np.random.Generator, box: CropBox) -> Floats:
    """Corners (4, 2), picture pixels, of where a photo might end around a crop.

    An upright square of 0.9 to 1.2 times the crop's side, moved by up to 8 % of it. Points farther
    than 0.37 sides from the crop's centre can fall outside; they stay labelled.
    """
    half = box.side * float(rng.uniform(0.9, 1.2)) / 2
    centre = box.centre_xy + rng.uniform(-0.08, 0.08, 2) * box.side
    corners = centre + half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return corners.astype(np.float32)


def keep_window(bgr: Image, corners: Floats) -> Image:
    """Black outside a convex polygon of crop pixels (N, 2)."""
    inside = np.zeros(bgr.shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, np.round(corners * 16).astype(np.int32), 1, shift=4)
    return bgr * inside[..., None]


def flip_sample(bgr: Image, xy: Floats, pairs: tuple[tuple[int, int], ...]) -> tuple[Image, Floats]:
    """Mirror left-right: x becomes S - 1 - x and partners change places."""
    out = xy.copy()
    out[:, 0] = bgr.shape[1] - 1 - out[:, 0]
    for a, b in pairs:
        out[[a, b]] = out[[b, a]]
    return np.ascontiguousarray(bgr[:, ::-1]), out


def crop_example(
    kind: Kind,
    example: Example,
    image: Image,
    size: int,
    pairs: tuple[tuple[int, int], ...],
    rng: np.random.Generator | None = None,
    spec: AugmentSpec | None = None,
    rule: CropRule | None = None,
) -> CropSample:
    """Cut the crop; with a generator and a spec, a randomly moved and maybe mirrored one."""
    box = true_box(kind, example, image.shape[:2], rule)
    border, flip = cv2.BORDER_CONSTANT, False
    photo: Floats | None = None
    if rng is not None and spec is not None:
        if spec.whole and rng.random() < spec.whole:
            box = letterbox(image.shape)  # looked at before any object is followed
        unmoved = box
        box = jitter_box(rng, box, spec)
        border = BORDERS[rng.integers(3)]
        flip = bool(rng.random() < spec.flip)
        if spec.cut and rng.random() < spec.cut:
            photo = random_window(rng, unmoved)
    matrix = frame_to_crop(box, size)
    bgr = cv2.warpAffine(image, matrix, (size, size), borderMode=border)  # as the tracker's
    window = None if photo is None else apply(matrix, photo)
    if window is not None:
        bgr = keep_window(bgr, window)  # type: ignore[arg-type]
    xy = apply(matrix, example.xy)
    if flip:
        bgr, xy = flip_sample(bgr, xy, pairs)  # type: ignore[arg-type]
    return CropSample(bgr, xy, box.angle, flip, size / box.side, matrix, border, window)  # type: ignore[arg-type]


def cut_alike(image: Image, crop: CropSample) -> Image:
    """Another picture of the same size, cut and mirrored exactly as `crop` was."""
    size = crop.bgr.shape[0]
    bgr = cv2.warpAffine(image, crop.matrix, (size, size), borderMode=crop.border)  # type: ignore[arg-type]
    if crop.window is not None:
        bgr = keep_window(bgr, crop.window)  # type: ignore[arg-type]
    return np.ascontiguousarray(bgr[:, ::-1] if crop.flipped else bgr, np.uint8)


def random_square(rng: np.random.Generator, image: Image, size: int) -> Image:
    """Any square of a picture, as a crop in which there is no object."""
    h, w = image.shape[:2]
    side = float(rng.uniform(0.4, 1.2)) * min(h, w)
    centre = rng.uniform([0.05 * w, 0.05 * h], [0.95 * w, 0.95 * h]).astype(np.float32)
    matrix = frame_to_crop(CropBox(centre, side, float(rng.uniform(-45, 45))), size)
    border = BORDERS[rng.integers(3)]
    return cv2.warpAffine(image, matrix, (size, size), borderMode=border)  # type: ignore[return-value]


def near_miss(
    rng: np.random.Generator,
    kind: Kind,
    example: Example,
    image: Image,
    size: int,
    rule: CropRule | None = None,
    wrong: bool = False,
) -> Image:
    """A crop that a tracker might take by mistake: beside the object, or a small part of it.

    With `wrong` six of ten are `wrong_box`.
    """
    h, w = image.shape[:2]
    box = true_box(kind, example, (h, w), rule)
    if wrong and rng.random() < 0.6:
        matrix = frame_to_crop(wrong_box(rng, box, example.xy), size)
        border = BORDERS[rng.integers(3)]
        return cv2.warpAffine(image, matrix, (size, size), borderMode=border)  # type: ignore[return-value]
    turn = float(rng.uniform(0, 2 * np.pi))
    way = np.array([np.cos(turn), np.sin(turn)])
    if rng.random() < 0.6:
        centre = box.centre_xy + way * box.side * float(rng.uniform(0.6, 0.9))
        side = box.side * float(np.exp(rng.uniform(-0.5, 0.3)))
    else:
        centre = box.centre_xy + way * box.side * float(rng.uniform(0, 0.35))
        side = box.side * float(rng.uniform(0.12, 0.35))
    missed = CropBox(centre.astype(np.float32), side, box.angle + float(rng.uniform(-45, 45)))
    return cv2.warpAffine(  # type: ignore[return-value]
        image, frame_to_crop(missed, size), (size, size), borderMode=BORDERS[rng.integers(3)]
    )


def wrong_box(rng: np.random.Generator, box: CropBox, xy: Floats) -> CropBox:
    """A crop that lost its object on the way: see DataSpec.wrong. xy (K, 2) picture pixels.

    Half: the centre moved by 0.42 to 0.65 sides. Too large: 2.3 to 3.5 times the side, too small:
    0.25 to 0.45, about one of the landmarks, which for a hand is a finger or the wrist. Upside
    down: turned by 140 to 220 degrees.
    """
    centre = box.centre_xy.astype(np.float64)
    side, angle = box.side, box.angle + float(rng.uniform(-40, 40))
    way = rng.integers(4)
    known = xy[np.isfinite(xy).all(1)]
    if way == 0:
        turn = float(rng.uniform(0, 2 * np.pi))
        shift = np.array([np.cos(turn), np.sin(turn)]) * side * float(rng.uniform(0.42, 0.65))
        centre, side = centre + shift, side * float(np.exp(rng.uniform(-0.3, 0.3)))
    elif way == 1:
        side = side * float(rng.uniform(2.3, 3.5))
        centre = centre + rng.uniform(-0.1, 0.1, 2) * side
    elif way == 2 and len(known):
        centre = known[rng.integers(len(known))].astype(np.float64)
        side = side * float(rng.uniform(0.25, 0.45))
    else:
        angle = box.angle + float(rng.uniform(140, 220))
        centre = centre + rng.uniform(-0.12, 0.12, 2) * side
        side = side * float(np.exp(rng.uniform(-0.3, 0.3)))
    return CropBox(np.asarray(centre, np.float32), side, angle)


def worsen(rng: np.random.Generator, bgr: Image, spec: AugmentSpec) -> Image:
    """What fast hands and poor cameras do, each with its probability."""
    if spec.gamma and rng.random() < spec.gamma:
        bgr = bend(bgr, float(np.exp(rng.uniform(np.log(0.3), np.log(3.0)))))
    if spec.motion and rng.random() < spec.motion:
        length = float(rng.uniform(0.03, 0.14)) * bgr.shape[0]
        bgr = smear(bgr, length, float(rng.uniform(0, 180)))
    if spec.dark and rng.random() < spec.dark:
        bgr = darken(rng, bgr, float(np.exp(rng.uniform(np.log(0.1), np.log(0.5)))))
    if spec.jpeg and rng.random() < spec.jpeg:
        bgr = jpeg(bgr, int(rng.integers(8, 51)))
    return bgr


def bend(bgr: Image, gamma: float) -> Image:
    """Each value v of 0..1 becomes v to the power of gamma: below 1 brighter, above darker."""
    table = np.linspace(0, 1, 256) ** gamma * 255
    return cv2.LUT(bgr, table.round().astype(np.uint8))  # type: ignore[return-value]


def smear(bgr: Image, length: float, angle: float) -> Image:
    """Motion blur: the mean along a line of `length` pixels at `angle` degrees."""
    size = 2 * int(np.ceil(length / 2)) + 1
    middle, half = size // 2, length / 2
    way = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))]) * half
    ends = np.round((middle + np.array([-way, way])) * 16).astype(int)
    line = np.zeros((size, size), np.float32)
    cv2.line(line, ends[0].tolist(), ends[1].tolist(), 1.0, 1, cv2.LINE_AA, 4)
    return cv2.filter2D(bgr, -1, line / max(float(line.sum()), 1e-6))  # type: ignore[return-value]


def darken(rng: np.random.Generator, bgr: Image, light: float) -> Image:
    """So little light (0..1) that the sensor's noise shows, then half of it given back by gain."""
    gain = float(rng.uniform(1, 1 / light))
    photons = bgr.astype(np.float32) * light
    noise = rng.standard_normal(bgr.shape, np.float32) * (1.0 + 0.35 * np.sqrt(photons))
    return np.asarray(np.clip((photons + noise) * gain, 0, 255), np.uint8)


def jpeg(bgr: Image, quality: int) -> Image:
    """As it looks after JPEG of a quality from 1 to 100."""
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def put_behind(bgr: Image, background: Image) -> Image:
    """Fill the black surround of a cut-out object with another picture, softly at the rim."""
    dark = (bgr.max(2) < 14).astype(np.uint8)
    dark = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    alpha = cv2.GaussianBlur(dark.astype(np.float32), (0, 0), 0.8)[..., None]
    return (bgr * (1 - alpha) + background * alpha).astype(np.uint8)


def recolour(rng: np.random.Generator, bgr: Image, strength: float) -> Image:
    """Random gain per channel, gamma, contrast, and sometimes gray; one look-up table."""
    if strength <= 0:
        return bgr
    base = np.linspace(0, 1, 256)
    gain = np.exp(rng.normal(0, 0.2 * strength) + rng.normal(0, 0.1 * strength, 3))
    gamma = np.exp(rng.normal(0, 0.25 * strength))
    lift = rng.normal(0, 0.05 * strength)
    table = np.clip((base[:, None] ** gamma) * gain + lift, 0, 1) * 255
    out = cv2.LUT(bgr, table.astype(np.uint8)[:, None, :])
    if rng.random() < 0.3:
        gray = cv2.cvtColor(out, cv2.COLOR_BGR2GRAY)[..., None].repeat(3, 2)
        out = cv2.addWeighted(out, 1 - (mix := float(rng.uniform(0.2, 1))), gray, mix, 0)
    return out  # type: ignore[return-value]


def sharpen(rng: np.random.Generator, bgr: Image, probability: float) -> Image:
    """Raise what a Gaussian of 1 px takes away to the 1 to 3 fold, with this probability.

    A turned crop is interpolated, so softer than its picture; photos that were made small without
    smoothing are sharper than either.
    """
    if rng.random() >= probability:
        return bgr
    more = float(rng.uniform(0, 2))
    return cv2.addWeighted(bgr, 1 + more, cv2.GaussianBlur(bgr, (0, 0), 1.0), -more, 0)  # type: ignore[return-value]


def degrade(rng: np.random.Generator, bgr: Image, probability: float) -> Image:
    """Blur, motion blur, low resolution or noise, each on its own."""
    if rng.random() < probability:
        bgr = cv2.GaussianBlur(bgr, (0, 0), float(rng.uniform(0.4, 1.6)))  # type: ignore[assignment]
    if rng.random() < probability / 2:
        length = int(rng.integers(3, 9))
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1 / length
        spin = cv2.getRotationMatrix2D((length / 2 - 0.5,) * 2, float(rng.uniform(0, 180)), 1)
        turned = cv2.warpAffine(kernel, spin, (length, length))
        even = np.asarray(turned / max(float(turned.sum()), 1e-6), np.float32)
        bgr = cv2.filter2D(bgr, -1, even)  # type: ignore[assignment]
    if rng.random() < probability / 2:
        h, w = bgr.shape[:2]
        f = float(rng.uniform(0.3, 0.8))
        small = cv2.resize(bgr, (max(8, int(w * f)), max(8, int(h * f))))
        bgr = cv2.resize(small, (w, h))  # type: ignore[assignment]
    if rng.random() < probability:
        noise = rng.standard_normal(bgr.shape, np.float32) * float(rng.uniform(2, 12))
        bgr = np.clip(bgr + noise, 0, 255).astype(np.uint8)
    return bgr


def block_out(rng: np.random.Generator, bgr: Image) -> Image:
    """RCN's `block_img`: one black rectangle, sides of 1/4 to 5/8 of the crop, anywhere."""
    size = bgr.shape[0]
    h, w = rng.integers(size // 4, 5 * size // 8 + 1, 2)
    y, x = int(rng.integers(0, size - h + 1)), int(rng.integers(0, size - w + 1))
    out = bgr.copy()
    out[y : y + h, x : x + w] = 0
    return out


def occlude(
    rng: np.random.Generator, bgr: Image, other: Image
) -> tuple[Image, tuple[int, int, int, int]]:
    """Cover a random rectangle with one colour or with a piece of another picture; x0, y0, x1, y1
    of it, pixels.
    """
    size = bgr.shape[0]
    h, w = (rng.uniform(0.12, 0.4, 2) * size).astype(int)
    y, x = int(rng.integers(0, size - h)), int(rng.integers(0, size - w))
    out = bgr.copy()
    if rng.random() < 0.5:
        out[y : y + h, x : x + w] = rng.integers(0, 256, 3)
    else:
        out[y : y + h, x : x + w] = cv2.resize(other, (int(w), int(h)))
    return out, (x, y, x + int(w), y + int(h))


def random_warp(rng: np.random.Generator, spec: EltSpec, size: int) -> np.ndarray:
    """A (2, 3) affine of crop pixels about the crop's centre, for the ELT."""
    a = np.deg2rad(rng.uniform(-spec.rotate, spec.rotate))
    s = np.exp(rng.uniform(-spec.scale, spec.scale))
    linear = s * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    middle = np.full(2, (size - 1) / 2)
    shift = rng.uniform(-spec.shift, spec.shift, 2) * size
    return np.column_stack([linear, middle - linear @ middle + shift]).astype(np.float32)
