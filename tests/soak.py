"""Hours of live tracking in minutes: does memory stay flat? Not collected by pytest.

    python tests/soak.py CLIP.mp4                    20 minutes of stream at 4 times its speed
    python tests/soak.py CLIP.mp4 --minutes 8        less of it
    python tests/soak.py CLIP.mp4 --busy             records, flags, reconfigures all the while

Prints memory, threads and open files over time; exit code 1 when memory grew in the second half.
The first quarter does not count: the heaps that glibc keeps for threads grow until they have held
the most that all threads ever want at once (seen: for five minutes of twenty). Linux only.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT)]

from tracker.config import TrackerConfig  # noqa: E402
from tracker.live.pipeline import Pipeline  # noqa: E402
from tracker.sources.paced_file import FileSource  # noqa: E402

GROWTH = 8.0  # MB between the second and the last quarter that count as noise
SHARE = 0.05  # and not more than that of it
TURNS = 4  # of all that `keep_busy` does


def main() -> int:
    """Run it."""
    options = arguments()
    source = FileSource(options.clip, loop=True, speed=options.speed)
    pipeline = Pipeline(source, TrackerConfig(live=True))
    pipeline.start()
    seconds, step = 60 * options.minutes / options.speed, options.every
    rss: list[float] = []
    begun = time.monotonic()
    print(f"{'min':>5} {'RSS MB':>7} {'threads':>7} {'files':>5} {'dropped':>7}   tracker")
    with tempfile.TemporaryDirectory() as folder:
        while (passed := time.monotonic() - begun) < seconds:
            if options.busy:
                keep_busy(pipeline, Path(folder), len(rss))
            time.sleep(max(begun + (len(rss) + 1) * step - time.monotonic(), 0))
            rss.append(memory())
            health, shown = pipeline.health(), pipeline.latest()
            stream = 0.0 if shown is None else shown.frame.t / 60
            print(
                f"{stream:5.1f} {rss[-1]:7.1f} {threading.active_count():7} {files():5} "
                f"{health.dropped:7}   {health.tracker_ms:.1f} ms at {health.capture_fps:.0f} fps"
                f"{'' if health.error is None else '   ' + health.error}",
                flush=True,
            )
            if health.dead:
                return 1
        ended = pipeline.close(10)
    print(f"median of all lines: {told(*quarters(rss))}")
    early, late = quarters(lows(rss, TURNS if options.busy else 1))
    print(f"memory went {told(early, late)}, in {passed:.0f} s; all ended: {ended}")
    return int(late - early > min(GROWTH, SHARE * early) or not ended)


def lows(rss: Sequence[float], turns: int) -> list[float]:
    """The lowest of each round of turns. What waits for the encoder depends on what else the
    machine does just then, and it is gone between two recordings; a leak never is.
    """
    return [min(rss[i : i + turns]) for i in range(0, len(rss) - turns + 1, turns)]


def quarters(values: Sequence[float]) -> tuple[float, float]:
    """Medians of the second and the last quarter."""
    quarter = max(len(values) // 4, 1)
    early, late = values[quarter : 2 * quarter] or values, values[-quarter:]
    return statistics.median(early), statistics.median(late)


def told(early: float, late: float) -> str:
    """Such as 'from 100.0 to 101.0 MB (+1.0 %)'."""
    return f"from {early:.1f} to {late:.1f} MB ({late / early - 1:+.1%})".replace("%", " %")


def keep_busy(pipeline: Pipeline, folder: Path, turn: int) -> None:
    """Everything a user does, again and again."""
    config = TrackerConfig(smooth="strong" if turn % 2 else "light", live=True)
    pipeline.configure(config)
    pipeline.compare(config if turn % 4 == 1 else None)
    if pipeline.latest() is None:
        return
    for path in [pipeline.stop_recording(), pipeline.snapshot(folder), pipeline.flag(folder)]:
        for old in [] if path is None else sorted(path.parent.rglob("*")):
            if old.is_file():
                old.unlink()
    pipeline.start_recording(folder / f"{turn}.mp4", annotated=turn % 2 == 0)


def memory() -> float:
    """Resident MB of this process."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def files() -> int:
    """Open files of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


def arguments() -> argparse.Namespace:
    """What to do."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--minutes", type=float, default=20, help="of stream")
    parser.add_argument("--speed", type=float, default=4)
    parser.add_argument("--every", type=float, default=10, help="seconds between two lines")
    parser.add_argument("--busy", action="store_true", help="record, flag and reconfigure too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
