"""Landmarks on photos marked by hand: ours, ours less its offsets, and MediaPipe's less its own.

    python -m docs.studies.faces.teacher_offsets face_landmarker.task PREP/face68.json
        [--model M.onnx] [--training N] [--free]

MediaPipe marks a mesh of 478 points by another markup. On training photos each of the 68 gets the
point of the mesh that lies truest once its mean offset is subtracted; an offset is a constant in
the face's own axes, along the line between the outer corners of MediaPipe's eyes and across it, in
units of their distance. Points and offsets are then used on the held-out photos. Both networks see
crops around the true landmarks, MediaPipe's once more around its own points. Ours less its offsets
is what a network that never saw such photos (`face68_free`) would reach if it marked faces where
the annotators do. MediaPipe's mesh has no jaw of this markup, whose line slides to the contour
that is seen; its row says how good a teacher of it the mesh would be. With `--free` points and
offsets are those of rendered training faces turned by 40 degrees at most, which anybody may use, in
place of photos for research. Errors are in % of the distance of the eyes' outer corners, as marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from docs.studies.faces.teacher_expressions import FROM_68, FROM_MESH, Teacher, open_teacher
from tracker.find.model_file import bundled_file
from train.data.pictures import DataSet, read_coco
from train.evaluate.outputs import predict
from train.evaluate.report import open_model, without_irises

Array = NDArray[np.float64]
PARTS = {
    "all 68": range(68),
    "jaw line": range(17),
    "inner 51": range(17, 68),
    "brows": range(17, 27),
    "nose": range(27, 36),
    "eyes": range(36, 48),
    "lips": range(48, 68),
}
CORNERS = (33, 263)  # of the mesh: the outer corners of the eyes, the picture's left one first
EYES = (36, 45)  # of the 68: the same
FRONTAL = 40.0  # degrees of yaw, up to which the eyes' distance is a measure


def to_face(xy: Array, corners: Array) -> Array:
    """Points (N, M, 2) in a face's own axes: x along the line between two points (N, 2, 2), from
    their middle, in units of their distance; y across, down where the face stands upright.
    """
    along = corners[:, 1] - corners[:, 0]
    unit = along / (along**2).sum(1, keepdims=True)  # the direction over the distance
    away = xy - corners.mean(1)[:, None]
    x = np.einsum("nmd,nd->nm", away, unit)
    y = np.einsum("nmd,nd->nm", away, np.column_stack([-unit[:, 1], unit[:, 0]]))
    return np.stack([x, y], -1)


def from_face(xy: Array, corners: Array) -> Array:
    """The reverse of `to_face`."""
    along = corners[:, 1] - corners[:, 0]
    across = np.column_stack([-along[:, 1], along[:, 0]])
    moved = xy[..., :1] * along[:, None] + xy[..., 1:] * across[:, None]
    return np.asarray(moved + corners.mean(1)[:, None], np.float64)


def fit_offsets(mesh: Array, truth: Array) -> tuple[NDArray[np.intp], Array]:
    """For each landmark the point of the mesh (K,) and its mean offset (K, 2) that leave least.

    mesh (N, M, 2) and truth (N, K, 2) in the face's axes.
    """
    points, offsets = [], []
    for k in range(truth.shape[1]):
        gap = truth[:, k, None] - mesh
        mean = gap.mean(0)
        best = int(np.linalg.norm(gap - mean, axis=-1).mean(0).argmin())
        points.append(best)
        offsets.append(mean[best])
    return np.array(points), np.array(offsets)


def less_offsets(known: tuple[Array, Array], xy: Array) -> Array:
    """Points (N, 68, 2) less the mean offsets of `known` ones (M, 68, 2) from their truth, in the
    face's axes.
    """
    eyes = list(EYES)
    seen, truth = known
    gap = to_face(truth, seen[:, eyes]) - to_face(seen, seen[:, eyes])
    return from_face(to_face(xy, xy[:, eyes]) + gap.mean(0), xy[:, eyes])


def errors(xy: Array, truth: Array) -> Array:
    """(N, K) distances of points from the truth (N, K, 2), of which K are all 68, in % of that
    between the eyes' outer corners.
    """
    apart = np.linalg.norm(truth[:, EYES[1]] - truth[:, EYES[0]], axis=-1)
    return np.asarray(100 * np.linalg.norm(xy - truth, axis=-1) / apart[:, None], np.float64)


def meshes(teacher: Teacher, data: DataSet, rows: Sequence[int]) -> tuple[Array, Array]:
    """MediaPipe's points (N, 478, 2) and the marked landmarks (N, 68, 2), picture pixels."""
    found, truth = [], []
    for i in rows:
        image, xy = data.image(i), data.examples[i].xy[:68]
        mesh = teacher.mesh(image, xy, FROM_68)
        found.append(teacher.mesh(image, mesh, FROM_MESH))
        truth.append(xy)
    return np.array(found, np.float64), np.array(truth, np.float64)


def rows_of(data: DataSet, quality: str, hold: bool) -> list[int]:
    """Faces of this quality, held out or not, all landmarks of which are known; no profiles."""
    chosen = []
    for i in data.rows(hold):
        example = data.examples[i]
        yaw = (example.attributes.get("pose") or [0.0])[0] or 0.0  # of photos none is known
        if example.quality == quality and example.labelled[:68].all() and abs(yaw) <= FRONTAL:
            chosen.append(i)
    return chosen


def main(
    task: Annotated[Path, typer.Argument(help="MediaPipe's face_landmarker.task.")],
    labels: Annotated[Path, typer.Argument(help="What 'train prepare faces' wrote.")],
    model: Annotated[Path | None, typer.Option(help="Our face model; else the bundled.")] = None,
    training: Annotated[int, typer.Option(min=2, help="Training faces for the offsets.")] = 300,
    free: Annotated[bool, typer.Option("--free", help="Offsets of rendered faces.")] = False,
) -> None:
    """Print the errors of both by parts of the face."""
    run, spec, names = open_model(model or bundled_file("face"))
    data = without_irises(read_coco(labels), names)
    marked = rows_of(data, "manual", True)
    known_rows = rows_of(data, "exact" if free else "manual", False)
    chosen = np.random.default_rng(0).permutation(known_rows)[:training].tolist()
    teacher = open_teacher(task)
    mesh, truth = meshes(teacher, data, chosen)
    corners = mesh[:, CORNERS]
    points, offsets = fit_offsets(to_face(mesh, corners), to_face(truth, corners))
    mesh, truth = meshes(teacher, data, marked)
    corners = mesh[:, CORNERS]
    theirs = from_face(to_face(mesh, corners)[:, points] + offsets, corners)
    known, held = (predict(run, data, rows, spec) for rows in (chosen, marked))
    ours, marks = held.xy[:, :68], held.target[:, :68]
    moved = less_offsets((known.xy[:, :68], known.target[:, :68]), ours)
    columns = errors(ours, marks), errors(moved, marks), errors(theirs, truth)
    print_table(len(chosen), columns)


def print_table(fitted: int, columns: tuple[Array, Array, Array]) -> None:
    """Errors (N, 68) of the three, in Markdown."""
    print(f"offsets of {fitted} training faces; {len(columns[0])} held-out photos")
    print("| | ours | ours less its offsets | MediaPipe's less its offsets |\n|---|---|---|---|")
    for name, part in PARTS.items():
        print(f"| {name} | {' | '.join(f'{each[:, part].mean():.2f}' for each in columns)} |")


if __name__ == "__main__":
    typer.run(main)
