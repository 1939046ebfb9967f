"""Labelled time into a project: the ranges.csv of another one, or what `train remove` kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tracker.errors import UserError
from tracker.project.check_labels import place_of, problems_of_range
from tracker.project.clips import Clip, read_clips
from tracker.project.labels import RANGE_COLUMNS, Range, ordered, range_rows
from tracker.project.layout import Project
from tracker.project.store import Store


@dataclass(frozen=True, slots=True)
class BroughtRanges:
    """What came of it: how many are new, how many the project had; sentences about the others."""

    new: int
    known: int
    notes: tuple[str, ...]


def is_ranges(path: Path) -> bool:
    """Whether the first line of a CSV file is that of a ranges.csv."""
    if path.suffix.lower() != ".csv" or not path.is_file():
        return False
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first = file.readline(1000)
    return {cell.strip().lower() for cell in first.replace(";", ",").split(",")} >= {*RANGE_COLUMNS}


def bring_ranges(project: Project, paths: Sequence[Path], clip: str = "") -> BroughtRanges:
    """Add the ranges of files to those of the project; none of its own is changed.

    With `clip` they are taken to be of that clip. Left out, and told, is what the project could not
    use: of an unknown clip or class, without a length, or over a range of the same kind.

    Raises UserError where a file cannot be read or one of its lines is no range, and where another
    program writes labels; then nothing has changed.
    """
    found: list[Range] = []
    for path in paths:
        rows = range_rows(path)
        if rows.wrong:
            line, what = rows.wrong[0]
            raise UserError(f"{path}, line {line}: {what}; mend that line")
        found += rows.ranges
    if clip:
        found = [replace(r, clip=clip) for r in found]
    with Store.open(project) as store:
        if store.read_only:
            raise UserError(f"no range was imported: {store.why}")
        clips = {c.name: c for c in read_clips(project)}
        kept, new, notes = set(store.labels.ranges), list[Range](), list[str]()
        for r in ordered(set(found) - kept):
            cut = _within(r, clips)
            why = _why_not(project, clips, cut, [*kept, *new])
            if why:
                notes.append(f"left out: {place_of(r)}: {why}")
            elif cut not in kept:
                new.append(cut)
        if new:
            store.set_ranges([*kept, *new])
    return BroughtRanges(len(new), len(set(found)) - len(new) - len(notes), tuple(notes))


def _within(r: Range, clips: dict[str, Clip]) -> Range:
    """The range, cut at the ends of its clip."""
    if r.clip not in clips:
        return r
    return replace(r, start_s=max(r.start_s, 0.0), end_s=min(r.end_s, clips[r.clip].seconds))


def _why_not(
    project: Project, clips: dict[str, Clip], r: Range, others: Iterable[Range]
) -> str | None:
    for problem in problems_of_range(project, clips, r):
        return problem.what
    for o in others:
        same = (o.clip, o.kind) == (r.clip, r.kind) and o != r
        if same and r.start_s < o.end_s - 1e-6 and o.start_s < r.end_s - 1e-6:
            return f"'{o.label}' is labelled from {o.start_s:g} to {o.end_s:g} s"
    return None
