"""What the allocator does with large blocks, seen from outside: in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# A block of 20 MB that is freed raises glibc's limit; one of 8 MB then lies in the heap.
CODE = """
import ctypes, sys
from tests.helpers.live import FakeCamera, FakeLiveTracker
from tracker.live.pipeline import Pipeline
from tracker.config import TrackerConfig

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
        "fordblks", "keepcost")]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
if sys.argv[1] == "live":
    pipeline = Pipeline(FakeCamera(), TrackerConfig(), lambda config: FakeLiveTracker())
    pipeline.start()
    pipeline.close(10)
libc.free(libc.malloc(20 << 20))
before = libc.mallinfo2().hblkhd
block = libc.malloc(8 << 20)
print(libc.mallinfo2().hblkhd - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc")
def test_live_use_has_large_blocks_mapped_by_themselves() -> None:
    mapped = {}
    for use in ("none", "live"):
        done = subprocess.run(
            [sys.executable, "-c", CODE, use], cwd=ROOT, capture_output=True, text=True, timeout=120
        )
        if "mallinfo2" in done.stderr:
            pytest.skip("no glibc of 2020 or later")
        mapped[use] = int(done.stdout)
    assert mapped["none"] == 0, "by itself glibc puts it into the heap"
    assert 8 << 20 <= mapped["live"] < 9 << 20
