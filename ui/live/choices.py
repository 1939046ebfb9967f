"""Everything that can be chosen in the live window and on its command line: one declaration.

An option has its field here, its words in `ui/commands/live.py`, and the place that acts on it.
Without Qt, so that a run without a window has the same choices.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast

from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.find.locate import load_model
from tracker.find.markups import Weights
from tracker.find.model_file import KINDS, model_file
from tracker.follow.neutral_files import meant_face
from tracker.follow.smooth import Preset
from tracker.gestures.own import meant_file
from tracker.sources.open import CAMERA, Playing, kind_of_source
from tracker.types import Kind

CompareView = Literal["side", "a", "b"]
Tab = Literal["camera", "tracking", "record", "face", "send", "actions", "plots"]
MirrorField = Literal["mirror_devices", "mirror_files"]
BUNDLED = "bundled"  # as a second model
PRESENCE_OFF = 0.5  # a followed object is missed below this, however sure a new one must be


@dataclass(frozen=True, slots=True)
class Choices:
    """Everything that can be chosen. A model is a file or a project folder.

    A model '' is the bundled one (there is none for objects), a second model '' the same as the
    first, and one that is BUNDLED the bundled one; a folder '' is the usual one.
    """

    camera: str = "0"
    loop: bool = False  # files
    size: str = ""  # of a camera's picture, as WIDTHxHEIGHT; '': as it comes
    fps: float = 0.0  # of a camera, 0: as it comes
    hands: bool = True
    faces: bool = True
    max_hands: int = 2
    max_faces: int = 1
    objects: bool = True  # where there is a model for them
    max_objects: int = 1
    hand_model: str = ""
    face_model: str = ""
    object_model: str = ""
    presence: float = 0.5
    smooth: Preset = "light"
    mirror_devices: bool = True
    mirror_files: bool = False
    hud: bool = True
    landmarks: bool = True
    labels: bool = True
    privacy: bool = False
    panel: bool = True
    space: bool = False  # hands and heads in space
    hint: bool = True  # what to do first
    tab: Tab = "camera"  # the page of the panel
    annotated: bool = False  # recordings: the picture as shown, instead of as it came
    recordings: str = ""
    snapshots: str = ""
    project: str = ""
    other_hand_model: str = ""  # of the second tracker when two are compared
    other_face_model: str = ""
    other_object_model: str = ""
    compare_view: CompareView = "side"
    actions: str = ""  # a profile, see docs/actions.md; '': none
    actions_on: bool = True
    actions_test: bool = False  # show what would fire, and do nothing
    auto_centre: bool = False  # of heads: straight ahead follows slowly
    gestures: str = ""  # a file of gestures of one's own; '': this user's, 'none': none
    neutral: str = ""  # whose face at rest: a name or file; '': this user's, 'none': nobody's
    every_expression: bool = False  # show all 52 on the page of the panel
    engine: str = "auto"  # of the landmark models
    precision: str = "fp32"
    weights: Weights = "best"  # of bundled models
    fov: float = 0.0  # degrees across the picture; 0: not known

    @property
    def mirror_field(self) -> MirrorField:
        """Which of the two says whether this camera's picture is a mirror image."""
        return "mirror_devices" if is_device(self.camera) else "mirror_files"

    def chosen(self, given: Mapping[str, object]) -> Choices:
        """These, but for what is given: fields by their names, and `mirror` of the camera."""
        fields = {name: value for name, value in given.items() if name != "mirror"}
        choices = replace(self, **fields)  # type: ignore[arg-type]
        if "mirror" not in given:
            return choices
        return replace(choices, **{choices.mirror_field: given["mirror"]})  # type: ignore[arg-type]

    def playing(self) -> Playing:
        """How the camera or file is wished. ValueError where `size` is no size."""
        return Playing(self.loop, size_wh(self.size), self.fps or None)

    def config(self) -> TrackerConfig:
        """What the tracker shall do. ValueError when the choices contradict each other."""
        return TrackerConfig(
            hands=self.hands,
            faces=self.faces,
            max_hands=self.max_hands,
            objects=self.objects and bool(self.object_model),
            max_faces=self.max_faces,
            max_objects=self.max_objects,
            hand_model=self.hand_model or None,
            face_model=self.face_model or None,
            object_model=self.object_model or None,
            smooth=self.smooth,
            presence_on=self.presence,
            presence_off=min(PRESENCE_OFF, self.presence),
            engine=self.engine,
            precision=self.precision,
            weights=self.weights,
            live=True,
            fov=self.fov or None,
            gestures=meant_file(self.gestures) if self.hands else None,
            facing=bool(getattr(self, self.mirror_field)),
            neutral=self._neutral_file() if self.faces else None,
        )

    def _neutral_file(self) -> Path | None:
        """None where nothing was captured for that person yet."""
        try:
            found = meant_face(self.neutral)
        except UserError as error:
            raise ValueError(str(error)) from error
        return found if found is not None and found.is_file() else None

    def other_config(self) -> TrackerConfig | None:
        """What the second tracker shall do; None when it would do the same as the first."""
        config = first = self.config()
        for kind in KINDS:
            other = cast(str, getattr(self, f"other_{kind}_model"))
            if other:
                config = config.with_model(kind, None if other == BUNDLED else other)
        if config == first:
            return None
        objects = self.objects and config.object_model is not None
        return replace(config, objects=objects)

    def against_bundled(self) -> Choices | None:
        """The same with the bundled models as second ones, to see what was gained by one's own.

        None where none of one's own is followed that could be compared so.
        """
        own = [k for k in self.config().kinds if k != "object" and getattr(self, f"{k}_model")]
        if not own:
            return None
        return replace(self, **{f"other_{kind}_model": BUNDLED for kind in own})  # type: ignore[arg-type]

    def folder(self, name: Literal["recordings", "snapshots", "project"]) -> Path:
        """Where such files go; the usual places are asked of Qt."""
        chosen = cast(str, getattr(self, name))
        if chosen:
            return Path(chosen)
        from PyQt6.QtCore import QStandardPaths

        place = {
            "recordings": QStandardPaths.StandardLocation.MoviesLocation,
            "snapshots": QStandardPaths.StandardLocation.PicturesLocation,
            "project": QStandardPaths.StandardLocation.DocumentsLocation,
        }[name]
        usual = Path(QStandardPaths.writableLocation(place) or Path.home())
        return usual / ("landmark-project" if name == "project" else "landmark-tracker")


