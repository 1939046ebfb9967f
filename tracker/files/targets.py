"""From the names a user gives to the files to read and to write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tracker.errors import UserError

# Names of data files that a reader would take for another kind of file.
MEDIA = (".mp4", ".m4v", ".mov", ".mkv", ".avi", ".webm", ".png", ".jpg", ".jpeg", ".webp")
OF_OTHERS = {
    "--json": (".csv", ".tsv", ".xlsx", *MEDIA),
    "--csv": (".json", ".jsonl", ".ndjson", ".xlsx", *MEDIA),
}
NAMED = 200  # letters of a name in a sentence: the system may have refused it for its length


@dataclass(frozen=True, slots=True)
class Planned:
    """One input and where its outputs go; None: not wanted."""

    source: Path
    out: Path | None
    json: Path | None
    csv: Path | None


def expand(inputs: Sequence[Path], suffixes: frozenset[str], what: str) -> list[Path]:
    """Files stand for themselves, folders for the files of the right kind in them, by name."""
    found: list[Path] = []
    for path in inputs:
        try:
            inside = sorted(
                p for p in path.iterdir()
                if p.suffix.lower() in suffixes and p.is_file() and not p.name.startswith(".")
            ) if path.is_dir() else None  # fmt: skip
        except OSError as error:
            raise UserError(
                f"{str(path)[:NAMED]} cannot be read: {error.strerror}; check its name and rights"
            ) from error
        if inside is None:
            found.append(path)
            continue
        if not inside:
            raise UserError(f"the folder {path} holds no {what}; give files, or another folder")
        found += inside
    return found


def plan(
    inputs: Sequence[Path],
    sources: Sequence[Path],
    out: Path | None,
    json: Path | None = None,
    csv: Path | None = None,
) -> list[Planned]:
    """Where the outputs of each source go.

    One input file: the names as given, or inside them where they are folders. Several inputs or a
    folder: `out`, `json` and `csv` are folders, made where missing, and files keep their stems (a
    second a.* becomes a_2).
    """
    for option, path in (("--json", json), ("--csv", csv)):
        refuse_dash(option, path)
        refuse_suffix(option, path)
    many = len(inputs) > 1 or inputs[0].is_dir()
    if many:
        for folder in {path for path in (out, json, csv) if path is not None}:
            _make_folder(folder)
    return [
        Planned(
            source,
            _target(out, f"{stem}.mp4"),
            _target(json, f"{stem}.jsonl"),
            _target(csv, f"{stem}.csv"),
        )
        for source, stem in zip(sources, _stems(sources), strict=True)
    ]


def usual_out(inputs: Sequence[Path], suffix: str) -> Path:
    """Where an annotated file goes that was given no name: here; of several, a folder here."""
    if len(inputs) > 1 or inputs[0].is_dir():
        return Path("annotated")
    return Path(f"{inputs[0].stem}_annotated{suffix}")


def refuse_dash(option: str, path: Path | None) -> None:
    """UserError where --json or --csv is given what elsewhere stands for standard output."""
    if path == Path("-"):
        raise UserError(
            f"{option} - names no file; JSON lines on standard output are --to -, without {option}"
        )


def refuse_suffix(option: str, path: Path | None) -> None:
    """UserError where --json or --csv is given the name of another kind of file."""
    if path is not None and path.suffix.lower() in OF_OTHERS[option]:
        ours, other = {"--json": (".jsonl", "--csv"), "--csv": (".csv", "--json")}[option]
        fits = path.suffix.lower() in (".csv", ".json", ".jsonl")
        instead = f", or give {other} {path}" if fits else ""
        raise UserError(
            f"{option} {path} would hold {option[2:].upper()} under the name of another kind of "
            f"file; call it {path.with_suffix(ours)}{instead}"
        )


def plan_images(
    inputs: Sequence[Path], sources: Sequence[Path], out: Path | None
) -> list[tuple[Path, Path | None]]:
    """The same for pictures: files keep their names (a second a.* becomes a_2)."""
    if out is not None and (len(inputs) > 1 or inputs[0].is_dir()):
        _make_folder(out)
    stems = _stems(sources)
    return [(s, _target(out, stem + s.suffix)) for s, stem in zip(sources, stems, strict=True)]


def _target(given: Path | None, name: str) -> Path | None:
    return given if given is None or not given.is_dir() else given / name


def _stems(sources: Sequence[Path]) -> list[str]:
    """The sources' stems; the second of a kind becomes a_2, so that no output hits another."""
    stems: list[str] = []
    for source in sources:
        stem, number = source.stem, 1
        while stem in stems:
            number += 1
            stem = f"{source.stem}_{number}"
        stems.append(stem)
    return stems


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{folder} could not be made a folder for the outputs: {error.strerror}; "
            "name a folder when there are several inputs"
        ) from error
