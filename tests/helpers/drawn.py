"""Drawn objects whose landmarks are known, and engines and a detector that find them.

A drawn object is a red, a green and a blue blob; their centres are its three landmarks, in this
order. Real engines are never needed: the ONNX that `centroid_onnx` writes finds the blobs by their
centre of mass, and `BlobEngine` does the same in numpy for several objects in one crop.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from engines.foreign import made_here
from tracker.find.detectors import face, palm
from tracker.find.model_file import Attribute, ModelInfo
from tracker.types import CropBox, Detection, Kind

SIZE = 64  # input side of both engines
REACH = 17  # px from a blob's middle; from there on it adds less than 1e-5
SHAPE = np.array([[0, 16], [-14, -10], [14, -10]], float)  # landmarks around an object's middle


def blob_info(kind: Kind = "hand") -> ModelInfo:
    """Three landmarks, no attribute but the side."""
    return ModelInfo(
        kind, ("red", "green", "blue"), ((0, 1), (0, 2)), ((1, 2),),
        (Attribute("side", ("left", "right")),), "blobs", SIZE, "rgb",
        (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 1.0, "Apache-2.0", "none", "",
    )  # fmt: skip


def draw_blobs(
    objects: Sequence[np.ndarray], shape_hw: tuple[int, int] = (240, 320), peak: float = 250.0
) -> np.ndarray:
    """(H, W, 3) uint8 BGR: Gaussian blobs (sigma 2.5 px) at the landmarks (3, 2) of each object."""
    h, w = shape_hw
    y, x = np.ogrid[:h, :w]
    frame = np.zeros((h, w, 3))
    for xy in objects:
        for channel, (cx, cy) in zip((2, 1, 0), xy, strict=True):
            rows, columns = (
                slice(max(int(c) - REACH, 0), max(int(c) + REACH, 0)) for c in (cy, cx)
            )
            far = (x[:, columns] - cx) ** 2 + (y[rows] - cy) ** 2
            frame[rows, columns, channel] += peak * np.exp(-far / 12.5)
    return frame.clip(0, 255).round().astype(np.uint8)


class BlobEngine:
    """Finds, in each channel of a crop, the blob nearest to the crop's middle."""

    provider, threads, props = "numpy", 1, {}

    def __init__(self) -> None:
        self.batches: list[int] = []  # how many crops each run had

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        self.batches.append(len(batch))
        rows = [self._one(crop) for crop in batch]
        n = len(rows)
        return {
            "xy": np.array([r[0] for r in rows], np.float32).reshape(n, 3, 2),
            "score": np.ones((n, 3), np.float32),
            "presence": np.array([r[1] for r in rows], np.float32),
            "side": np.array([r[2] for r in rows], np.float32).reshape(n, 2),
        }

    def _one(self, crop: np.ndarray) -> tuple[np.ndarray, float, tuple[float, float]]:
        """Landmarks, presence, side: an object whose blobs are bright is a left hand."""
        xy, peak = np.full((3, 2), SIZE / 2) + SHAPE * 0.3, 0.0
        for c, channel in enumerate(crop):
            count, _, _, centres = cv2.connectedComponentsWithStats((channel > 60).astype(np.uint8))
            if count < 2:
                return xy, 0.0, (0.5, 0.5)
            off = np.linalg.norm(centres[1:] - (SIZE - 1) / 2, axis=1)
            xy[c] = centres[1 + int(np.argmin(off))]
            x, y = xy[c].round().astype(int)
            peak = max(peak, float(channel[max(y - 3, 0) : y + 4, max(x - 3, 0) : x + 4].max()))
        return xy, 1.0, (0.95, 0.05) if peak > 220 else (0.05, 0.95)


class BlobFinder:
    """A detector that knows where the objects are in a frame, because the test tells it.

    A square picture is a view of a frame: there it sees for itself.
    """

    name = "blobs"

    def __init__(self, kind: Kind = "hand") -> None:
        self.kind: Kind = kind
        self.objects: list[np.ndarray] = []
        self.calls = 0

    def detect(self, frame_bgr: np.ndarray) -> list[Detection]:
        self.calls += 1
        h, w = frame_bgr.shape[:2]
        return [self.detection(xy) for xy in (seen_blobs(frame_bgr) if h == w else self.objects)]

    def first_crop(self, found: Detection) -> CropBox:
        return (face if found.kind == "face" else palm).first_crop(found)

    def detection(self, xy: np.ndarray) -> Detection:
        """One around an object, 20 px wide (so its first crop is about 57 px), turned as it is."""
        across = (xy[2] - xy[1]) / 28
        scale, up = float(np.linalg.norm(across)), np.array([across[1], -across[0]])
        middle = xy.mean(0) - 8 * up
        box = np.concatenate([middle - 10 * scale, middle + 10 * scale]).astype(np.float32)
        points = np.tile(middle, (7, 1)).astype(np.float32)
        points[2] += 10 * up
        if self.kind == "face":
            points[1] = points[0] + 10 * across
        return Detection(self.kind, box, 0.9, points)


