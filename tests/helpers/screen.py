"""A real X server without a screen, for what types and points: Xvfb, where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE_WH = (800, 600)


def missing(*programs: str) -> str | None:
    """Why a test that needs these cannot run, or None."""
    gone = [name for name in programs if shutil.which(name) is None]
    return f"{', '.join(gone)}: not installed" if gone else None


@contextmanager
def xvfb() -> Iterator[str]:
    """The DISPLAY of an X server of its own, ended with the test."""
    read, write = os.pipe()
    width, height = SIZE_WH
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{width}x{height}x24"]
    null = subprocess.DEVNULL
    with subprocess.Popen(command, pass_fds=[write], stdout=null, stderr=null) as server:
        os.close(write)
        try:
            with os.fdopen(read) as pipe:
                number = pipe.readline().strip()
            assert number, "Xvfb did not start"
            yield f":{number}"
        finally:
            server.terminate()


@contextmanager
def terminal(display: str, out: Path) -> Iterator[None]:
    """A real window, xterm, that writes every line which is typed into it to `out`."""
    env = {**os.environ, "DISPLAY": display}
    ready = out.with_suffix(".ready")
    shell = f"touch {ready}; cat > {out}"
    command = ["xterm", "-geometry", "80x24+0+0", "-e", "sh", "-c", shell]
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as window:
        try:
            until = time.monotonic() + 30
            while not ready.exists():
                assert time.monotonic() < until, "xterm did not start"
                time.sleep(0.05)
            yield
        finally:
            window.terminate()
