"""A small network that finds irises in crops of the eyes, for `iris_limit`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tracker.find.geometry import apply, frame_to_crop
from tracker.types import CropBox, Floats, Image
from train.data.augment import CropSample, crop_example, flip_sample, recolour
from train.data.pictures import DataSet
from train.evaluate.outputs import Outputs
from train.export.learn_head import descend
from train.losses.paper import heat_loss, point_loss
from train.networks.model import soft_argmax

CUT, SIDE = 72, 48  # pixels of what is kept of an eye, and of what the network sees of it
WIDE = 0.55  # of the latter, in distances of the eyes' outer corners: nearly twice an eye
CORNERS, IRIS = ((36, 39), (42, 45)), 68
BATCH, RATE, WORDS = 32, 3e-3, 32


@dataclass(frozen=True, slots=True, eq=False)
class Eyes:
    """Both eyes of N faces, the right one first; pixels of a cut of CUT pixels."""

    bgr: NDArray[np.uint8]  # (N, 2, CUT, CUT, 3)
    xy: Floats  # (N, 2, 70, 2) the landmarks in that cut, as if it were a right eye
    seen: NDArray[np.bool_]  # (N, 2) of the irises
    share: NDArray[np.float64]  # (N,) distances of the eyes' outer corners that its crop is wide


def eyes_of(data: DataSet, rows: Sequence[int], size: int, told: Outputs | None = None) -> Eyes:
    """Cuts of both eyes, from a face's crop of `size` pixels; around what a network has told of
    that crop, else around the true corners.
    """
    found: list[tuple[Image, Floats]] = []
    seen, share = np.zeros((len(rows), 2), bool), np.full(len(rows), WIDE)
    for n, row in enumerate(rows):
        example = data.examples[row]
        crop = crop_example("face", example, data.image(row), size, ())
        apart, xy = example.attributes["place"][2] * crop.scale, crop.xy
        if told is not None:
            share[n] *= told.attributes["place"][n, 2] * size / apart
            apart, xy = told.attributes["place"][n, 2] * size, told.xy[n].astype(np.float32)
        for eye, ends in enumerate(CORNERS):
            box = CropBox(xy[list(ends)].mean(0), WIDE * apart * CUT / SIDE, 0.0)
            found.append(cut_of(crop, box, eye == 1, data.markup.flip_pairs))
        assert example.hidden is not None
        seen[n] = ~example.hidden[IRIS:]
    cuts, points = (np.stack(each) for each in zip(*found, strict=True))
    cuts, points = (each.reshape(-1, 2, *each.shape[1:]) for each in (cuts, points))
    return Eyes(cuts, points, seen, share)


def cut_of(
    crop: CropSample, box: CropBox, mirrored: bool, pairs: tuple[tuple[int, int], ...]
) -> tuple[Image, Floats]:
    """An eye's cut, and all landmarks in it."""
    matrix = frame_to_crop(box, CUT)
    cut, xy = cv2.warpAffine(crop.bgr, matrix, (CUT, CUT)), apply(matrix, crop.xy)
    if mirrored:
        return flip_sample(cut, xy, pairs)  # type: ignore[arg-type]
    return np.asarray(cut, np.uint8), xy


