"""Where results go: from what a user writes to an output, by scheme or suffix.

To add one, write its file and give it a row here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from urllib.parse import urlsplit

from tracker.errors import UserError
from tracker.outputs.csv_tables import CsvTables
from tracker.outputs.jsonl import JsonLinesFile
from tracker.outputs.output import About, Output
from tracker.outputs.streams.lsl import LslOutlet
from tracker.outputs.streams.openseeface import OpenSeeFace
from tracker.outputs.streams.opentrack import OpenTrack
from tracker.outputs.streams.osc import Osc
from tracker.outputs.streams.stdout import StandardOutput
from tracker.outputs.streams.udp import UdpLines
from tracker.outputs.streams.virtual_camera import VirtualCamera
from tracker.outputs.streams.vmc import Vmc
from tracker.outputs.streams.vtubestudio import VTubeStudio
from tracker.outputs.streams.websocket import WebSocketServer
from tracker.outputs.video import AnnotatedVideo
from tracker.outputs.video_writer import CONTAINERS

OpenOutput = Callable[[str, About], Output]

# A suffix begins with a dot; all else is a scheme, as in `udp://HOST:PORT` or `lsl:NAME`.
OUTPUTS: dict[str, OpenOutput] = {
    ".jsonl": JsonLinesFile,
    ".csv": CsvTables,
    **dict.fromkeys(CONTAINERS, AnnotatedVideo),
    "-": StandardOutput,
    "udp": UdpLines,
    "ws": WebSocketServer,
    "osc": Osc,
    "vmc": Vmc,
    "opentrack": OpenTrack,
    "openseeface": OpenSeeFace,
    "lsl": LslOutlet,
    "vtubestudio": VTubeStudio,
    "camera": VirtualCamera,
}


def find_output(target: str) -> OpenOutput:
    """What opens a target. UserError where nothing does."""
    try:
        scheme = urlsplit(target).scheme.lower()
    except ValueError as error:
        raise UserError(f"{target} is no address ({error}); check its brackets") from error
    suffix = PurePath(target).suffix.lower()
    for key in (target, scheme, suffix):
        if key and key in OUTPUTS:
            return OUTPUTS[key]
    known = ", ".join(OUTPUTS)
    raise UserError(f"nothing can be sent to {target}: it must begin or end with one of {known}")
