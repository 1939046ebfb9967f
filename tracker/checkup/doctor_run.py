"""The checks of `tracker doctor` that need the tracker's own modules: files, engines, a run.

The run is the self-test: the whole data path on a bundled picture of one face.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from time import perf_counter

import av
import cv2
import numpy as np

import assets
from tracker.checkup.finding import NOTHING, Finding
from tracker.errors import UserError
from tracker.files.video_job import FrameTracker
from tracker.find.detectors import DETECTORS, Finder
from tracker.find.geometry import bounds_xyxy, overlap_share
from tracker.find.locate import Model, load_model
from tracker.find.markups import BUNDLED, WEIGHTS, Weights
from tracker.find.model_file import bundled_file
from tracker.result import Result
from tracker.sources.cameras import Camera, list_cameras
from tracker.track import Tracker
from tracker.types import Image, Kind

CUDA = "CUDAExecutionProvider"
AGAIN = "install landmark-tracker again"
SLOW = 1e3 / 30  # ms per frame
# What a missing or damaged file, and an engine that does not start, raise.
LOAD_ERRORS = (OSError, ValueError, RuntimeError)
PICTURE = "pictures/selftest.jpg"
FACE_XYXY = (105.0, 82.0, 206.0, 183.0)  # where the landmarks of its face lie, frame pixels
OVERLAP = 0.7  # of the smaller box
FPS = 30.0  # of the stream that the picture stands for
FRAMES, WARM_UP = 60, 5
LIMIT = 10.0  # seconds


def run_checks(
    cuda: bool, report: Callable[[str], None]
) -> tuple[list[Finding], dict[str, object]]:
    """Findings, and facts for machines. `report` gets each stage as it begins."""
    models: dict[Kind, Model] = {}
    finders: dict[Kind, Finder] = {}
    findings: list[Finding] = []
    facts: list[dict[str, object]] = []
    for kind in BUNDLED:
        report(f"loading what finds a {kind}")
        findings += [check_model(kind, models, facts), check_detector(kind, finders)]
    findings += free_findings(facts)
    bound = {model.engine.provider for model in models.values()}
    import onnxruntime  # here, after `engines` has switched its telemetry off

    available = onnxruntime.get_available_providers()
    findings += [provider_finding(available, bound, cuda), encoder_finding()]
    tested: dict[str, object] | None = None
    if len(models) == len(finders) == len(BUNDLED):
        report("following the face of a picture")
        finding, tested = check_run(Tracker(models=models, detectors=finders))
        findings.append(finding)
    report("asking for cameras")
    seen, cameras = check_cameras()
    further: dict[str, object] = {
        "models": facts,
        "providers": {"available": available, "bound": sorted(bound)},
        "self_test": tested,
        "cameras": [asdict(camera) for camera in cameras],
    }
    return [*findings, seen], further


def free_findings(facts: list[dict[str, object]]) -> list[Finding]:
    """The models of `--weights free` that are others; without them all else runs."""
    found = [
        check_model(kind, {}, facts, "free")
        for kind, name in WEIGHTS["free"].items() if name != BUNDLED[kind]
    ]  # fmt: skip
    return [replace(one, level="warning") if one.level == "error" else one for one in found]


def check_model(
    kind: Kind,
    models: dict[Kind, Model],
    facts: list[dict[str, object]],
    weights: Weights = "best",
) -> Finding:
    """Load the bundled landmark model of a kind, and keep it with what its file says."""
    name = f"{kind} model" if weights == "best" else f"{weights} {kind} model"
    try:
        path = bundled_file(kind, weights)
        model = load_model(path)
    except LOAD_ERRORS as error:
        return Finding(name, "error", str(error), AGAIN)
    models[kind] = model
    digest = sha256(path.read_bytes()).hexdigest()
    info = asdict(model.info)
    engine = model.engine
    facts.append({"file": path.name, "sha256": digest, "provider": engine.provider, "info": info})
    fact = (
        f"{path.name}: {len(model.info.landmarks)} landmarks, {model.info.network}, "
        f"sha256 {digest[:12]}, {engine.provider}; {model.info.licence}"
    )
    return Finding(name, "ok", fact)


def check_detector(kind: Kind, finders: dict[Kind, Finder]) -> Finding:
    """Load the bundled detector of a kind; its sum is checked on the way."""
    try:
        finder = finders[kind] = DETECTORS[kind](2, 0.5)
    except LOAD_ERRORS as error:
        return Finding(f"{kind} detector", "error", str(error), AGAIN)
    return Finding(f"{kind} detector", "ok", f"{finder.name}: sum right, LiteRT")


def provider_finding(available: Sequence[str], bound: set[str], cuda: bool) -> Finding:
    """Does the GPU do the work, where there is one?"""
    used = ", ".join(sorted(bound)) or "none"
    fact = f"ONNX Runtime runs the models with {used}"
    if CUDA in available and CUDA not in bound:
        return Finding(
            "engine",
            "warning",
            f"{fact}, although its CUDA provider is installed",
            "check the NVIDIA driver and the CUDA and cuDNN versions that onnxruntime-gpu needs",
        )
    if cuda and CUDA not in available:
        advice = "for the NVIDIA GPU, put onnxruntime-gpu in the place of onnxruntime"
        return Finding("engine", "ok", f"{fact}; this onnxruntime has no CUDA", advice)
    return Finding("engine", "ok", fact)


def encoder_finding() -> Finding:
    """Can annotated videos be written?"""
    try:
        av.Codec("libx264", "w")
    except av.codec.codec.UnknownCodecError:
        return Finding(
            "encoder",
            "error",
            "this PyAV has no libx264, so no annotated video can be written",
            "run 'pip install --force-reinstall --only-binary=av av'",
        )
    return Finding("encoder", "ok", f"libx264, PyAV {av.__version__}")


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What came of it."""

    frames: int  # timed ones
    with_face: int  # of them, where the face was found in its place
    seconds: float
    ms_per_stage: dict[str, float]  # mean per frame

    @property
    def ms_per_frame(self) -> float:
        """Mean of all stages together."""
        return sum(self.ms_per_stage.values())