class EyeNet(nn.Module):
    """Crops of both eyes (N, 2, 3, SIDE, SIDE), 0..255 -> heat of their irises (N, 2, h, w), a half
    of that.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(*block(3, 16, 5, 2), *block(16, 24), *block(24, 24))
        self.middle = nn.Sequential(*block(24, 48, 3, 2), *block(48, 48))
        self.coarse = nn.Sequential(*block(48, 80, 3, 2), *block(80, 80))
        self.words = nn.Sequential(nn.Flatten(), nn.Linear(80 * 36, WORDS), nn.ReLU())
        self.told = nn.Linear(WORDS, 80)
        self.from_coarse, self.from_middle = nn.Conv2d(80, 48, 1), nn.Conv2d(48, 24, 1)
        self.joined = nn.Sequential(*block(48, 48))
        self.heat = nn.Sequential(*block(24, 24), nn.Conv2d(24, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        """Each eye's own features, and what the other one's say in a few words."""
        fine = self.fine((image.flatten(0, 1) - 110) / 60)
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        words = self.words(coarse).unflatten(0, (-1, 2)).flip(1).flatten(0, 1)
        coarse = torch.relu(coarse + self.told(words)[:, :, None, None])
        middle = self.joined(middle + nn.functional.interpolate(self.from_coarse(coarse), size=12))
        fine = fine + nn.functional.interpolate(self.from_middle(middle), size=24)
        heat: Tensor = self.heat(fine)
        return heat[:, 0].unflatten(0, (-1, 2))


def block(cin: int, cout: int, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    """A convolution with its norm."""
    layer = nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False)
    return [layer, nn.BatchNorm2d(cout), nn.ReLU()]


def batch_of(
    eyes: Eyes, rows: Sequence[int], rng: np.random.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Crops (N, 2, 3, SIDE, SIDE) and irises in them (N, 2, 2); with a generator turned, scaled,
    shifted, recoloured, and at times the face mirrored.
    """
    images, points = [], []
    for row in rows:
        flip = rng is not None and rng.random() < 0.5
        colour = None if rng is None else int(rng.integers(2**31))
        for eye in (1, 0) if flip else (0, 1):
            box = CropBox(np.full(2, (CUT - 1) / 2, np.float32), float(SIDE), 0.0)
            if rng is not None:
                moved = box.centre_xy + rng.uniform(-0.06, 0.06, 2).astype(np.float32) * SIDE
                side = SIDE * float(np.exp(rng.uniform(-0.1, 0.1)))
                box = CropBox(moved, side, float(rng.uniform(-12, 12)))
            matrix = frame_to_crop(box, SIDE)
            image = np.asarray(cv2.warpAffine(eyes.bgr[row, eye], matrix, (SIDE, SIDE)), np.uint8)
            if colour is not None:
                image = np.asarray(recolour(np.random.default_rng(colour), image, 0.7), np.uint8)
            images.append(image.transpose(2, 0, 1))
            points.append(apply(matrix, eyes.xy[row, eye, IRIS]))
    found = torch.from_numpy(np.stack(images)).float().unflatten(0, (-1, 2))
    return found, torch.from_numpy(np.stack(points)).unflatten(0, (-1, 2))


def irises_by(net: EyeNet, image: Tensor) -> tuple[Tensor, Tensor]:
    """Heat, and irises (N, 2, 2) in pixels of the crops."""
    heat = net(image)
    return heat, (soft_argmax(heat, 1.0)[0] + 0.5) * 2 - 0.5


def learn_eyes(eyes: Eyes, epochs: int) -> EyeNet:
    """The losses of the face network: distance, and the heat's cross-entropy."""
    torch.manual_seed(0)
    rng, net = np.random.default_rng(0), EyeNet()
    steps = epochs * len(eyes.bgr) // BATCH
    told = 0.0

    def loss() -> Tensor:
        nonlocal told
        image, target = batch_of(eyes, rng.integers(len(eyes.bgr), size=BATCH).tolist(), rng)
        heat, xy = irises_by(net, image)
        every = torch.ones(target.shape[:2], dtype=torch.bool)
        distance = point_loss(xy, target, every, "l1")
        told += 100 * WIDE / SIDE * float(distance.detach())
        return distance + 0.3 * heat_loss(heat, 1.0, (target + 0.5) / 2 - 0.5, every, 1.0)

    for step in descend(net, loss, steps, RATE):
        if step % 200 == 0:
            print(f"step {step} of {steps}: {told / 200:.2f} %", flush=True)
            told = 0.0
    return net


def said_by_net(net: EyeNet, eyes: Eyes) -> NDArray[np.float64]:
    """Errors (N, 2) in pixels of the crops."""
    found = []
    for at in range(0, len(eyes.bgr), BATCH):
        image, target = batch_of(eyes, range(at, min(at + BATCH, len(eyes.bgr))))
        with torch.no_grad():
            found.append((irises_by(net, image)[1] - target).norm(dim=-1).double().numpy())
    return np.concatenate(found)
