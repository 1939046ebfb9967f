"""Labelled time into a project: the ranges.csv of another one, or what `train remove` kept."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tracker.errors import UserError
from train.project.check_labels import place_of, problems_of_range
from train.project.clips import Clip, read_clips, same_name
from train.project.labels import RANGE_COLUMNS, Range, delimiter_of, ordered, whole_rows
from train.project.layout import Project
from train.project.store import Store


@dataclass(frozen=True, slots=True)
class BroughtRanges:
    """What came of it: how many are new, how many the project had; sentences about the others."""

    new: int
    known: int
    left_out: tuple[str, ...]
    messages: tuple[str, ...] = ()  # about columns that no range has


def is_ranges(path: Path) -> bool:
    """Whether the first line of a CSV file is that of a ranges.csv."""
    if path.suffix.lower() != ".csv" or not path.is_file():
        return False
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first = file.readline(1000)
    row = next(csv.reader([first], delimiter=delimiter_of(first)), [])
    return {cell.strip().lower() for cell in row} >= {*RANGE_COLUMNS}


def bring_ranges(project: Project, paths: Sequence[Path], clip: str = "") -> BroughtRanges:
    """Add the ranges of files to those of the project; none of its own is changed.

    With `clip` (its name or stem) they are taken to be of that clip. Each is cut at the ends of its
    clip. Left out, and told, is what the project could not
    use: of an unknown clip or class, without a length, or over a range of the same kind.

    Raises UserError where a file cannot be read or one of its lines is no range, and where another
    program writes labels; then nothing has changed.
    """
    found: list[Range] = []
    messages: list[str] = []
    for path in paths:
        if not path.is_file():
            raise UserError(f"{path} does not exist; check the name")
        rows = whole_rows(path)
        found += rows.ranges
        messages += rows.messages
    if clip:
        clip = next((c.name for c in read_clips(project) if c.is_called(clip)), clip)
        found = [replace(r, clip=clip) for r in found]
    with Store.open(project) as store:
        if store.read_only:
            raise UserError(f"no range was imported: {store.why}")
        clips = {c.name: c for c in read_clips(project)}
        found = [_as_listed(r, clips) for r in found]
        kept, new, left = set(store.labels.ranges), list[Range](), list[str]()
        for r in ordered(set(found) - kept):
            cut = r.within(clips[r.clip].seconds) if r.clip in clips else r
            why = _why_not(project, clips, cut, [*kept, *new])
            if why:
                left.append(f"{place_of(r)}: {why}")
            elif cut not in kept and cut not in new:
                new.append(cut)
        if new:
            store.set_ranges([*kept, *new])
    known = len(set(found)) - len(new) - len(left)
    return BroughtRanges(len(new), known, tuple(left), tuple(messages))


def _as_listed(r: Range, clips: Iterable[str]) -> Range:
    """A range whose clip is named in the Unicode form of the project's list."""
    return replace(r, clip=next((name for name in clips if same_name(name, r.clip)), r.clip))


def _why_not(
    project: Project, clips: dict[str, Clip], r: Range, others: Iterable[Range]
) -> str | None:
    for problem in problems_of_range(project, clips, r):
        return problem.what
    for o in others:
        if o != r and o.overlaps(r):
            return f"'{o.label}' is labelled from {o.start_s:g} to {o.end_s:g} s"
    return None