def self_test(tracker: FrameTracker, limit: float = LIMIT) -> SelfTest:
    """Show the picture to `tracker` again and again, as a video, for up to `limit` seconds.

    FileNotFoundError or ValueError when the picture is missing or damaged.
    """
    picture = read_picture()
    begun, count, found = perf_counter(), 0, 0
    while count < WARM_UP + FRAMES and (count <= WARM_UP or perf_counter() - begun < limit):
        if count == WARM_UP:
            tracker.timings.clear()
            found = 0
        found += sees_the_face(tracker.process(picture, count / FPS))
        count += 1
    timings = tracker.timings
    return SelfTest(timings.frames, found, perf_counter() - begun, timings.ms_per_frame())


def read_picture() -> Image:
    """(H, W, 3) uint8 BGR."""
    path = assets.checked_path(PICTURE)
    picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"OpenCV cannot read {path}; install opencv-contrib-python again")
    return picture.astype(np.uint8, copy=False)


def sees_the_face(result: Result) -> bool:
    """Is there a face where the picture has one?"""
    place = np.array(FACE_XYXY, np.float32)
    return any(
        track.kind == "face" and overlap_share(bounds_xyxy(track.xy), place) >= OVERLAP
        for track in result.tracks
    )


def check_run(tracker: Tracker) -> tuple[Finding, dict[str, object] | None]:
    """The self-test, as a finding and as facts."""
    try:
        done = self_test(tracker)
    except LOAD_ERRORS as error:
        return Finding("self-test", "error", str(error), AGAIN), None
    return selftest_finding(done), asdict(done) | {"ms_per_frame": done.ms_per_frame}


def selftest_finding(done: SelfTest) -> Finding:
    """Was the face found in every frame, and fast enough for live use?"""
    stages = ", ".join(f"{name} {ms:.1f}" for name, ms in done.ms_per_stage.items())
    fact = (
        f"face found in {done.with_face} of {done.frames} frames; "
        f"{done.ms_per_frame:.1f} ms per frame ({stages})"
    )
    if done.with_face < done.frames:
        return Finding("self-test", "error", fact, f"{AGAIN}; if that does not help, report it")
    if done.ms_per_frame > SLOW:
        advice = "for 30 fps, end other programs, or follow less with --no-hands or --no-faces"
        return Finding("self-test", "warning", fact, advice)
    return Finding("self-test", "ok", fact)


def check_cameras() -> tuple[Finding, list[Camera]]:
    """Which cameras are connected, and whether they may be used; none is opened."""
    try:
        cameras = list_cameras()
    except UserError as error:
        fact, _, advice = str(error).rpartition("; ")
        return Finding("cameras", "warning", fact, advice), []
    return cameras_finding(cameras), cameras


def cameras_finding(cameras: Sequence[Camera]) -> Finding:
    """What was found, and why a camera cannot be used."""
    if not cameras:
        advice = "plug one in for 'tracker live'; files and network streams need none"
        return Finding("cameras", "ok", "no camera is connected", advice)
    names = ", ".join(f"{camera.index} {camera.name}" for camera in cameras)
    found = Finding("cameras", "ok", names, NOTHING)
    troubles = [camera.trouble for camera in cameras if camera.trouble]
    if troubles:
        fact, _, advice = troubles[0].rpartition("; ")
        return replace(found, level="warning", fact=f"{names}: {fact}", advice=advice)
    return found
