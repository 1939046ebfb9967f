"""From G to a gesture that works, timed from outside: the program, a stream as its camera, keys.

    xvfb-run -a python -m docs.studies.gestures.lesson DATA/hands_real OUT

`tracker live` runs as anybody starts it; its camera is a stream of photographs of hands, turned and
moved a little, that changes when the lesson says so; keys are pressed by xdotool; what is shown is
known from `--to udp://`. The gesture is the crossed fingers of one source (JuanParrado19, two
people, held out from training): half of its pictures are shown in the lesson, the other half
afterwards. Printed is a line of JSON; OUT/*.png are pictures of the screen (by ImageMagick).
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Annotated, ClassVar

import cv2
import numpy as np
import typer

from tracker.types import Image

SIZE_WH = (640, 480)
SOURCE, CROSSED = "JuanParrado19/SignalLanguageDetector", "18"  # its folder of crossed fingers
HEAD = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
NAME = "crossed"
FPS = 10
EACH = 0.9  # s for which a photograph is shown
PROGRAM = "import sys; sys.argv[0] = 'tracker'; from ui.commands.tracker import main; main()"
TITLE = "Gestures of your own"
# s after Return: a picture of the screen, or the next scene: anything else, and the gesture again.
LESSON: dict[float, str | int] = {
    2.0: "ready",
    8.0: "show",
    13.3: 1,
    20.0: "anything_else",
    26.0: 2,
}
OVER = 90.0  # s after Return: it is not learnt any more


def photographs(data: Path) -> dict[str, list[Image]]:
    """By the source's own classes, in its order."""
    found: dict[str, list[Image]] = {}
    coco = json.loads((data / "labels.json").read_text(encoding="utf-8"))
    for image in coco["images"]:
        if image["source"] == SOURCE and image["hand"] and image["presence"] > 0.9:
            bgr = np.asarray(cv2.imread(str(data / image["file_name"])), np.uint8)
            found.setdefault(image["path"].split("/")[-2], []).append(bgr)
    return found


def filmed(pictures: Sequence[Image]) -> list[bytes]:
    """Each for a while, turned by up to 10 degrees, nearer and further; edges go on. As JPEG."""
    frames = list[bytes]()
    for picture in pictures:
        middle = picture.shape[1] / 2, picture.shape[0] / 2
        for _ in range(round(EACH * FPS)):
            t = 2 * np.pi * len(frames) / FPS
            size = 2.2 * (1 + 0.08 * np.sin(t / 4.3))
            turn = cv2.getRotationMatrix2D(middle, 10 * np.sin(t / 3.1), size)
            turn[:, 2] += (
                SIZE_WH[0] / 2 - middle[0] + 25 * np.sin(t / 2.7),
                SIZE_WH[1] / 2 - middle[1],
            )
            moved = cv2.warpAffine(picture, turn, SIZE_WH, borderMode=cv2.BORDER_REPLICATE)
            frames.append(cv2.imencode(".jpg", moved)[1].tobytes())
    return frames


class Camera(BaseHTTPRequestHandler):
    """Answers with a stream of JPEG pictures; the scene may change meanwhile."""

    scene: ClassVar[list[bytes]] = []

    def do_GET(self) -> None:
        """Until nobody looks any more."""
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        with suppress(OSError):
            for i in count():
                jpeg = Camera.scene[i % len(Camera.scene)]
                self.wfile.write(HEAD % len(jpeg) + jpeg + b"\r\n")
                time.sleep(1 / FPS)


def run(*words: str) -> str:
    """A command, and what it says."""
    return subprocess.run(words, capture_output=True, text=True).stdout


def first_shown(ear: socket.socket, until: float) -> float | None:
    """When a hand was first said to show it; None: not until then. What came before is dropped."""
    while time.monotonic() < until:
        line = json.loads(ear.recv(1 << 16))
        if any(track.get("gesture") == NAME for track in line.get("tracks", ())):
            return time.monotonic()
    return None


def main(
    data: Annotated[Path, typer.Argument(help="Folder with labels.json of hands_real.")],
    out: Annotated[Path, typer.Argument(help="Folder for pictures, and for the program's files.")],
) -> None:
    """Start the program, teach it, print how long it took."""
    out.mkdir(parents=True)
    every = photographs(data)
    crossed, others = every.pop(CROSSED), [of_one[0] for of_one in every.values()]
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    scenes = [filmed(part) for part in (crossed[::2], others, crossed[1::2])]
    ear.bind(("127.0.0.1", 0))
    ear.settimeout(120)
    camera = ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    Thread(target=camera.serve_forever, daemon=True).start()
    words = f"live --no-faces --camera http://127.0.0.1:{camera.server_address[1]}/".split()
    words += ["--to", f"udp://127.0.0.1:{ear.getsockname()[1]}"]
    own = {**os.environ, "XDG_CONFIG_HOME": str(out / "config")}
    program = subprocess.Popen([sys.executable, "-c", PROGRAM, *words], env=own)
    try:
        print(json.dumps({"camera_fps": FPS, **lesson(scenes, ear, out)}))
    finally:
        program.terminate()
        program.wait(30)


def lesson(scenes: Sequence[list[bytes]], ear: socket.socket, out: Path) -> dict[str, float | None]:
    """Seconds from G to the end of the lesson, and to a hand that is said to show the gesture."""
    Camera.scene = scenes[0]
    ear.recv(1 << 16)
    run("xdotool", "search", "--sync", "--onlyvisible", "--name", "Landmark Tracker", "windowfocus")
    g = time.monotonic()
    run("xdotool", "key", "g")
    while not run(
        "xdotool", "search", "--onlyvisible", "--name", TITLE, "windowfocus", "getwindowname"
    ):
        time.sleep(0.05)
    run("xdotool", "type", "--delay", "120", NAME)
    run("xdotool", "key", "Return")
    begun = time.monotonic()
    for at, what in LESSON.items():
        time.sleep(max(0.0, begun + at - time.monotonic()))
        if isinstance(what, int):
            Camera.scene = scenes[what]
        else:
            run("import", "-window", "root", str(out / f"{what}.png"))
    over = time.monotonic() - g
    seen = first_shown(ear, begun + OVER)
    run("import", "-window", "root", str(out / "shown.png"))
    shown = None if seen is None else round(seen - g, 1)
    return {"lesson_over_s": round(over, 1), "shown_s": shown}


if __name__ == "__main__":
    typer.run(main)
