"""From command line options to loaded networks and a tracker for each stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.files.video_job import FrameTracker
from tracker.find.locate import Model
from tracker.find.model_file import Attribute, bundled_file, model_name
from tracker.gestures.features import POINTS
from tracker.gestures.motions.library import names
from tracker.gestures.own import read_own
from tracker.outputs.landmark_files import UsedModel, versions
from tracker.track import Tracker, finder_of, model_at, model_of
from tracker.types import Kind


@dataclass(frozen=True, slots=True)
class Loaded:
    """Networks in memory; `new_tracker` gives a tracker that has seen nothing yet."""

    new_tracker: Callable[[], FrameTracker]
    models: tuple[UsedModel, ...]

    def describe(self) -> str:
        """What runs here, for the head of `--stats`."""
        lines = [", ".join(f"{name} {found}" for name, found in versions().items())]
        lines += [
            f"{m.info.kind}: {m.file} ({m.info.network}, sha256 {m.sha256[:12]}), "
            f"{m.provider}, {m.threads} threads"
            for m in self.models
        ]
        return "\n".join(lines)


def load(config: TrackerConfig, model_files: Sequence[Path] = ()) -> Loaded:
    """Load each network once. `model_files`, or project folders, replace the bundled models.

    Objects are followed where one of them finds objects.
    Raises UserError with one sentence when a file is missing or is no such model.
    """
    try:
        given = _given(config, model_files)
        config = _with_objects(config, given)
        models = {kind: given.get(kind) or model_of(kind, config) for kind in config.kinds}
        finders = {kind: finder_of(kind, config) for kind in config.kinds}
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(str(error)) from error
    for kind, model in given.items():
        if kind not in models:
            raise UserError(
                f"{model.path} finds {kind}s, which are switched off; drop --no-{kind}s"
            )
    detectors = {kind: finder for kind, finder in finders.items() if finder is not None}
    return Loaded(lambda: Tracker(config, models, detectors), used_models(config, models))


def used_models(config: TrackerConfig, models: Mapping[Kind, Model]) -> tuple[UsedModel, ...]:
    """What a tracker of this config runs, for data files and screens."""
    taught = () if config.gestures is None else read_own(Path(config.gestures)).gestures
    own = [gesture.name for gesture in taught if not gesture.is_motion]
    moved = [gesture.name for gesture in taught if gesture.is_motion]
    motions = dict.fromkeys((*names(), *moved)) if config.motions else ()
    return tuple(
        _used(
            model.path or Path(config.model(kind) or bundled_file(kind, config.weights)),
            _with_motions(tuple(motions), _with(own, model)),
        )
        for kind, model in models.items()
    )


def _with(own: Sequence[str], model: Model) -> Model:
    """A hand model that tells these gestures, too, as its tracks do."""
    if not own or model.info.kind != "hand":
        return model
    attributes = model.info.attributes
    if "gesture" not in model.info.gives:
        attributes = (*attributes, Attribute("gesture"))
    attributes = tuple(
        replace(a, classes=(*(name for name in a.classes if name not in own), *own))
        if a.name == "gesture" else a
        for a in attributes
    )  # fmt: skip
    return replace(model, info=replace(model.info, attributes=attributes))


def _with_motions(motions: tuple[str, ...], model: Model) -> Model:
    """A hand model whose tracks tell these motions."""
    info = model.info
    if not motions or info.kind != "hand" or len(info.landmarks) != POINTS:
        return model
    attributes = (*info.attributes, Attribute("motion", motions))
    return replace(model, info=replace(info, attributes=attributes))


def _with_objects(config: TrackerConfig, given: Mapping[Kind, Model]) -> TrackerConfig:
    """Follow objects if there is a model of them; ValueError when nothing is left to follow."""
    path = given["object"].path if "object" in given else config.object_model
    switch = None if config.objects else config.objects
    if not (config.hands or config.faces) and path is None and given:
        kind, model = next(iter(given.items()))
        raise ValueError(f"{model.path} finds {kind}s, which are switched off; drop --no-{kind}s")
    return replace(config, object_model=path, objects=switch)


def _given(config: TrackerConfig, files: Sequence[Path]) -> dict[Kind, Model]:
    found: dict[Kind, Model] = {}
    for path in files:
        model = model_at(path, config)
        kind = model.info.kind
        if kind in found:
            raise ValueError(
                f"{found[kind].path} and {model.path} both find {kind}s; give one of them"
            )
        found[kind] = model
    return found


def _used(path: Path, model: Model) -> UsedModel:
    digest = sha256(path.read_bytes()).hexdigest()
    engine = model.engine
    return UsedModel(model_name(path), digest, model.info, engine.provider, engine.threads)
