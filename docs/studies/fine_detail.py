"""Is a test set sharper or softer than what a network is trained on? Power by wavelength.

    python -m docs.studies.fine_detail mtfl --data FOLDER

Printed is the power of the crops' middle at several wavelengths, relative to white noise of the
same contrast (log10: 0 is as much as noise has, -1 a tenth of it): the median over images, and
below it between which values the middle 80 % of them lie. Rows: the test images; the training
images as they lie; as a training crop moves them; and moved and sharpened. Blocks, cuts, occluders,
colours and blur are left out: they would be seen at all wavelengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from train.config import AugmentSpec, FitSpec
from train.data.batches import make_batch
from train.data.pictures import DataSet
from train.reproduce.experiments import experiment_of, known_row, load_set
from train.reproduce.specs import SPECS, STILL

Array = NDArray[np.float64]
WAVELENGTHS = (16.0, 8.0, 5.0, 4.0, 3.0, 2.5, 2.1)  # pixels, wished for
PART = 0.6  # of the crop's side, its middle


def waves(size: int) -> list[int]:
    """Whole waves in a picture of this side that come nearest to each wavelength."""
    return [round(size / length) for length in WAVELENGTHS]


def power(image: Array) -> Array:
    """(len(WAVELENGTHS),) mean power of a gray picture (S, S) at each wavelength.

    The picture is freed of its mean, its rim faded out (Hann), and the power averaged over a ring
    of one frequency step, so that white noise of any contrast has 1 at each wavelength. A picture
    without contrast has 0.
    """
    size = len(image)
    flat = image - image.mean()
    fade = np.hanning(size)[:, None] * np.hanning(size)
    seen = np.abs(np.fft.fft2(flat * fade)) ** 2 / np.sum(fade**2)
    away = np.fft.fftfreq(size) * size
    ring = np.hypot(away[:, None], away).round().astype(int)
    mean = np.bincount(ring.ravel(), seen.ravel()) / np.bincount(ring.ravel())
    return np.asarray(mean[waves(size)] / max(float(flat.var()), 1e-9))


def margin(size: int) -> int:
    """Pixels of a crop of this side that are left out at each end."""
    return round(size * (1 - PART) / 2)


def powers(data: DataSet, rows: Sequence[int], spec: FitSpec, augment: AugmentSpec) -> Array:
    """(N, len(WAVELENGTHS)) of the middles of training crops made with `augment`."""
    rng, spec = np.random.default_rng(spec.seed), replace(spec, augment=augment)
    size, found = spec.net.size, []
    low = margin(size)
    for row in rows:
        image = make_batch(data, [row], spec, rng).image[0].mean(0).numpy().astype(np.float64)
        found.append(power(image[low : size - low, low : size - low]))
    return np.array(found)


def print_row(words: str, found: Array) -> None:
    """Median and middle 80 % of powers (N, len(WAVELENGTHS)), log10."""
    low, middle, high = np.log10(np.maximum(np.percentile(found, (10, 50, 90), axis=0), 1e-9))
    print(f"{words:>26}" + "".join(f"{v:16.2f}" for v in middle))
    print(
        f"{'':>26}"
        + "".join(f"{f'{a:.2f} to {b:.2f}':>16}" for a, b in zip(low, high, strict=True))
    )


def main(
    name: Annotated[str, typer.Argument(help="The experiment, such as mtfl.")],
    data: Annotated[Path | None, typer.Option(help="Folder of the data set.")] = None,
    row: Annotated[
        str | None, typer.Option(help="Whose training crops; left out: the first row's.")
    ] = None,
    images: Annotated[int, typer.Option(min=10, help="Images of each row.")] = 1200,
) -> None:
    """Print the powers."""
    experiment, found = experiment_of(name), load_set(name, data)
    wanted = known_row(experiment, row or experiment.rows[0])
    spec = replace(SPECS[name](wanted, 0), heads=())
    rng = np.random.default_rng(spec.seed)
    own = replace(spec.augment, block=0.0, cut=0.0, occlude=0.0, background=0.0)
    own = replace(own, colour=0.0, blur=0.0)

    def some(of: DataSet, hold: bool) -> list[int]:
        return [int(i) for i in rng.permutation(of.rows(hold))[:images]]

    train, test = some(found.fit, False), some(found.test, True)
    part = spec.net.size - 2 * margin(spec.net.size)
    print(f"{'wavelength, px':>26}" + "".join(f"{part / n:16.1f}" for n in waves(part)))
    print_row("test", powers(found.test, test, spec, STILL))
    print_row("training, as they lie", powers(found.fit, train, spec, STILL))
    print_row("training, moved", powers(found.fit, train, spec, replace(own, sharpen=0.0)))
    if own.sharpen:
        print_row("moved and sharpened", powers(found.fit, train, spec, own))


if __name__ == "__main__":
    typer.run(main)