def is_device(camera: str) -> bool:
    """Is it a camera at this computer, and not a URL or a file?"""
    return kind_of_source(camera) == CAMERA


def size_wh(words: str) -> tuple[int, int] | None:
    """(w, h) of WIDTHxHEIGHT, each 1 to 99999; None of ''. ValueError of all else."""
    found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", words)
    if found is None and words:
        raise ValueError(f"a size is such as 1280x720, got {words!r}")
    return None if found is None else (int(found[1]), int(found[2]))


def kind_of(path: Path) -> Kind:
    """What the model of a file or a project finds; UserError when it is none."""
    try:
        return load_model(model_file(path), 1).info.kind
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(str(error)) from error


def with_models(choices: Choices, given: Mapping[str, object], models: Sequence[Path]) -> Choices:
    """The same with the models of `--model`, each for the kind that its file says.

    Moments are flagged into their project, where no other was `given`. UserError when one is no
    model, or two are of one kind.
    """
    found: dict[Kind, Path] = {}
    for path in models:
        path = path.absolute()
        kind = kind_of(path)
        if kind in found:
            raise UserError(f"{found[kind]} and {path} both find {kind}s; give one of them")
        found[kind] = path
        if given.get(f"{kind}s") is False:
            raise UserError(f"{path} finds {kind}s, which are switched off; drop --no-{kind}s")
        choices = replace(choices, **{f"{kind}_model": str(path), f"{kind}s": True})  # type: ignore[arg-type]
        if path.is_dir() and "project" not in given:
            choices = replace(choices, project=str(path))
    return choices
