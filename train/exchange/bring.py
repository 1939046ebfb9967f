"""Foreign labels into a project: which landmark, which frame, and nothing overwritten."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from tracker.errors import UserError
from tracker.progress import Report, silent
from tracker.types import Image
from train.exchange.foreign import Foreign, Picture, Thing, base_name, frame_number
from train.exchange.names import Match, match
from train.exchange.new_pictures import NewPictures
from train.exchange.pictures import load
from train.project.clips import Clip, ClipFrames, read_clips, same_name
from train.project.labels import SPREAD, FrameLabel, ObjectLabel
from train.project.layout import Project
from train.project.locks import sole_lister
from train.project.stills import digest, is_stills, read_set, set_name
from train.project.store import Store, refuse_misfit

DIFFERS = 20.0  # mean grey levels from which a picture is not that frame of the clip
# Grey levels by which the means of blocks differ: lossy compression leaves them, movement does not.
BLOCK = 16  # pixels
MOVED = 8.0


@dataclass(frozen=True, slots=True)
class ImportWish:
    """How the user wants it."""

    clip: str = ""  # frames are of this clip, or the name of the set of stills
    names: Mapping[str, str] = field(default_factory=dict)
    by_order: bool = False
    replace: bool = False
    pictures: Path | None = None  # where else pictures lie


@dataclass(frozen=True, slots=True)
class Brought:
    """What came of an import; counts of frames, but `objects`."""

    in_clips: int
    as_stills: int
    objects: int
    kept: int  # labelled already, left as they were
    replaced: int
    stills_name: str
    notes: tuple[str, ...]


def bring(
    project: Project,
    found: Sequence[Foreign],
    name: str,
    wish: ImportWish,
    report: Report = silent,
) -> Brought:
    """Label the project's frames with what was read; `name` is that of new stills.

    ValueError or UserError when landmarks do not match, a picture cannot be read or kept, or
    another program writes labels or adds clips; then, and after Ctrl-C meanwhile, nothing has
    changed. Where the disk refuses a label later, those before it stay, and the same import again
    goes on.
    """
    with Store.open(project) as store:
        if store.read_only:
            raise UserError(f"nothing was imported: {store.why}")
        with sole_lister(project):
            work = _Work(store, wish, name, found)
            _fill(work, store, report)
        for key in sorted(work.frames):
            store.set_frame(work.frames[key])
    return work.result()


def _fill(work: _Work, store: Store, report: Report) -> None:
    """Find the frame of each picture, and keep the pictures that are of none; all or nothing."""
    try:
        for i, picture in enumerate(work.pictures):
            work.place(store, picture)
            report(i + 1, len(work.pictures))
        work.kept.write_index()
    except BaseException:  # Ctrl-C, too
        work.kept.take_back()
        raise
    finally:
        work.close()


class _Work:
    """One import under way. Made while the store is ours, so that no other adds to the set."""

    def __init__(self, store: Store, wish: ImportWish, name: str, found: Sequence[Foreign]) -> None:
        self.project, self.wish = store.project, wish
        self.clips = {c.name: c for c in read_clips(self.project)}
        named = wish.clip if wish.clip and wish.clip not in self.clips else name
        self.kept = NewPictures(store, set_name(self.project, named, self.clips))
        self.pictures = [p for f in found for p in f.pictures if p.things or p.negative]
        self.source = f"import:{found[0].format}" if found else "import"
        self.counts: Counter[str] = Counter()
        self.notes = [n for f in found for n in f.notes]
        self.matches = self._match()
        self.frames: dict[tuple[str, int], FrameLabel] = {}
        self.open: tuple[str, ClipFrames] | None = None
        self.seen: set[tuple[str, int]] = set()

    def _match(self) -> dict[tuple[str, ...], Match]:
        w, ours = self.wish, self.project.landmarks
        sets = {t.names for p in self.pictures for t in p.things if t.names}
        full = {n: match(n, ours, w.names, w.by_order and len(n) > 0) for n in sorted(sets)}
        if sets and not any(p >= 0 for m in full.values() for p in m.places):
            theirs = ", ".join(dict.fromkeys(n for s in sorted(sets) for n in s))
            raise ValueError(
                f"no landmark of the file is one of the project: it has {theirs}; the project has "
                f"{', '.join(ours)}; match them with --names theirs=ours,... or --by-order"
            )
        unknown = dict.fromkeys(n for m in full.values() for n in m.unknown)
        missing = [n for n in ours if full and all(n in m.missing for m in full.values())]
        if unknown:
            self.notes.append(f"not in the project, left out: {', '.join(unknown)}")
        if missing:
            self.notes.append(f"not in the file, not labelled: {', '.join(missing)}")
        return full

    def place(self, store: Store, picture: Picture) -> None:
        """Find out which frame a picture is, keep its pixels, remember its labels."""
        things = self._objects(picture)
        if not things and not picture.negative:
            self.counts["empty"] += 1
            return
        bgr = load(picture, self.wish.pictures)
        key, t, pixels = self._key(picture, bgr)
        if key is None or pixels is None:
            return
        if key not in self.seen and key in store.labels.frames:
            if not self.wish.replace:
                self.counts["kept"] += 1
                return
            self.counts["replaced"] += 1
        elif key not in self.seen:
            self.counts["clip" if key[0] in self.clips else "still"] += 1
        objects = list(self.frames[key].objects) if key in self.frames else []
        for found in things:
            if any(_is_twin(found, o) for o in objects):
                self.counts["twice"] += 1  # such as in the CSV and the HDF5 of DeepLabCut
            else:
                objects.append(found)
        label = FrameLabel(
            key[0], key[1], t, (pixels.shape[1], pixels.shape[0]),
            tuple(_numbered(o, i + 1) for i, o in enumerate(objects)), not objects,
        )  # fmt: skip
        try:
            refuse_misfit(self.project, label)
        except ValueError as error:
            what = picture.name or f"{key[0]}, frame {key[1]}"
            raise ValueError(f"the label of {what}: {error}; mend it or remove it") from error
        if key not in self.seen:
            self.kept.keep(*key, pixels)
        self.seen.add(key)
        self.frames[key] = label

    def _objects(self, picture: Picture) -> list[ObjectLabel]:
        objects = []
        many = len(self.project.landmarks)
        for found in picture.things:
            if found.names and max(self.matches[found.names].places) < 0:
                self.counts["other"] += 1  # of another kind of object, and so is its box
                continue
            xy, v = np.full((many, 2), np.nan, np.float32), np.zeros(many, np.uint8)
            places = self.matches[found.names].places if found.names else ()
            for i, place in enumerate(places):
                if place >= 0 and found.v[i]:
                    xy[place], v[place] = found.xy[i], found.v[i]
            box = None if found.box_xyxy is None else found.box_xyxy.astype(np.float32)
            if v.any() or box is not None:
                label = ObjectLabel(1, xy, v, box, self.source)
                objects.append(_spread(label, found, places))
        return objects

    def _key(
        self, picture: Picture, bgr: Image | None
    ) -> tuple[tuple[str, int] | None, float, Image | None]:
        """Clip and frame of a picture, its time, its pixels."""
        place = self._in_clips(picture)
        if place is not None:
            clip, frame = place
            shot = self._frame(clip, frame)
            if shot is not None and bgr is not None:
                frame, shot = self._alike(clip, frame, shot, bgr)
            size = None if shot is None else (shot.shape[1], shot.shape[0])
            if shot is None:
                self.counts["beyond"] += 1
            elif picture.size_wh not in (None, size) and bgr is None:
                self.counts["size"] += 1
            elif bgr is None or _same(shot, bgr):
                assert self.open is not None
                return (clip.name, frame), float(self.open[1].times[frame]), shot
            elif bgr is not None:
                self.counts["differs"] += 1
        if bgr is None:
            old = self._old_still(picture, None)
            self.counts["lost"] += place is None and old is None
            return old or (None, 0.0, None)
        if picture.size_wh not in (None, bgr.shape[1::-1]):
            self.counts["size"] += 1
            return None, 0.0, None
        if old := self._old_still(picture, bgr):
            if _same(old[2], bgr) and _moved(old[2], bgr) < MOVED:
                return old
            self.counts["differs"] += 1  # its number was given to another meanwhile
        return (self.kept.name, self.kept.number(picture.name, bgr)), 0.0, bgr

    def _old_still(
        self, picture: Picture, bgr: Image | None
    ) -> tuple[tuple[str, int], float, Image] | None:
        """A picture of an earlier import, which has come back from an export.

        Its pixels say which one: numbers are others where a set was removed and added again.
        """
        path = PurePosixPath(picture.name)
        name, number = picture.video or _folder(picture), picture.frame
        number = frame_number(path.stem) if number is None else number
        if not is_stills(self.project, name) or number is None:
            return None
        known = read_set(self.project, name)
        if bgr is not None:
            pixels = digest(bgr)
            twins = [n for (_, sha256), n in known.items() if sha256 == pixels]
            number = number if number in twins or not twins else twins[0]
        if number not in known.values():
            return None
        kept = load(Picture(f"{name}/frame{number:06d}.png", (), self.project.frames_dir), None)
        return None if kept is None else ((name, number), 0.0, kept)

    def _in_clips(self, picture: Picture) -> tuple[Clip, int] | None:
        path = PurePosixPath(picture.name)
        frame = frame_number(path.stem) if picture.frame is None else picture.frame
        if frame is None:
            return None
        names = [self.wish.clip, base_name(picture.video), _folder(picture)]
        for name in names:
            for clip in self.clips.values():
                if name and clip.is_called(name):
                    return clip, frame
        stem = Path(base_name(picture.video)).stem
        return next(
            ((c, frame) for c in self.clips.values() if stem and same_name(c.stem, stem)), None
        )

    def _frame(self, clip: Clip, frame: int) -> Image | None:
        if not 0 <= frame < clip.frames:
            return None
        if self.open is None or self.open[0] != clip.name:
            self.close()
            self.open = clip.name, ClipFrames(self.project, clip)
        return self.open[1].frame(frame).bgr

    def _alike(self, clip: Clip, frame: int, shot: Image, bgr: Image) -> tuple[int, Image]:
        """The frame, or the one before or after it where the picture is clearly that one: there
        are programs that count frames from 1.
        """
        best = frame, shot
        least = _moved(shot, bgr) / 2 if shot.shape == bgr.shape else 0.0
        if least >= MOVED / 2:
            for other in (frame - 1, frame + 1):
                found = self._frame(clip, other)
                if found is not None and (apart := _moved(found, bgr)) < least:
                    best, least = (other, found), apart
        self.counts["shifted"] += best[0] != frame
        return best

    def close(self) -> None:
        """Let the clip go."""
        if self.open is not None:
            self.open[1].close()
            self.open = None

    def result(self) -> Brought:
        """What came of it."""
        for key, text in SAID.items():
            if self.counts[key]:
                self.notes.append(f"{self.counts[key]} {text}")
        c = self.counts
        objects = sum(len(f.objects) for f in self.frames.values())
        return Brought(c['clip'], c['still'], objects, c['kept'], c['replaced'],
                       self.kept.name, tuple(self.notes))  # fmt: skip


SAID = {
    "empty": "pictures hold no landmark of the project and were left out",
    "twice": "objects are there twice, alike, and were taken once",
    "other": "objects have no landmark that the project has and were left out, with their boxes",
    "shifted": "pictures look like the frame before or after the one that their name says, and "
    "were taken as that; are they counted from 1?",
    "beyond": "frames are not in the clip or cannot be decoded, and were left out; is it the same "
    "clip?",
    "size": "pictures have another size than the labels say and were left out; labels must be of "
    "the picture as it is",
    "differs": "pictures do not look like the frame of the clip, or the picture of the set, that "
    "their name says, and were kept as pictures of their own",
    "lost": "pictures were not found and left out; say where they are with --pictures FOLDER, or "
    "add their clip with train add",
}


def _folder(picture: Picture) -> str:
    """The folder a picture lies in: its own, else that of the label file."""
    return PurePosixPath(picture.name).parent.name or picture.folder.name


def _is_twin(a: ObjectLabel, b: ObjectLabel) -> bool:
    """Whether two say the same, up to how files round."""
    boxes = [np.full(4, np.nan) if o.box_xyxy is None else o.box_xyxy for o in (a, b)]
    pairs = ((a.xy, b.xy), (boxes[0], boxes[1]))
    return bool((a.v == b.v).all()) and all(
        np.allclose(one, other, rtol=0, atol=0.01, equal_nan=True) for one, other in pairs
    )


def _numbered(found: ObjectLabel, number: int) -> ObjectLabel:
    return dataclasses.replace(found, id=number)


def _spread(label: ObjectLabel, found: Thing, places: Sequence[int]) -> ObjectLabel:
    """The same, spread where the file says so: an import makes no label by hand of it."""
    if found.confidence is None:
        return label
    sure = np.zeros(len(label.v), np.float32)
    for i, place in enumerate(places):
        if place >= 0:
            sure[place] = found.confidence[i]
    return dataclasses.replace(label, source=SPREAD, confidence=sure, came_from=found.came_from)


def _same(a: Image, b: Image) -> bool:
    """Whether two pictures show the same, up to lossy compression."""
    return a.shape == b.shape and float(np.abs(a.astype(np.int16) - b).mean()) < DIFFERS


def _moved(a: Image, b: Image) -> float:
    """The largest difference of two pictures of one size, as means of blocks in grey levels."""
    blocks = (max(1, a.shape[1] // BLOCK), max(1, a.shape[0] // BLOCK))
    small = (cv2.resize(p, blocks, interpolation=cv2.INTER_AREA).astype(np.int16) for p in (a, b))
    one, other = small
    return float(np.abs(one - other).max())
