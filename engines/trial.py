"""The first run of a network that somebody else made: in a process that may take little.

A graph can ask for any amount of memory and time, and none of it shows before it runs. So it runs
once in a child, with a limit on memory (on Linux) and on time.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from engines.installation import command, environment

MEMORY = 1 << 30  # bytes beyond what the libraries take themselves
CPU_S = 20  # seconds of the processor, start included
PATIENCE_S = 45.0  # seconds of the clock: a busy machine takes its time
REFUSED = 3  # exit status: the reason is the last line


def try_out(path: Path) -> None:
    """Load a network and run it on one crop, elsewhere. ValueError in one sentence if it fails."""
    try:
        done = subprocess.run(
            command("engines.trial", str(path.absolute())), env=environment(), check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=PATIENCE_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ValueError(_refusal(path, f"it did not end within {PATIENCE_S:g} s")) from None
    if done.returncode == 0:
        return
    words = done.stdout.decode("utf-8", "replace").strip().rpartition("\n")[2]
    if done.returncode == REFUSED and words:
        raise ValueError(words)
    fact = f"it needed more than {CPU_S} s or {MEMORY >> 20} MB, or crashed"
    raise ValueError(_refusal(path, f"{fact} (status {done.returncode})"))


def _refusal(path: Path, fact: str) -> str:
    return (
        f"{path} is not run: at its first run, in a process of its own, {fact}; export it again "
        "with 'train export', or ask whoever made it"
    )


def main() -> None:
    """The child."""
    import numpy as np

    from engines.onnx import OnnxEngine

    path = Path(sys.argv[1])
    limit()
    try:
        engine = OnnxEngine(path, 1, "cpu")
        shape = [n if isinstance(n, int) else 1 for n in engine.input_shape]
        engine.run(np.zeros(shape, np.float32))
    except (OSError, ValueError, RuntimeError, MemoryError) as error:
        print(error)
        raise SystemExit(REFUSED) from None


def limit() -> None:
    """What this process may take from here on, as far as the system knows limits."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 1))
    pages = Path("/proc/self/statm")
    if pages.is_file():
        used = int(pages.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))


if __name__ == "__main__":
    main()
