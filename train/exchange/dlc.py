"""DeepLabCut: labels as CSV, or as HDF5 as pandas writes it.

Points are pixel indices: the centre of the top left pixel is (0, 0), as here. Columns have 3
header rows (scorer, bodyparts, coords) or 4 (with individuals); rows are
labeled-data/VIDEO/img0123.png, in one column or three. DeepLabCut knows only there and not there;
a column `visible` (0, 1, 2) is read. HDF5 is read without pandas and PyTables, which would unpickle
what a file says.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.progress import Report
from tracker.whole_files import write_whole
from train.exchange.foreign import (
    BOXES,
    NEGATIVE,
    OCCLUDED,
    Foreign,
    Format,
    LabelFile,
    Picture,
    Thing,
    frame_number,
    h5py_module,
    slashes,
    thing,
)
from train.exchange.hdf5 import opened
from train.exchange.pictures import copy_picture, reported
from train.project.labels import FrameLabel
from train.project.layout import Project

LEVELS = ("scorer", "individuals", "bodyparts", "coords")
SCORER = "tracker"
KEY = "df_with_missing"
PREDICTED = (
    "{path} holds predictions of a network (it has a likelihood of each point), not labels; import "
    "the CollectedData file instead"
)
Column = dict[str, str]


def read_csv(path: Path) -> Foreign:
    """Parse CollectedData_*.csv. ValueError when it is none."""
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    heads: dict[str, list[str]] = {}
    for row in rows:
        if not row or row[0] not in LEVELS or row[0] in heads:  # one that is there twice is no head
            break
        heads[row[0]] = row
    if not {"bodyparts", "coords"} <= set(heads):
        raise ValueError(
            f"{path} is not a DeepLabCut file: its first rows must be scorer, bodyparts, coords"
        )
    wanted = len(heads["coords"])
    for name, row in heads.items():
        if len(row) < wanted:
            raise ValueError(
                f"{path}: its header rows must be as long as coords, which has {wanted} cells, and "
                f"{name} has {len(row)}; fill it up, or export the file again"
            )
    first = next((i for i, c in enumerate(heads["coords"]) if i and c), 1)
    columns = [{k: row[i] for k, row in heads.items()} for i in range(first, len(heads["coords"]))]
    body = [row for row in rows[len(heads) :] if row and any(row)]
    try:
        values = np.array(
            [[float(c) if c.strip() else np.nan for c in row[first:]] for row in body], np.float64
        ).reshape(len(body), len(columns))
    except ValueError as error:
        raise ValueError(f"{path}: a row does not fit its header ({error}); mend it") from error
    return _foreign(path, columns, ["/".join(c for c in row[:first] if c) for row in body], values)


def read_h5(path: Path) -> Foreign:
    """Parse CollectedData_*.h5. ValueError when it is none, or would have to be unpickled."""
    h5py = h5py_module()
    with opened(path, "a DeepLabCut file") as file:
        groups = [g for g in file.values() if isinstance(g, h5py.Group)]
        group = next((g for g in groups if "block0_values" in g or "table" in g), None)
        if group is None:
            there = ", ".join(list(file)[:8]) or "nothing"
            raise ValueError(
                f"{path} is not a DeepLabCut file: it must hold a table of pandas, and holds "
                f"{there}; import a CollectedData_*.h5, and of SLEAP the .slp file"
            )
        if "table" in group:
            raise ValueError(
                f"{path} is in pandas' table layout, whose columns are pickled and therefore not "
                "read; import the CSV that lies beside it"
            )
        if "block1_values" in group:
            raise ValueError(f"{path} mixes numbers and texts; import the CSV beside it")
        values = np.asarray(group["block0_values"], np.float64)
        columns = _index(group, "block0_items", path)
        rows = _index(group, "axis1", path)
    if not columns or not {"bodyparts", "coords"} <= set(columns[0]):
        raise ValueError(f"{path} is not a DeepLabCut file: its columns are not bodyparts, coords")
    return _foreign(path, columns, ["/".join(row.values()) for row in rows], values)


def _index(group: Any, name: str, path: Path) -> list[Column]:
    """An index of pandas as one dict a row: level name -> value."""

    def texts(data: Any) -> list[str]:
        if data.dtype.kind == "S":
            return [t.decode("utf-8") for t in data[:]]
        if data.dtype.kind in "iu":
            return [str(t) for t in data[:]]
        raise ValueError(f"{path}: its index is pickled and therefore not read; import the CSV")

    if name in group:
        return [{"0": text} for text in texts(group[name])]
    levels: list[tuple[str, list[str]]] = []
    while f"{name}_level{len(levels)}" in group:
        data = group[f"{name}_level{len(levels)}"]
        given = data.attrs.get("name", b"")
        level = given.decode() if isinstance(given, bytes) else str(given)
        known = texts(data)
        codes = group[f"{name}_label{len(levels)}"][:]
        key = level if level in LEVELS else str(len(levels))
        levels.append((key, [known[c] if c >= 0 else "" for c in codes]))
    return [dict(zip([k for k, _ in levels], row, strict=True))
            for row in zip(*(v for _, v in levels), strict=True)]  # fmt: skip


def _foreign(
    path: Path, columns: Sequence[Column], rows: Sequence[str], values: NDArray[np.float64]
) -> Foreign:
    if any(c["coords"] == "likelihood" for c in columns):
        raise ValueError(PREDICTED.format(path=path))
    pictures = []
    for name, row in zip(rows, values, strict=True):
        if frame_number(name) is not None and "." not in name:
            raise ValueError(f"{path}: its rows are numbers, not pictures (labeled-data/...)")
        cells: dict[str, dict[str, Column]] = {}
        for column, value in zip(columns, row.tolist(), strict=True):
            parts = cells.setdefault(column.get("individuals", ""), {})
            parts.setdefault(column["bodyparts"], {})[column["coords"]] = value
        things = [_thing(parts) for parts in cells.values()]
        kept = tuple(t for t in things if (t.v > 0).any())
        place = PurePosixPath(slashes(name))
        video, frame = place.parent.name, frame_number(place.stem)
        pictures.append(Picture(
            str(place), kept, path.parent, video if frame is not None else '', frame,
        ))  # fmt: skip
    return Foreign("dlc", tuple(pictures))


def _thing(parts: dict[str, Any]) -> Thing:
    return thing(
        (name, c.get("x", np.nan), c.get("y", np.nan), int(np.nan_to_num(c.get("visible", 2))))
        for name, c in parts.items()
    )


def _table(
    frames: Sequence[FrameLabel], landmarks: Sequence[str]
) -> tuple[list[Column], NDArray[np.float64]]:
    many = max((len(f.objects) for f in frames), default=0)
    people = [f"individual{i + 1}" for i in range(many)] if many > 1 else [""]
    columns = [
        {'scorer': SCORER, **({'individuals': who} if who else {}), 'bodyparts': name, 'coords': c}
        for who in people for name in landmarks for c in 'xy'
    ]  # fmt: skip
    values = np.full((len(frames), len(people), len(landmarks), 2), np.nan)
    for i, label in enumerate(frames):
        for j, found in enumerate(label.objects):
            values[i, j] = np.where(found.v[:, None] > 0, found.xy, np.nan)
    return columns, values.reshape(len(frames), -1).round(4)


def csv_text(
    frames: Sequence[FrameLabel], rows: Sequence[Sequence[str]], landmarks: Sequence[str]
) -> str:
    """CollectedData_*.csv; a row is (labeled-data, video, picture)."""
    columns, values = _table(frames, landmarks)
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    for level in columns[0]:
        out.writerow([level, "", "", *(c[level] for c in columns)])
    for place, row in zip(rows, values.tolist(), strict=True):
        out.writerow([*place, *("" if np.isnan(a) else a for a in row)])
    return text.getvalue()


def write_h5(
    path: Path,
    frames: Sequence[FrameLabel],
    rows: Sequence[Sequence[str]],
    landmarks: Sequence[str],
) -> None:
    """CollectedData_*.h5 in the layout that pandas.read_hdf reads."""
    columns, values = _table(frames, landmarks)
    with h5py_module().File(path, "w") as file:
        _attributes(file, CLASS="GROUP", VERSION="1.0", PYTABLES_FORMAT_VERSION="2.1")
        group = file.create_group(KEY)
        _attributes(group, CLASS='GROUP', VERSION='1.0', pandas_type='frame', encoding='UTF-8',
                    errors='strict')  # fmt: skip
        group.attrs["ndim"], group.attrs["nblocks"] = np.int64(2), np.int64(1)
        names = list(columns[0])
        heads = [[c[level] for c in columns] for level in names]
        _multi(group, "axis0", heads, names)
        _multi(group, "block0_items", heads, names)
        _multi(group, "axis1", [list(level) for level in zip(*rows, strict=True)], ["", "", ""])
        _array(group, "block0_values", values)


def _multi(group: Any, name: str, levels: Sequence[Sequence[str]], names: Sequence[str]) -> None:
    _attributes(group, **{f"{name}_variety": "multi"})
    group.attrs[f"{name}_nlevels"] = np.int64(len(levels))
    for i, (level, key) in enumerate(zip(levels, names, strict=True)):
        known = sorted(set(level))
        at = {text: np.int32(j) for j, text in enumerate(known)}
        data = _array(group, f"{name}_level{i}", np.array([t.encode() for t in known]))
        _attributes(data, kind="string", **({"name": key} if key else {}))
        data.attrs["nan_rep"] = group.file.attrs["TITLE"]
        _array(group, f"{name}_label{i}", np.array([at[text] for text in level]))


def _array(group: Any, name: str, values: NDArray[Any]) -> Any:
    data = group.create_dataset(name, data=values)
    _attributes(data, CLASS="ARRAY", VERSION="2.4", FLAVOR="numpy")
    data.attrs["transposed"] = np.uint8(1)
    return data


def _attributes(node: Any, **texts: str) -> None:
    node.attrs["TITLE"] = h5py_module().Empty("S1")
    for key, text in texts.items():
        # PyTables gives texts that are not marked as UTF-8 back as bytes, which pandas cannot use.
        data = text.encode()
        kind = h5py_module().string_dtype("utf-8", len(data))
        node.attrs.create(key, np.array(data, kind), dtype=kind)


def write_dlc(
    project: Project, frames: Sequence[FrameLabel], out: Path, report: Report
) -> list[Path]:
    """labeled-data/CLIP/ with the pictures, a CSV and an HDF5; the CSVs."""
    files = []
    for label in reported(frames, report):
        copy_picture(project, label, out.joinpath(*_row(label)))
    for _, group in groupby(frames, key=lambda f: f.clip):
        mine = list(group)
        rows = [_row(label) for label in mine]
        path = out.joinpath(*rows[0][:2]) / f"CollectedData_{SCORER}.csv"
        write_whole(path, csv_text(mine, rows, project.landmarks).encode())
        write_h5(path.with_suffix(".h5"), mine, rows, project.landmarks)
        files.append(path)
    return files


def _row(label: FrameLabel) -> tuple[str, str, str]:
    """What names a frame: the folders and the name of its picture."""
    return "labeled-data", Path(label.clip).stem, f"img{label.frame:06d}.png"


def read_dlc(file: LabelFile) -> Foreign:
    """Either of the two. ValueError when it is none."""
    return read_csv(file.path) if file.suffix == ".csv" else read_h5(file.path)


FORMAT = Format(
    "dlc", read_dlc, write_dlc, lambda file: file.suffix in (".csv", ".h5", ".hdf5"),
    loses=(OCCLUDED, BOXES, NEGATIVE), hdf5=True,
)  # fmt: skip
