"""What `tracker doctor` finds out: is everything here that the program needs, and does it work?

Only what keeps `tracker video` from running is an error. Each check is a function from plain facts
to findings; `examine` gathers the facts. At its head this module imports nothing that may be
broken: it has to run where OpenCV, PyAV or an engine does not.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import distributions
from pathlib import Path

from tracker.checkup.finding import Finding

SCHEMA_VERSION = 1
OLDEST_PYTHON = (3, 11)
# Packages and the modules in them. The first are needed by every command, the others by some.
NEEDED = {
    "numpy": "numpy",
    "opencv-contrib-python": "cv2",
    "onnxruntime": "engines.onnx",  # whose room switches its telemetry off first
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "av": "av",
    "rich": "rich",
    "typer": "typer",
}
WINDOW = {"PyQt6": "PyQt6.QtWidgets", "pyqtgraph": "pyqtgraph"}
EXTRAS = ("torch", "mediapipe", "tensorrt-rtx")
PLUGINS = "QT_QPA_PLATFORM_PLUGIN_PATH"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings, and the facts behind them for machines."""

    findings: tuple[Finding, ...]
    facts: Mapping[str, object]

    @property
    def exit_code(self) -> int:
        """1 where `tracker video` cannot run."""
        return int(any(finding.level == "error" for finding in self.findings))

    def to_json(self) -> dict[str, object]:
        """Plain values only."""
        return {
            "schema_version": SCHEMA_VERSION,
            "video_can_run": not self.exit_code,
            "findings": [asdict(finding) for finding in self.findings],
            **self.facts,
        }


def examine(report: Callable[[str], None] = lambda _: None) -> Diagnosis:
    """Look at everything; takes a few seconds, opens no camera and no connection.

    `report` gets each stage as it begins.
    """
    report("importing what is needed")
    installed = installed_packages()
    before = os.environ.get(PLUGINS)
    broken = import_troubles(NEEDED.values())
    findings = [
        python_finding(sys.version_info[:2]),
        packages_finding(installed, broken),
        opencv_finding(installed),
        qt_path_finding(before, os.environ.get(PLUGINS)),
        window_finding(import_troubles(WINDOW.values())),
        display_finding(sys.platform, os.environ),
        tensorrt_finding(installed, has_cuda_device()),
    ]
    facts: dict[str, object] = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: installed.get(name.lower()) for name in (*NEEDED, *WINDOW, *EXTRAS)},
    }
    if not broken:
        from tracker.checkup.doctor_actions import actions_finding
        from tracker.checkup.doctor_run import run_checks

        more, further = run_checks(has_cuda_device(), report)
        report("looking at what actions need")
        findings += [*more, actions_finding()]
        facts |= further
    return Diagnosis(tuple(findings), facts)


def installed_packages() -> dict[str, str]:
    """Versions by name, in lower case and with hyphens."""
    found = {}
    for package in distributions():
        name = package.metadata["Name"]
        if name:
            found[re.sub(r"[-_.]+", "-", name).lower()] = package.version
    return found


def import_troubles(modules: Iterable[str]) -> dict[str, str]:
    """Modules that cannot be imported, each with its reason."""
    troubles = {}
    for module in modules:
        try:
            import_module(module)
        except (ImportError, OSError) as error:  # OSError: a library of the system is missing
            troubles[module] = str(error).partition("\n")[0]
    return troubles


def has_cuda_device() -> bool:
    """Does the driver show an NVIDIA GPU? Nothing of CUDA is started for this."""
    if sys.platform == "win32":
        return (Path(os.environ.get("SYSTEMROOT", "")) / "System32" / "nvcuda.dll").is_file()
    shown = (Path("/dev/nvidia0"), Path("/usr/lib/wsl/lib/libcuda.so.1"))
    return any(path.exists() for path in shown)


def python_finding(found: tuple[int, int]) -> Finding:
    """Is Python new enough?"""
    fact = f"Python {platform.python_version()} on {platform.platform()}"
    if found >= OLDEST_PYTHON:
        return Finding("python", "ok", fact)
    return Finding("python", "error", fact, "install Python 3.11 or later")


