"""SLEAP: .slp files, and .pkg.slp with the pictures inside (HDF5).

Since format 1.1 the centre of the top left pixel is (0, 0), as here; older files count from the
corner. A point with coordinates that is not `visible` is hidden in files written here; SLEAP itself
puts points that nobody placed there, so in other files it is not labelled, unless `hidden` is said.
sleap-io is not used: it would bring 45 packages, among them an ffmpeg of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count, groupby
from pathlib import Path
from typing import Any

import numpy as np

from tracker.plain_data import from_json
from tracker.progress import Report
from train.exchange.foreign import (
    BOXES,
    Foreign,
    Format,
    LabelFile,
    Picture,
    Thing,
    h5py_module,
    slashes,
    thing,
)
from train.exchange.hdf5 import opened, texts
from train.exchange.pictures import copy_picture, picture_path, reported
from train.project.clips import clip_path, read_clips
from train.project.labels import FrameLabel, picture_name
from train.project.layout import Project

WRITER = "landmark-tracker"
USER = 0
NEWEST = 3.0  # formats from here on lie in other tables


@dataclass(frozen=True, slots=True, eq=False)
class Video:
    """One video of a file: frames, pictures, or pictures inside the file."""

    name: str
    size_wh: tuple[int, int] | None
    pictures: tuple[str, ...] = ()
    inside: str = ""  # dataset
    rows: dict[int, int] = field(default_factory=dict)  # frame -> row of the dataset


def read_slp(file: LabelFile) -> Foreign:
    """Parse a .slp or .pkg.slp; points that are not visible count with `file.hidden`.

    ValueError when it is none.
    """
    path = file.path
    try:
        with opened(path, "a SLEAP file") as tables:
            return _read(path, tables, file.hidden)
    except (OSError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a SLEAP file that can be read ({error!r})") from error


def _read(path: Path, file: Any, hidden: bool) -> Foreign:
    head = from_json(bytes(file["metadata"].attrs["json"]).decode())
    version = float(file["metadata"].attrs.get("format_id", 1.0))
    if version >= NEWEST:
        raise ValueError(f"{path} has SLEAP format {version:g}; save it in format 2 or older")
    hidden = hidden or head.get("provenance", {}).get("writer") == WRITER
    names = [_names(head, s) for s in head["skeletons"]]
    videos = dict(_video(file, i, from_json(t)) for i, t in enumerate(texts(file["videos_json"])))
    points, instances, frames = (file[name][:] for name in ("points", "instances", "frames"))
    _refuse_shared(frames, "instance_id", len(instances))
    _refuse_shared(instances, "point_id", len(points))
    machine = blind = 0
    shift = -0.5 if version < 1.1 else 0.0
    negatives = (
        set(map(tuple, file["negative_frames"][:].tolist())) if "negative_frames" in file else set()
    )
    pictures: dict[tuple[int, int], Picture] = {}
    for row in frames:
        things: list[Thing] = []
        for one in instances[int(row["instance_id_start"]) : int(row["instance_id_end"])]:
            if int(one["instance_type"]) != USER:
                machine += 1
                continue
            part = points[int(one["point_id_start"]) : int(one["point_id_end"])]
            rows = [_point(n, p, hidden, shift)
                    for n, p in zip(names[int(one['skeleton'])], part, strict=True)]  # fmt: skip
            blind += sum(np.isfinite(p["x"]) and not p["visible"] for p in part)
            things.append(thing(rows))
        key = int(row["video"]), int(row["frame_idx"])
        pictures[key] = _picture(path, videos[key[0]], key[1], tuple(things), key in negatives)
    for key in negatives - set(pictures):
        pictures[key] = _picture(path, videos[key[0]], key[1], (), True)
    kept = tuple(p for p in pictures.values() if p.things or p.negative)
    notes = [f"{machine} predicted instances were left out"] if machine else []
    if blind and not hidden:
        notes.append(
            f"{blind} points that are not visible were taken as not labelled; --hidden takes "
            "them as labelled and hidden"
        )
    return Foreign("sleap", kept, tuple(notes))


def _refuse_shared(rows: Any, name: str, most: int) -> None:
    """ValueError where rows share what each has for itself: all would be read again for each."""
    start, end = (rows[f"{name}_{which}"].astype(np.float64) for which in ("start", "end"))
    if float(np.maximum(end - start, 0).sum()) > most:
        raise ValueError(
            f"its rows claim more {name.removesuffix('_id')}s than the {most} there are"
        )


def _names(head: dict[str, Any], skeleton: dict[str, Any]) -> tuple[str, ...]:
    every = [n["name"] for n in head["nodes"]]
    return tuple(
        every[n["id"]] if isinstance(n["id"], int) else n["id"]["name"] for n in skeleton["nodes"]
    )


def _video(file: Any, number: int, found: dict[str, Any], inner: bool = False) -> tuple[int, Video]:
    backend = found.get("backend") or found
    shape = backend.get("shape")
    size = (int(shape[2]), int(shape[1])) if shape and shape[1] and shape[2] else None
    name = backend.get("filename") or found.get("filename") or ""
    if name != ".":
        listed = backend.get("filenames") or (found.get("filename") or ())
        pictures = tuple(map(slashes, listed)) if isinstance(listed, list) else ()
        return number, Video(slashes(str(name)), size, pictures)
    if inner:
        raise ValueError(f"video {number} has itself for its source")
    inside = backend["dataset"]
    group = file[inside].parent
    source = found.get("source_video")
    if source is None and "source_video" in group:
        source = from_json(group["source_video"].attrs["json"])
    _, old = _video(file, number, source, True) if source else (0, Video("", None))
    numbers = group["frame_numbers"][:] if "frame_numbers" in group else range(len(file[inside]))
    rows = {int(f): i for i, f in enumerate(numbers)}
    key = int(inside.split("/")[0].removeprefix("video") or number)
    if key != number and f"video{number}" in file:
        key = number
    return key, Video(old.name, size, old.pictures, inside, rows)


def _picture(
    path: Path, video: Video, frame: int, things: tuple[Thing, ...], negative: bool
) -> Picture:
    name = video.pictures[frame] if frame < len(video.pictures) else ""
    data = None
    if frame in video.rows:
        data = _inside(path, video.inside, video.rows[frame])
        name = name or f"{Path(video.name).stem or path.stem}/img{frame:06d}.png"
    if video.pictures:
        return Picture(name, things, path.parent, size_wh=video.size_wh, negative=negative,
                       data=data)  # fmt: skip
    return Picture(name, things, path.parent, video.name, frame, video.size_wh,
                   negative and not things, data)  # fmt: skip


def _inside(path: Path, dataset: str, row: int) -> Callable[[], bytes]:
    def data() -> bytes:
        with h5py_module().File(path) as file:
            return bytes(np.asarray(file[dataset][row]).tobytes())

    return data


def _point(name: str, p: Any, hidden: bool, shift: float) -> tuple[str, float, float, int]:
    v = 2 if p["visible"] else 1 if hidden else 0
    return name, float(p["x"]) + shift, float(p["y"]) + shift, v


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A clip, or a set of pictures, as it is written."""

    clip: str
    path: str  # of the clip; '' with `pictures`
    pictures: dict[int, str]  # frame -> path
    frames: int


