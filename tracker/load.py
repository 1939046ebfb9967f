"""From command line options to loaded networks and a tracker for each stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import assets
from tracker.datafile import UsedModel, versions
from tracker.detect import FACE, PALM, load_detector
from tracker.errors import UserError
from tracker.locate import Model, load_model
from tracker.track import BUNDLED, Tracker, TrackerConfig
from tracker.types import Kind
from tracker.video import FrameTracker


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
    """Load each network once. `model_files` replace the bundled models of their kinds.

    Raises UserError with one sentence when a file is missing or is no such model.
    """
    kinds: list[Kind] = [k for k, on in _switches(config).items() if on]
    try:
        models = _given(config, model_files)
        files = dict(models)
        for kind in kinds:
            if kind not in models:
                path = assets.path(BUNDLED[kind])
                models[kind] = (path, load_model(path, config.threads, config.provider))
        specs = {"hand": PALM, "face": FACE}
        detectors = {
            kind: load_detector(specs[kind], config.threads, config.detect_score) for kind in kinds
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
    asked = {"hand": config.hand_model, "face": config.face_model}
    return tuple(
        _used(Path(asked[kind] or assets.path(BUNDLED[kind])), model)
        for kind, model in models.items()
    )


def _given(config: TrackerConfig, files: Sequence[Path]) -> dict[Kind, tuple[Path, Model]]:
    found: dict[Kind, tuple[Path, Model]] = {}
    for path in files:
        model = load_model(path, config.threads, config.provider)
        kind = model.info.kind
        if kind in found:
            raise ValueError(f"{found[kind][0]} and {path} both find {kind}s; give one of them")
        found[kind] = (path, model)
    return found


def _switches(config: TrackerConfig) -> dict[Kind, bool]:
    return {"hand": config.hands, "face": config.faces}


def _used(path: Path, model: Model) -> UsedModel:
    digest = sha256(path.read_bytes()).hexdigest()
    engine = model.engine
    return UsedModel(path.name, digest, model.info, engine.provider, engine.threads)
