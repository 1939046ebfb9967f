"""The words on the picture: numbers, the state of the camera, what is being recorded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracker.config import TrackerConfig
from tracker.sources.open import FILE, kind_of_source
from ui.kit.words import capital

if TYPE_CHECKING:
    from tracker.live.pipeline import Health, Recording
    from tracker.outputs.landmark_files import UsedModel
    from tracker.result import Shown
    from ui.live.controls import LiveControls

TITLES = {
    "opening": "Opening the camera",
    "no_frames": "No picture arrives",
    "frozen": "The picture is frozen",
    "black": "The picture is black",
    "unplugged": "The camera is not connected",
    "busy": "The camera is busy",
    "ended": "The clip has ended",
    "failed": "The camera cannot be used",
}
OFFERS = {
    "look": "Try again", "camera": "Choose a camera", "file": "Play a video...",
    "again": "Play again",
}  # fmt: skip
OF_FILES = {"opening": "Opening the video", "failed": "The video cannot be played"}
# What a terminal is told.
COMMANDS = re.compile(r"(, or|;) see 'tracker cameras'|; open another one, or play it with --loop")
SLOW = 3.0  # s after which a state that lasts tells for how long


@dataclass(frozen=True, slots=True)
class Banner:
    """A message in the middle of the picture."""

    title: str
    text: str
    is_error: bool = False


FINISHING = Banner(
    "Finishing the recording",
    "The file gets its final form. Quit again to let that go on without a window.",
)
CLOSING = Banner("Closing", "The camera is being let go.")


@dataclass(frozen=True, slots=True)
class Words:
    """All that is written on the picture."""

    hud: Sequence[str] = ()
    badges: Sequence[tuple[str, bool]] = ()  # text, and whether it is about a recording
    banner: Banner | None = None
    note: str = ""  # at the bottom
    offers: Sequence[str] = ()  # buttons below the banner, see OFFERS


def words(controls: LiveControls, health: Health, lines: Sequence[str], now: float) -> Words:
    """All that is to be written at the monotonic time `now`; `lines` are the numbers."""
    badges = []
    if controls.saver.is_finishing:
        badges.append(("Finishing the recording...", True))
    elif health.recording is not None:
        badges.append((recording_badge(health.recording), True))
    if controls.session.is_paused:
        badges.append(("Paused", False))
    message = banner(health, now, controls.choices.camera)
    if controls.is_ending:
        message = FINISHING if controls.saver.is_finishing else CLOSING
    offered = () if controls.is_ending else offers(health)
    return Words(lines if controls.choices.hud else (), badges, message, note(health), offered)


def numbers(health: Health, shown_fps: float, latency: tuple[float, float] | None) -> list[str]:
    """The lines of the HUD."""
    p50_p95 = "-" if latency is None else f"p50 {latency[0]:.0f}  p95 {latency[1]:.0f} ms"
    return [
        f"capture {health.capture_fps:.1f} fps   shown {shown_fps:.1f} fps",
        f"network {health.network_ms:.1f} ms   tracker {health.tracker_ms:.1f} ms",
        f"latency {p50_p95}",
        f"dropped {health.dropped}",
        engine(health),
        *(f"model {m.file}" for m in health.models if ", run " in m.file),
    ]


def few_numbers(health: Health, shown_fps: float, latency: tuple[float, float] | None) -> list[str]:
    """What of them a small picture has room for."""
    p95 = "-" if latency is None else f"{latency[1]:.0f} ms"
    return [f"{shown_fps:.0f} of {health.capture_fps:.0f} fps", f"latency p95 {p95}"]


def delivered(health: Health, shown: Shown | None) -> str:
    """What a camera really gives, whatever was asked of it."""
    if shown is None or shown.frame.bgr is None or health.camera.phase != "running":
        return "-"
    height, width = shown.frame.bgr.shape[:2]
    return f"{width}x{height}, {health.capture_fps:.0f} a second"


def engine(health: Health) -> str:
    """What runs the networks."""
    if not health.provider:
        return "no network is loaded yet"
    plural = "" if health.threads == 1 else "s"
    provider = health.provider.replace("ExecutionProvider", "")
    name = provider if provider == health.provider else f"ONNX Runtime {provider}"
    return f"{name}, {health.threads} thread{plural}"


def banner(health: Health, now: float, camera: str = "0") -> Banner | None:
    """What keeps the picture from being live, in words; None when nothing does.

    `now` is a monotonic time, `camera` what was chosen.
    """
    if health.dead:
        text = health.error or "a part of the program ended; choose the camera again"
        return Banner("The live picture has ended", capital(text), is_error=True)
    state = health.camera
    if state.phase == "running":
        if health.tracker_ms > 0 or health.error is not None:
            return None
        return Banner("Loading the networks", "The first time takes a moment.")
    is_file = kind_of_source(camera) == FILE
    title = OF_FILES.get(state.phase, TITLES[state.phase]) if is_file else TITLES[state.phase]
    waited = now - state.since
    if waited >= SLOW and state.phase != "ended":
        title += f" ({duration(waited)})"
    return Banner(title, capital(in_window(state.reason)), is_error=state.phase == "failed")


def in_window(sentence: str) -> str:
    """The same without the command that a terminal is told: here is a button."""
    return COMMANDS.sub("", sentence)


def offers(health: Health) -> tuple[str, ...]:
    """What can be done about the state of the camera, as names in OFFERS."""
    phase = health.camera.phase
    if health.dead or phase in ("unplugged", "busy", "failed", "no_frames"):
        return ("look", "camera", "file")
    return ("again", "file") if phase == "ended" else ()


def note(health: Health) -> str:
    """What went wrong while the picture goes on; empty when nothing did."""
    return "" if health.dead or health.error is None else capital(health.error)


def recording_badge(recording: Recording) -> str:
    """The text beside the red dot."""
    if recording.finishing:
        return "Finishing the recording..."
    what = "annotated" if recording.annotated else "raw"
    lost = f"  {recording.lost} frames lost" if recording.lost else ""
    return f"REC {duration(recording.seconds)}  {what}{lost}"


def duration(seconds: float) -> str:
    """Minutes and seconds, hours where there are any."""
    whole = int(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def models(config: TrackerConfig, used: Sequence[UsedModel] = ()) -> str:
    """The models of a tracker in a few words, to tell two of them apart.

    `used`, as soon as they are loaded, tell which run of a project it is.
    """
    loaded = {model.info.kind: model.file for model in used}
    words = []
    for kind in config.kinds:
        path = config.model(kind)
        bundled = "bundled" if config.weights == "best" else f"bundled, {config.weights}"
        words.append(bundled if path is None else loaded.get(kind, Path(path).name))
    return words[0] if len(set(words)) == 1 else " + ".join(words)
