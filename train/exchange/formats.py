"""The formats by name, and which one a file has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker.plain_data import from_json
from train.exchange.coco import read_coco
from train.exchange.cvat import read_cvat
from train.exchange.dlc import read_csv, read_h5
from train.exchange.labelme import read_labelme
from train.exchange.labelstudio import read_labelstudio
from train.exchange.parts import Foreign, moved
from train.exchange.sleap import read_slp

READS = ("coco", "dlc", "sleap", "cvat", "labelstudio", "labelme")
WRITES = ("coco", "dlc", "sleap", "sleap-pkg", "cvat", "cvat-video", "labelstudio", "labelme")
HDF5 = ("dlc", "sleap", "sleap-pkg")  # written with h5py
# Which formats count from the corner of the first pixel; the others count from its centre.
CORNERS = ("cvat", "labelstudio", "labelme")
# What a format cannot hold.
OCCLUDED, BOXES, NEGATIVE, STILLS = "occluded", "boxes", "negative", "stills"
LOSES: Mapping[str, tuple[str, ...]] = {
    "coco": (),
    "dlc": (OCCLUDED, BOXES, NEGATIVE),
    "sleap": (BOXES,),
    "sleap-pkg": (BOXES,),
    "cvat": (),
    "cvat-video": (NEGATIVE, STILLS),
    "labelstudio": (),
    "labelme": (),
}
PICKLES = (".pickle", ".pkl", ".p", ".pt", ".pth", ".mat")


def read(path: Path, format: str = "auto", hidden: bool = False, origin: str = "") -> Foreign:
    """Read a label file; points come out with the first pixel's centre at (0, 0).

    `origin` 'centre' or 'corner' overrides what the format says. ValueError for a file that is
    missing, pickled, damaged or of no known format.
    """
    if not path.is_file():
        raise ValueError(f"{path} does not exist or is no file; give the label file itself")
    if path.suffix.lower() in PICKLES:
        raise ValueError(
            f"{path} is or may hold a pickle, which can run any program when it is read; import "
            "the CSV or JSON export instead"
        )
    body: Any = None
    text = format in ("coco", "labelstudio", "labelme") or path.suffix.lower() == ".json"
    if text:
        try:
            body = from_json(path.read_text(encoding="utf-8-sig"))
        except ValueError as error:
            raise ValueError(f"{path} is not valid JSON ({error}); export it again") from error
    format = guess(path, body) if format == "auto" else format
    found = _read(path, format, body, hidden)
    corner = format in CORNERS if not origin else origin == "corner"
    return moved(found, -0.5) if corner else found


def _read(path: Path, format: str, body: Any, hidden: bool) -> Foreign:
    if format == "dlc":
        return read_csv(path) if path.suffix.lower() == ".csv" else read_h5(path)
    if format == "sleap":
        return read_slp(path, hidden)
    if format == "cvat":
        return read_cvat(path)
    readers = {"coco": read_coco, "labelstudio": read_labelstudio, "labelme": read_labelme}
    if format not in readers:
        raise ValueError(f"--format takes auto or {', '.join(READS)}; found '{format}'")
    return readers[format](path, body)


def guess(path: Path, body: Any) -> str:
    """The format of a file by its name and, for JSON, its content. ValueError: none."""
    by_suffix = {".csv": "dlc", ".h5": "dlc", ".hdf5": "dlc", ".slp": "sleap", ".xml": "cvat"}
    if path.suffix.lower() in by_suffix:
        return by_suffix[path.suffix.lower()]
    if isinstance(body, dict) and {"images", "annotations", "categories"} <= set(body):
        return "coco"
    if isinstance(body, dict) and {"shapes", "imagePath"} <= set(body):
        return "labelme"
    if isinstance(body, list) and body and isinstance(body[0], dict) and "data" in body[0]:
        return "labelstudio"
    raise ValueError(
        f"{path} is of no known format; say it with --format, one of {', '.join(READS)}"
    )