def seen_blobs(picture: np.ndarray) -> list[np.ndarray]:
    """The objects (3, 2) of a picture, the brightest first.

    To each red blob belong the nearest green and blue ones.
    """
    centres = []
    for channel in (2, 1, 0):
        mask = (picture[..., channel] > 60).astype(np.uint8)
        centres.append(cv2.connectedComponentsWithStats(mask)[3][1:])
    red, *others = centres
    if not all(map(len, others)):
        return []
    red = sorted(red, key=lambda r: -int(picture[round(r[1]), round(r[0]), 2]))
    nearest = [[c[np.linalg.norm(c - r, axis=1).argmin()] for c in others] for r in red]
    return [np.array([r, *n]) for r, n in zip(red, nearest, strict=True)]


def centroid_onnx(path: Path, info: ModelInfo | None = None, size: int = SIZE) -> Path:
    """Write a real model file: landmark k is the centre of mass of colour channel k.

    Presence is 1 when the crop is not black, the side is always left with 0.9, and a 'pose', where
    `info` has one, is always (10, 5, 20).
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    info = info or blob_info()
    y, x = np.mgrid[:size, :size].astype(np.float32)
    constants = {
        "gx": x, "gy": y, "hw": np.array([2, 3]), "c": np.array([1]), "tiny": np.float32(1e-6),
        "small": np.float32(1e-3), "zero": np.float32(0), "one": np.float32(1),
        "two": np.array([2]), "side_p": np.array([[0.9, 0.1]], np.float32),
        "pose_p": np.array([[10, 5, 20]], np.float32),
    }  # fmt: skip
    node = helper.make_node
    nodes = [
        node("ReduceSum", ["image", "hw"], ["mass"], keepdims=0),  # (N, 3)
        node("Add", ["mass", "tiny"], ["safe"]),
        node("Mul", ["image", "gx"], ["ix"]),
        node("Mul", ["image", "gy"], ["iy"]),
        node("ReduceSum", ["ix", "hw"], ["mx"], keepdims=0),
        node("ReduceSum", ["iy", "hw"], ["my"], keepdims=0),
        node("Div", ["mx", "safe"], ["cx"]),
        node("Div", ["my", "safe"], ["cy"]),
        node("Unsqueeze", ["cx", "two"], ["ux"]),
        node("Unsqueeze", ["cy", "two"], ["uy"]),
        node("Concat", ["ux", "uy"], ["xy"], axis=2),
        node("Mul", ["mass", "small"], ["dim"]),
        node("Clip", ["dim", "zero", "one"], ["score"]),
        node("ReduceMin", ["score", "c"], ["presence"], keepdims=0),
        node("Mul", ["presence", "zero"], ["nothing"]),
        node("Unsqueeze", ["nothing", "c"], ["column"]),
    ]
    outputs = {"xy": ["N", 3, 2], "score": ["N", 3], "presence": ["N"]}
    for attribute in info.attributes:
        nodes.append(node("Add", ["column", f"{attribute.name}_p"], [attribute.name]))
        outputs[attribute.name] = ["N", attribute.width]
    graph = helper.make_graph(
        nodes,
        "centroid",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, size, size])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, info.to_props())
    onnx.save(model, path)
    made_here(path)
    return path


def draw_hand(turn: float = 0.0, shape_hw: tuple[int, int] = (360, 480)) -> np.ndarray:
    """(H, W, 3) uint8 BGR: a hand made of lines that the palm detector takes for one.

    It stands upright in the middle, 160 px tall, or turned clockwise by `turn` degrees.
    """
    skin, shade, back = (133, 151, 204), (100, 113, 153), (125, 96, 20)
    canvas = np.full((*shape_hw, 3), back, np.uint8)
    h, w = shape_hw
    c, s = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))

    def place(x: float, y: float) -> tuple[int, int]:
        x, y = 0.55 * (x - 155), 0.55 * (y - 170)
        return round(w / 2 + c * x - s * y), round(h / 2 + s * x + c * y)

    def limb(points: Sequence[tuple[float, float]], width: float, colour: Sequence[int]) -> None:
        for a, b in pairwise(points):
            cv2.line(canvas, place(*a), place(*b), colour, max(1, round(0.55 * width)), cv2.LINE_AA)
        for a in points:
            cv2.circle(canvas, place(*a), round(0.27 * width), colour, -1, cv2.LINE_AA)

    limb([(160, 330), (160, 250)], 58, skin)
    palm = [(118, 160), (202, 165), (198, 235), (185, 262), (135, 262), (118, 235)]
    cv2.fillConvexPoly(canvas, np.array([place(*p) for p in palm]), skin, cv2.LINE_AA)
    limb([(122, 235), (95, 205), (72, 180), (55, 160)], 26, skin)
    limb([(130, 170), (122, 110), (118, 75), (116, 48)], 22, skin)
    limb([(154, 165), (154, 95), (154, 58), (154, 30)], 23, skin)
    limb([(178, 168), (186, 105), (190, 70), (193, 45)], 22, skin)
    limb([(196, 180), (212, 130), (220, 105), (227, 85)], 19, skin)
    for a, b in (((142, 165), (143, 120)), ((167, 165), (170, 118)), ((188, 172), (198, 130))):
        limb([a, b], 2, shade)  # between the fingers
    for a, b in (((125, 200), (170, 185)), ((128, 220), (180, 205)), ((135, 250), (128, 190))):
        limb([a, b], 2, shade)  # lines of the palm
    return cv2.GaussianBlur(canvas, (0, 0), 1.0)