def packages_finding(installed: Mapping[str, str], broken: Mapping[str, str]) -> Finding:
    """Can everything be imported that each command needs?"""
    if broken:
        why = "; ".join(f"{module} cannot be imported ({text})" for module, text in broken.items())
        names = [package for package, module in NEEDED.items() if module in broken]
        advice = f"run 'pip install --force-reinstall {' '.join(names)}'"
        return Finding("packages", "error", why, advice)
    versions = (f"{name} {installed.get(name.lower(), 'unknown')}" for name in NEEDED)
    return Finding("packages", "ok", ", ".join(versions))


def opencv_finding(installed: Mapping[str, str]) -> Finding:
    """Two OpenCV packages write the same files; whichever came last wins, in part."""
    wheels = sorted(name for name in installed if name.startswith("opencv-"))
    if len(wheels) <= 1:
        fact = f"one OpenCV package: {wheels[0]}" if wheels else "OpenCV did not come from pip"
        return Finding("opencv", "ok", fact)
    return Finding(
        "opencv",
        "warning",
        f"{len(wheels)} OpenCV packages overwrite each other's files: {', '.join(wheels)}",
        f"run 'pip uninstall -y {' '.join(wheels)}', then 'pip install opencv-contrib-python'",
    )


def qt_path_finding(before: str | None, after: str | None) -> Finding:
    """Where Qt would look for its plug-ins, before and after OpenCV was imported."""
    if before:
        fact = f"{PLUGINS} is set to {before}; 'tracker live' ignores it, other Qt programs do not"
        return Finding("qt plug-ins", "warning", fact, f"remove {PLUGINS} from the environment")
    if after:
        return Finding(
            "qt plug-ins",
            "ok",
            f"OpenCV points Qt to its own plug-ins ({after}); 'tracker live' takes that back",
            f"in a Qt program of your own, delete {PLUGINS} after 'import cv2'",
        )
    return Finding("qt plug-ins", "ok", "OpenCV leaves Qt's plug-ins alone")


def window_finding(broken: Mapping[str, str]) -> Finding:
    """Can the libraries of the window be loaded?"""
    if not broken:
        return Finding("window", "ok", "Qt can be loaded")
    why = "; ".join(f"{module}: {text}" for module, text in broken.items())
    missing = re.search(r"(lib[\w+.-]+\.so[\w.]*)", why)
    advice = (
        f"install the system's package with {missing[1]} (Debian: libegl1, libgl1, libxkbcommon0)"
        if missing
        else "run 'pip install --force-reinstall PyQt6 pyqtgraph'"
    )
    return Finding("window", "warning", f"'tracker live' cannot start: {why}", advice)


def display_finding(system: str, environ: Mapping[str, str]) -> Finding:
    """Is there a screen to open a window on?"""
    chosen = environ.get("QT_QPA_PLATFORM", "")
    if chosen.partition(":")[0] in ("offscreen", "minimal"):
        fact = f"QT_QPA_PLATFORM is {chosen}: windows are drawn where nobody sees them"
        return Finding(
            "display", "warning", fact, "remove QT_QPA_PLATFORM from the environment to see it"
        )
    if system in ("win32", "darwin"):
        return Finding("display", "ok", "the system's own desktop")
    for name in ("WAYLAND_DISPLAY", "DISPLAY"):
        if environ.get(name):
            return Finding("display", "ok", f"{name} is {environ[name]}")
    return Finding(
        "display",
        "warning",
        "no display: neither WAYLAND_DISPLAY nor DISPLAY is set, so 'tracker live' cannot open",
        "log in to a desktop (with ssh: 'ssh -X'); 'tracker video' needs none",
    )


def tensorrt_finding(installed: Mapping[str, str], cuda: bool) -> Finding:
    """TensorRT-RTX by its package only: to start it without a GPU can end the process."""
    found = installed.get("tensorrt-rtx")
    if found is None:
        return Finding("tensorrt", "ok", "TensorRT-RTX is not installed; it is optional")
    if not cuda:
        fact = f"TensorRT-RTX {found} is installed, but there is no NVIDIA GPU; it was not started"
        return Finding("tensorrt", "ok", fact)
    return Finding("tensorrt", "ok", f"TensorRT-RTX {found} is installed, with an NVIDIA GPU")
