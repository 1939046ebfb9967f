"""Every module can be imported on Windows and macOS, as far as Linux can show it.

What those do not have is taken away, and they are what `sys.platform` says, once libraries of
others are loaded; then every module of ours is imported anew.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux plays the others")

ROOT = Path(__file__).parent.parent
ROOMS = ("assets", "engines", "tracker", "train", "ui")
# Of the standard library, by platform: modules, and names in modules.
MISSING = {
    "win32": (
        ("fcntl", "resource", "termios", "pwd", "grp", "pty", "tty", "posix", "syslog", "curses"),
        (
            "os.fork", "os.getuid", "os.geteuid", "os.getgid", "os.getloadavg", "os.killpg",
            "os.setsid", "os.getsid", "os.uname", "os.chown", "os.mkfifo", "os.nice",
            "os.O_NONBLOCK",
            "os.O_NOFOLLOW", "os.O_DIRECTORY", "os.O_CLOEXEC", "os.sched_setaffinity",
            "os.sched_getaffinity", "os.statvfs", "os.fchmod", "os.sysconf", "signal.SIGHUP",
            "signal.SIGKILL", "signal.SIGUSR1", "signal.SIGALRM", "signal.setitimer",
            "socket.AF_UNIX", "socket.SO_REUSEPORT", "select.poll", "select.epoll",
        ),
    ),
    "darwin": (
        ("evdev", "spwd"),
        ("os.sched_setaffinity", "os.sched_getaffinity", "select.epoll", "os.O_PATH"),
    ),
}  # fmt: skip
CODE = """
import importlib, os, sys
platforms, wanted, libraries = eval(sys.stdin.read())
for library in libraries:
    try:
        importlib.import_module(library)
    except ImportError:
        pass
fork = os.fork
for platform, (modules, names) in platforms.items():
    sys.stdout.flush()
    child = fork()
    if child:
        os.waitpid(child, 0)
        continue
    for name in modules:
        sys.modules[name] = None
    for name in names:
        module, _, attribute = name.partition(".")
        module = importlib.import_module(module)
        if hasattr(module, attribute):
            delattr(module, attribute)
    sys.platform = platform
    failed = []
    for name in wanted:
        try:
            importlib.import_module(name)
        except Exception as error:
            failed.append(f"{name}: {type(error).__name__}: {error}")
    print(platform, "; ".join(failed) or f"imported {len(wanted)}")
    sys.stdout.flush()
    os._exit(0)
"""
LIBRARIES = (
    "asyncio", "multiprocessing", "concurrent.futures", "tempfile", "shutil", "subprocess", "numpy",
    "cv2", "av", "onnxruntime", "ai_edge_litert.interpreter", "typer", "typer.testing", "rich",
    "rich.progress", "rich.table", "filelock", "PyQt6.QtCore", "PyQt6.QtGui", "PyQt6.QtWidgets",
    "PyQt6.QtSvg", "pyqtgraph", "torch", "torch.utils.data", "torch.distributed",
    "torch.nn.utils.fusion", "safetensors.torch", "onnx", "onnxscript", "matplotlib.pyplot",
    "matplotlib.figure", "jinja2", "h5py", "onnxruntime.quantization", "importlib.metadata",
    "http.server", "urllib.request", "webbrowser", "cProfile", "pstats", "xml.etree.ElementTree",
)  # fmt: skip


def names_of_ours() -> list[str]:
    paths = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    parts = [path.relative_to(ROOT).with_suffix("").parts for path in paths]
    return [".".join(p[:-1] if p[-1] == "__init__" else p) for p in parts if p[-1] != "__main__"]


def imported(names: list[str], libraries: tuple[str, ...], folder: Path) -> list[str]:
    """A line a platform."""
    done = subprocess.run(
        [sys.executable, "-c", CODE], input=repr((MISSING, names, libraries)), cwd=folder,
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_every_module_is_imported() -> None:
    names = names_of_ours()
    assert len(names) > 250
    assert imported(names, LIBRARIES, ROOT) == [
        f"win32 imported {len(names)}", f"darwin imported {len(names)}",
    ]  # fmt: skip


def test_pictures_are_read_and_written_by_python() -> None:
    """OpenCV's own files have names in the code page of Windows only; see `picture_file`."""
    used = [
        f"{path.relative_to(ROOT)}: {word}"
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        for word in ("cv2.imread(", "cv2.imwrite(")
        if word in path.read_text(encoding="utf-8")
    ]
    assert used == []


def test_a_module_that_needs_linux_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "needs.py").write_text("from signal import SIGHUP\n")
    (tmp_path / "other.py").write_text("import evdev\n")
    windows, mac = imported(["needs", "other"], (), tmp_path)
    assert windows.startswith("win32 needs: ImportError") and mac.startswith("darwin other: ")
    assert "needs" not in mac
