"""Make `face68_3d.json` from MediaPipe's canonical face model. Run by hand, once.

    python assets/face3d_make.py face_landmarker.task

The bundle (Apache-2.0, The MediaPipe Authors) is a zip; its member
`geometry_pipeline_metadata_landmarks.binarypb` is a protobuf whose canonical mesh holds 468
vertices x, y, z, u, v: x to the picture's right for a face that looks at the camera, y up, z
towards the camera, centimetres. Here they become x right, y down, z away from the camera.

Which vertex stands for which of the 68 iBUG points was measured, not copied: FaceLandmarker ran
on 400 manually labelled 300W faces, and each label took the vertex whose median distance to it
was smallest (left and right kept mirror images; 1.4 to 7 % of the outer eye distance). The jaw
(0..16) is an outline that slides over the face as it turns, so it is given but never rigid.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

MEMBER = "geometry_pipeline_metadata_landmarks.binarypb"
MESH_FIELD, VERTEX_FIELD = 1, 3  # of GeometryPipelineMetadata, of Mesh3d
VERTEX_FLOATS = 5

JAW = (127, 234, 177, 215, 172, 136, 149, 148, 152, 377, 378, 365, 397, 435, 401, 454, 356)
BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
NOSE = (168, 197, 195, 4, 240, 97, 2, 326, 460)
EYES = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380)
OUTER_LIP = (61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181)
INNER_LIP = (78, 82, 13, 312, 308, 317, 14, 87)
VERTEX_OF_68 = JAW + BROWS + NOSE + EYES + OUTER_LIP + INNER_LIP


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A protobuf varint at `at`, and the position behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Field number and raw bytes of each field that is not a varint (those are skipped)."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        wire = key & 7
        if wire == 0:
            _, at = varint(data, at)
            continue
        if wire == 2:
            length, at = varint(data, at)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ValueError(f"protobuf wire type {wire} at byte {at}; is this {MEMBER}?")
        yield key >> 3, data[at : at + length]
        at += length


def vertices(metadata: bytes) -> list[tuple[float, float, float]]:
    """The mesh's vertices, x right, y up, z towards the camera, centimetres."""
    mesh = next(body for number, body in fields(metadata) if number == MESH_FIELD)
    packed = b"".join(body for number, body in fields(mesh) if number == VERTEX_FIELD)
    return [(x, y, z) for x, y, z, _, _ in struct.iter_unpack(f"<{VERTEX_FLOATS}f", packed)]


def main(bundle: Path, target: Path) -> None:
    """Read the bundle, write the JSON."""
    metadata = zipfile.ZipFile(bundle).read(MEMBER)
    mesh = vertices(metadata)
    points = [mesh[i] for i in VERTEX_OF_68]
    body = {
        "what": "68 iBUG points on MediaPipe's canonical face: x right, y down, z away, cm",
        "origin": f"{bundle.name} (MediaPipe), member {MEMBER}",
        "licence": "Apache-2.0, Copyright The MediaPipe Authors",
        "bundle_sha256": hashlib.sha256(bundle.read_bytes()).hexdigest(),
        "member_sha256": hashlib.sha256(metadata).hexdigest(),
        "made_by": "assets/face3d_make.py",
        "vertex": list(VERTEX_OF_68),
        "xyz": [[round(x, 5), round(-y, 5), round(-z, 5)] for x, y, z in points],
    }
    target.write_text(json.dumps(body) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).with_name("face68_3d.json"))