def write_slp(
    path: Path,
    labels: Sequence[FrameLabel],
    markup: tuple[Sequence[str], Sequence[tuple[int, int]]],
    sources: Sequence[Source],
    png: Callable[[FrameLabel], bytes] | None,
) -> None:
    """Write labels, ordered by clip and frame; with `png` the pictures too (.pkg.slp)."""
    landmarks, edges = markup
    found = _rows(labels, sources)
    with h5py_module().File(path, "w") as file:
        head = file.create_group("metadata")
        head.attrs["format_id"] = 1.3
        head.attrs["json"] = np.bytes_(json.dumps(_head(landmarks, edges)).encode())
        rows = [_source(file, i, s, labels, png) for i, s in enumerate(sources)]
        for name, texts in (("videos_json", rows), ("tracks_json", []), ("suggestions_json", [])):
            kind = h5py_module().special_dtype(vlen=bytes)
            file.create_dataset(name, data=np.array([t.encode() for t in texts], object),
                                dtype=kind, maxshape=(None,))  # fmt: skip
        file.create_dataset("frames", data=np.array(found.frames, FRAME))
        file.create_dataset("instances", data=np.array(found.instances, INSTANCE))
        file.create_dataset("points", data=np.array(found.points, POINT))
        file.create_dataset("pred_points", data=np.array([], [*POINT, ("score", "<f8")]))
        if found.negative:
            kinds = [("video_id", "<u4"), ("frame_idx", "<u8")]
            file.create_dataset("negative_frames", data=np.array(found.negative, kinds))


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Labels as rows of SLEAP's tables, which point to each other by their numbers."""

    frames: list[tuple[int, ...]] = field(default_factory=list)
    instances: list[tuple[float, ...]] = field(default_factory=list)
    points: list[tuple[float, float, bool, bool]] = field(default_factory=list)
    negative: list[tuple[int, int]] = field(default_factory=list)  # source, frame


