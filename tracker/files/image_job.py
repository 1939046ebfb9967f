"""The job of `tracker image`: pictures in, annotated pictures and one data file out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engines.quiet import quiet
from tracker.errors import UserError, unforeseen, writing
from tracker.files.video_job import FrameTracker, nothing
from tracker.outputs.guarded import Guarded
from tracker.outputs.landmark_files import JsonLines, UsedModel, header
from tracker.outputs.open import find_output
from tracker.outputs.out_file import OutFile, clear_parts_of
from tracker.outputs.output import About, Output
from tracker.outputs.overlay import Style, draw
from tracker.outputs.skeleton import skeletons
from tracker.result import Result
from tracker.sources.picture_file import decode_picture, encoded
from tracker.types import Frame, Image, Kind

if TYPE_CHECKING:
    from tracker.load import Loaded

# fmt: off
IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})
# fmt: on
WHOLE = {b"\xff\xd8": b"\xff\xd9", b"\x89PNG": b"IEND"}  # how a file begins and ends


@dataclass(frozen=True, slots=True)
class ImageJob:
    """One picture to annotate. `out` None: only the data is wanted."""

    source: Path
    out: Path | None
    overwrite: bool = False
    style: Style = field(default_factory=Style)
    others: Sequence[Path] = ()  # inputs of the same command: `out` takes the place of none


def read_image(path: Path) -> Image:
    """Decode a picture file, turned as its EXIF orientation says. UserError when it is none."""
    if not path.exists():
        raise UserError(f"{path} does not exist; check the name")
    if path.is_dir():
        raise UserError(f"{path} is a folder, not a picture")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} could not be opened: {error.strerror}; check the file") from error
    if not data:
        raise UserError(f"{path} is empty (0 bytes); copy it again")
    is_cut = any(data.startswith(a) and z not in data for a, z in WHOLE.items())
    with quiet():  # what libpng and others would print
        bgr = None if is_cut else decode_picture(data, path)
    if bgr is None:
        known = ", ".join(sorted(IMAGE_SUFFIXES))
        fact = "is cut off; copy it again" if is_cut else f"is no picture known here ({known})"
        raise UserError(f"{path} {fact}")
    return bgr


def annotate_image(
    job: ImageJob, tracker: FrameTracker, models: Sequence[UsedModel]
) -> tuple[Image, Result]:
    """Do one job with a tracker that has seen nothing before; UserError where it cannot be done."""
    bgr = read_image(job.source)
    if job.out is None:
        return bgr, tracker.process(bgr, 0.0)
    if job.out.suffix.lower() not in IMAGE_SUFFIXES:
        known = ", ".join(sorted(IMAGE_SUFFIXES))
        raise UserError(f"{job.out} could not be written: give a name that ends in {known}")
    out = OutFile(job.out, [job.source, *job.others], job.overwrite)
    try:
        result = tracker.process(bgr, 0.0)
        drawn = draw(bgr, result.tracks, skeletons([m.info for m in models]), job.style)
        try:
            data = encoded(drawn, job.out.suffix)
        except ValueError as error:
            words = f"{job.out} could not be written as {job.out.suffix}; use .png"
            raise UserError(words) from error
        with writing(job.out):
            out.temp.write_bytes(data)
        out.commit()
    finally:
        out.discard()
    return bgr, result


def image_data(
    path: Path, sources: Sequence[Path], models: Sequence[UsedModel], overwrite: bool,
    options: Mapping[str, object],
) -> JsonLines:  # fmt: skip
    """The data file of a run over pictures: one row per picture."""
    out = OutFile(path, sources, overwrite)
    return JsonLines(out, header(models, options=dict(options)))


def image_outputs(
    targets: Sequence[str], jobs: Sequence[ImageJob], models: Sequence[UsedModel],
    options: Mapping[str, object], failed: list[str],
) -> tuple[Output, ...]:  # fmt: skip
    """Where the results of pictures go beside their files; UserError where one cannot be opened.

    A sentence about each that ends early is added to `failed`.
    """

    def target(path: Path) -> OutFile:
        return OutFile(path, [job.source for job in jobs], jobs[0].overwrite)

    about = About("pictures", tuple(models), jobs[0].style, options=options, target=target)
    opened: list[Output] = []
    try:
        for name in targets:
            opened.append(Guarded(name, find_output(name)(name, about), failed))
    except UserError:
        for output in opened:
            output.close(False)
        raise
    return tuple(opened)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one picture."""

    source: Path
    seen: Mapping[Kind, int] = field(default_factory=dict)  # of each kind looked for
    error: UserError | None = None
    leftovers: tuple[str, ...] = ()  # of runs that were killed, a sentence each

    def sentences(self) -> list[str]:
        """What the user should know."""
        if self.error is not None:
            return [str(self.error)]
        nobody = f"{self.source}: {nothing(self.seen)} was found"
        return [*([] if any(self.seen.values()) else [nobody]), *self.leftovers]


def run_images(
    jobs: Sequence[ImageJob],
    loaded: Loaded,
    data: JsonLines | None,
    stopped: Callable[[], bool] = lambda: False,
    outputs: Sequence[Output] = (),
) -> Iterator[Outcome]:
    """Do all jobs, each with a fresh tracker; a picture that fails does not stop the others.

    `outputs` get a frame a picture, in order, all at time 0; who calls closes them.
    """
    done = 0
    for job in jobs:
        if stopped():
            return
        try:
            bgr, result = annotate_image(job, loaded.new_tracker(), loaded.models)
        except UserError as error:
            yield Outcome(job.source, error=error)
            continue
        except Exception as error:  # whatever one picture raises, the others go on
            yield Outcome(job.source, error=unforeseen(job.source, error))
            continue
        if data is not None:
            height, width = bgr.shape[:2]
            data.row(done, 0.0, result, file=job.source.name, size_wh=[width, height])
        for output in outputs:
            output.put(Frame(done, 0.0, bgr, file=job.source.name), result)
        done += 1
        kinds = [track.kind for track in result.tracks]
        seen = {m.info.kind: kinds.count(m.info.kind) for m in loaded.models}
        left = () if job.out is None else tuple(clear_parts_of(job.out))
        yield Outcome(job.source, seen, None, left)
