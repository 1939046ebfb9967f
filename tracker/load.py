"""From command line options to loaded networks and a tracker for each stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import assets
from tracker.errors import UserError
from tracker.files.video_job import FrameTracker
from tracker.find.detect import load_detector
from tracker.find.locate import Model, load_model
from tracker.find.model_file import model_file, model_name
from tracker.find.precision import precise_file
from tracker.outputs.landmark_files import UsedModel, versions
from tracker.track import BUNDLED, DETECTORS, Tracker, TrackerConfig
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
        models = _given(config, model_files)
        files = dict(models)
        config = _with_objects(config, files)
        kinds = config.kinds
        for kind in kinds:
            if kind not in models:
                models[kind] = _loaded(assets.path(BUNDLED[kind]), config)
        detectors = {
            kind: load_detector(DETECTORS[kind], config.threads, config.detect_score)
            for kind in kinds
            if kind in DETECTORS
        }
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(str(error)) from error
    for kind, (path, _) in files.items():
        if kind not in kinds:
            raise UserError(f"{path} finds {kind}s, which are switched off; drop --no-{kind}s")
    networks = {kind: model for kind, (_, model) in models.items()}
    used = tuple(_used(*models[kind]) for kind in kinds)
    return Loaded(lambda: Tracker(config, networks, detectors), used)


def used_models(config: TrackerConfig, models: Mapping[Kind, Model]) -> tuple[UsedModel, ...]:
    """What a tracker of this config runs, for data files and screens."""
    return tuple(
        _used(model.path or Path(config.model(kind) or assets.path(BUNDLED[kind])), model)
        for kind, model in models.items()
    )


def _with_objects(config: TrackerConfig, files: Mapping[Kind, tuple[Path, Model]]) -> TrackerConfig:
    """Follow objects if there is a model of them; ValueError when nothing is left to follow."""
    path = files["object"][0] if "object" in files else config.object_model
    switch = None if config.objects else config.objects
    if not (config.hands or config.faces) and path is None and files:
        kind, (file, _) = next(iter(files.items()))
        raise ValueError(f"{file} finds {kind}s, which are switched off; drop --no-{kind}s")
    return replace(config, object_model=path, objects=switch)


def _given(config: TrackerConfig, files: Sequence[Path]) -> dict[Kind, tuple[Path, Model]]:
    found: dict[Kind, tuple[Path, Model]] = {}
    for path in files:
        path, model = _loaded(model_file(path), config)
        kind = model.info.kind
        if kind in found:
            raise ValueError(f"{found[kind][0]} and {path} both find {kind}s; give one of them")
        found[kind] = (path, model)
    return found


def _loaded(path: Path, config: TrackerConfig) -> tuple[Path, Model]:
    """A model in the engine and the precision that are wanted, and the file it came from."""
    path = precise_file(path, config.precision)
    return path, load_model(path, config.threads, config.engine, config.live)


def _used(path: Path, model: Model) -> UsedModel:
    digest = sha256(path.read_bytes()).hexdigest()
    engine = model.engine
    return UsedModel(model_name(path), digest, model.info, engine.provider, engine.threads)