def _rows(labels: Sequence[FrameLabel], sources: Sequence[Source]) -> _Rows:
    order = {s.clip: i for i, s in enumerate(sources)}
    rows = _Rows()
    for label in labels:
        start = len(rows.instances)
        at = order[label.clip], _frame(sources[order[label.clip]], label.frame)
        for found in label.objects:
            first = len(rows.points)
            for (x, y), v in zip(found.xy.tolist(), found.v.tolist(), strict=True):
                rows.points.append((round(x, 4), round(y, 4), v == 2, v > 0) if v else
                                   (np.nan, np.nan, False, False))  # fmt: skip
            rows.instances.append((len(rows.instances), USER, len(rows.frames), 0, -1, -1, 0.0,
                                   first, len(rows.points), 0.0))  # fmt: skip
        rows.frames.append((len(rows.frames), *at, start, len(rows.instances)))
        if label.negative:
            rows.negative.append(at)
    return rows


FRAME = [('frame_id', '<u8'), ('video', '<u4'), ('frame_idx', '<u8'),
         ('instance_id_start', '<u8'), ('instance_id_end', '<u8')]  # fmt: skip
INSTANCE = [('instance_id', '<i8'), ('instance_type', 'u1'), ('frame_id', '<u8'),
            ('skeleton', '<u4'), ('track', '<i4'), ('from_predicted', '<i8'), ('score', '<f4'),
            ('point_id_start', '<u8'), ('point_id_end', '<u8'),
            ('tracking_score', '<f4')]  # fmt: skip
POINT = [("x", "<f8"), ("y", "<f8"), ("visible", "?"), ("complete", "?")]


def _frame(source: Source, frame: int) -> int:
    """Frames of a set of pictures are counted in the order of its list."""
    return sorted(source.pictures).index(frame) if source.pictures else frame


def _head(landmarks: Sequence[str], edges: Sequence[tuple[int, int]]) -> dict[str, Any]:
    first = {"py/reduce": [{"py/type": "sleap.skeleton.EdgeType"}, {"py/tuple": [1]}]}
    links = [
        {'edge_insert_idx': i, 'key': 0, 'source': a, 'target': b,
         'type': {'py/id': 1} if i else first}
        for i, (a, b) in enumerate(edges)
    ]  # fmt: skip
    return {
        'version': '2.0.0', 'videos': [], 'tracks': [], 'suggestions': [], 'negative_anchors': {},
        'provenance': {'writer': WRITER},
        'nodes': [{'name': n, 'weight': 1.0} for n in landmarks],
        'skeletons': [{
            'directed': True, 'graph': {'name': WRITER, 'num_edges_inserted': len(edges)},
            'links': links, 'multigraph': True, 'nodes': [{'id': i} for i in range(len(landmarks))],
        }],
    }  # fmt: skip


