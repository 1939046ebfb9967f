"""The formats by name, and which one a file has.

To add one, write its file and a row of FORMATS.
"""

from __future__ import annotations

import csv
from pathlib import Path

from train.exchange import coco, cvat, dlc, labelme, labelstudio, sleap
from train.exchange.foreign import Foreign, Format, LabelFile, NotInstalled, moved

# A file is of the first format that recognises it.
FORMATS: dict[str, Format] = {
    format.name: format
    for format in (
        coco.FORMAT, dlc.FORMAT, sleap.FORMAT, sleap.PACKAGE, cvat.FORMAT, cvat.VIDEO,
        labelstudio.FORMAT, labelme.FORMAT,
    )
}  # fmt: skip
# What a reader may meet where a file is not what it should be.
BROKEN = (
    ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError,
    csv.Error,
)  # fmt: skip
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
    try:
        found = known.read(file)
    except NotInstalled:
        raise
    except (*BROKEN, ValueError) as error:
        if isinstance(error, ValueError) and path.name in str(error):
            raise  # it says what is wrong, and in which file
        raise ValueError(
            f"{path} is damaged, or no file of {known.name} ({error!r:.200}); export it again"
        ) from error
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
