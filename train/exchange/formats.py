"""The formats by name, and which one a file has.

To add one, write its file and a row of FORMATS.
"""

from __future__ import annotations

from pathlib import Path

from train.exchange import coco, cvat, dlc, labelme, labelstudio, sleap
from train.exchange.foreign import Foreign, Format, LabelFile, moved

# A file is of the first format that recognises it.
FORMATS: dict[str, Format] = {
    format.name: format
    for format in (
        coco.FORMAT, dlc.FORMAT, sleap.FORMAT, sleap.PACKAGE, cvat.FORMAT, cvat.VIDEO,
        labelstudio.FORMAT, labelme.FORMAT,
    )
}  # fmt: skip
PICKLES = (".pickle", ".pkl", ".p", ".pt", ".pth", ".mat")


def readable() -> list[str]:
    """The formats that can be read."""
    return [name for name, format in FORMATS.items() if format.read is not None]


def writable() -> list[str]:
    """The formats that can be written."""
    return [name for name, format in FORMATS.items() if format.write is not None]


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
    file = LabelFile(path, hidden)
    known = guess(file) if format == "auto" else FORMATS.get(format)
    if known is None or known.read is None:
        raise ValueError(f"--format takes auto or {', '.join(readable())}; found '{format}'")
    found = known.read(file)
    corner = known.corner if not origin else origin == "corner"
    return moved(found, -0.5) if corner else found


def guess(file: LabelFile) -> Format:
    """The format of a file. ValueError: none that is known."""
    for format in FORMATS.values():
        if format.recognises(file):
            return format
    raise ValueError(
        f"{file.path} is of no known format; say it with --format, one of {', '.join(readable())}"
    )