def _source(
    file: Any, number: int, source: Source, labels: Sequence[FrameLabel],
    png: Callable[[FrameLabel], bytes] | None,
) -> str:  # fmt: skip
    mine = [label for label in labels if label.clip == source.clip]
    width, height = mine[0].size_wh
    shape = [source.frames, height, width, 3]
    listed = [source.pictures[i] for i in sorted(source.pictures)]
    backend: dict[str, Any] = {'type': 'MediaVideo', 'shape': shape, 'filename': source.path,
                               'grayscale': False, 'bgr': True, 'dataset': '',
                               'input_format': ''}  # fmt: skip
    if listed:
        backend = {'type': 'ImageVideo', 'shape': shape, 'filename': listed[0],
                   'filenames': listed, 'grayscale': False}  # fmt: skip
    outer = {"filename": listed or source.path, "backend": backend}
    if png is None:
        return json.dumps(outer)
    inside = f"video{number}/video"
    data = [np.frombuffer(png(label), np.int8) for label in mine]
    block = np.zeros(
        (len(data), max(map(len, data))), np.int8
    )  # zeros after a PNG's end do no harm
    for row, one in zip(block, data, strict=True):
        row[: len(one)] = one
    images = file.create_dataset(inside, data=block, compression="gzip", compression_opts=1)
    images.attrs.update({'format': 'png', 'channel_order': 'RGB', 'channels': 3,
                         'frames': source.frames, 'height': height, 'width': width})  # fmt: skip
    group = images.parent
    group.create_dataset("frame_numbers", data=np.array([_frame(source, m.frame) for m in mine]))
    group.create_group("source_video").attrs["json"] = json.dumps(outer)
    return json.dumps({
        'filename': '.', 'source_video': outer,
        'backend': {'type': 'HDF5Video', 'shape': [len(mine), height, width, 3], 'filename': '.',
                    'dataset': inside, 'input_format': 'channels_last', 'convert_range': False,
                    'has_embedded_images': True, 'grayscale': False},
    })  # fmt: skip


def _write(
    project: Project, frames: Sequence[FrameLabel], out: Path, report: Report, inside: bool
) -> list[Path]:
    """The file, with the pictures inside or beside it."""
    clips = {c.name: c for c in read_clips(project)}
    beside = [] if inside else [f for f in frames if f.clip not in clips]
    for label in reported(beside, report):
        copy_picture(project, label, out / picture_name(*label.key))
    sources = []
    for clip, group in groupby(frames, key=lambda f: f.clip):
        mine = list(group)
        if clip in clips:
            # SLEAP looks for relative paths from where it was started, not from the file.
            there = clip_path(project, clips[clip]).absolute().as_posix()
            sources.append(Source(clip, there, {}, clips[clip].frames))
            continue
        pictures = {f.frame: picture_name(*f.key) for f in mine}
        sources.append(Source(clip, "", pictures, len(pictures)))
    path = out / ("labels.pkg.slp" if inside else "labels.slp")
    done = count(1)

    def png(label: FrameLabel) -> bytes:
        report(next(done), len(frames))
        return picture_path(project, label).read_bytes()

    markup = project.landmarks, project.edges
    write_slp(path, frames, markup, sources, png if inside else None)
    return [path]


def write_beside(
    project: Project, frames: Sequence[FrameLabel], out: Path, report: Report
) -> list[Path]:
    """labels.slp, which names clips by their place; pictures of none lie in frames/."""
    return _write(project, frames, out, report, inside=False)


def write_inside(
    project: Project, frames: Sequence[FrameLabel], out: Path, report: Report
) -> list[Path]:
    """labels.pkg.slp, which holds its pictures."""
    return _write(project, frames, out, report, inside=True)


FORMAT = Format(
    "sleap", read_slp, write_beside, lambda file: file.suffix == ".slp", loses=(BOXES,), hdf5=True,
    needs_pictures=False,
)  # fmt: skip
PACKAGE = Format("sleap-pkg", None, write_inside, lambda _: False, loses=(BOXES,), hdf5=True)
