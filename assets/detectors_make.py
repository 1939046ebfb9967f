"""Take the two detectors out of MediaPipe's official bundles. Run by hand, once.

    python assets/detectors_make.py hand_landmarker.task face_landmarker.task

Refuses a bundle whose sum is not the published one. Writes `detectors/*.tflite` and
`detectors/SHA256SUMS`, in the format of the program sha256sum.
"""

from __future__ import annotations

import hashlib
import sys
import zipfile
from pathlib import Path

TAKE = (  # bundle, its published sha256, member, our name
    (
        "hand_landmarker.task",
        "fbc2a30080c3c557093b5ddfc334698132eb341044ccee322ccf8bcf3607cde1",
        "hand_detector.tflite",
        "palm_detection.tflite",
    ),
    (
        "face_landmarker.task",
        "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
        "face_detector.tflite",
        "face_detection.tflite",
    ),
)


def main(bundles: list[Path], folder: Path) -> None:
    """Check the bundles, extract, write the sums."""
    lines = []
    for bundle, (name, published, member, ours) in zip(bundles, TAKE, strict=True):
        found = hashlib.sha256(bundle.read_bytes()).hexdigest()
        if found != published:
            raise ValueError(f"{bundle} is not the published {name}: its sha256 is {found}")
        body = zipfile.ZipFile(bundle).read(member)
        (folder / ours).write_bytes(body)
        lines.append(f"{hashlib.sha256(body).hexdigest()}  {ours}\n")
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="ascii")


if __name__ == "__main__":
    main([Path(a) for a in sys.argv[1:]], Path(__file__).with_name("detectors"))
