"""Label files of other tools, bent: labels or a sentence, and never a crash of a library."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engines.installation import environment
from tests.fuzz.strategies import DEEP, bent_bytes, bent_json, quietly
from tests.train.exchange.test_formats import CVAT_IMAGES, CVAT_VIDEO
from tests.train.exchange.test_hostile import slp
from train.exchange.formats import read
from train.exchange.pictures import find

COCO: dict[str, Any] = {
    "images": [{"id": 1, "file_name": "i/a.jpg", "width": 64, "height": 48, "clip": "a.mp4",
                "frame": 3, "negative": False}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "keypoints": [1, 2, 2, 3, 4, 0],
                     "bbox": [1, 2, 3, 4], "iscrowd": 0}],
    "categories": [{"id": 1, "keypoints": ["a", "b"]}],
}  # fmt: skip
LABELME: dict[str, Any] = {
    "version": "5.5.0", "flags": {"negative": False}, "imagePath": "../i/a.jpg", "imageData": None,
    "imageHeight": 48, "imageWidth": 64,
    "shapes": [
        {"label": "a", "points": [[1, 2]], "group_id": 1, "shape_type": "point", "flags": {}},
        {"label": "x", "points": [[1, 2], [3, 4]], "group_id": 1, "shape_type": "rectangle"},
    ],
}  # fmt: skip
STUDIO: list[Any] = [{
    "id": 1, "data": {"image": "/data/local-files/?d=i/a.jpg", "clip": "a.mp4", "frame": 3},
    "annotations": [{"was_cancelled": False, "result": [
        {"original_width": 64, "original_height": 48, "image_rotation": 0, "id": "r",
         "value": {"x": 1, "y": 2, "width": 3, "height": 4, "rotation": 0,
                   "rectanglelabels": ["h"]}},
        {"original_width": 64, "original_height": 48, "parentID": "r", "meta": {"text": []},
         "value": {"x": 1, "y": 2, "keypointlabels": ["a"]}},
    ]}],
}]  # fmt: skip
DLC = b"scorer,,,me,me\nbodyparts,,,a,a\ncoords,,,x,y\nlabeled-data,b,img03.png,1.5,2\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("labels")


def take(path: Path, data: bytes) -> None:
    """Read a file, and look for its pictures."""
    path.write_bytes(data)
    found = quietly(lambda: read(path), ValueError)
    for picture in () if found is None else found.pictures:  # type: ignore[attr-defined]
        find(picture, None)
        for thing in picture.things:
            assert thing.xy.shape == (len(thing.names), 2)
            assert np.isfinite(thing.xy[thing.v > 0]).all()


@given(st.one_of(bent_json(COCO), bent_json(LABELME), bent_json(STUDIO)))
@example(DEEP)
@example(json.dumps(COCO).replace('"frame": 3', '"frame": 1e400'))
@example(json.dumps(COCO).replace("i/a.jpg", "/etc/passwd"))
@example(json.dumps(STUDIO).replace("/data/local-files/?d=", "http://[::1"))
def test_json(folder: Path, text: str) -> None:
    take(folder / "x.json", text.encode("utf-8", "surrogatepass"))


@given(st.one_of(bent_bytes(CVAT_IMAGES.encode()), bent_bytes(CVAT_VIDEO.encode())))
@example(CVAT_IMAGES.replace('width="640"', 'width="1e9"').encode())
@example(b"<annotations>" + b"<image>" * 5000 + b"</image>" * 5000 + b"</annotations>")
def test_cvat(folder: Path, data: bytes) -> None:
    take(folder / "x.xml", data)


@given(bent_bytes(DLC))
@example(DLC.replace(b"me,me", b"me," + b"x" * 200_000))
@example(DLC + b"\0" * 50)
@example(DLC.replace(b"bodyparts", b"scorer,x,y,me,me\nbodyparts", 1))  # which never ended
def test_deeplabcut(folder: Path, data: bytes) -> None:
    take(folder / "x.csv", data)


READ_ALL = """
import sys
from pathlib import Path
from train.exchange.formats import read
for path in sorted(Path(sys.argv[1]).iterdir()):
    print(path.name, flush=True)
    try:
        read(path)
    except ValueError as error:
        assert str(error)
print("all", flush=True)
"""


@settings(max_examples=3)
@given(st.data())
def test_hdf5(folder: Path, data: st.DataObject) -> None:
    """In a child: a library in C may end it, and that must not happen either."""
    place = folder / "hdf5"
    place.mkdir(exist_ok=True)
    (sound := slp(folder / "sound.slp"))
    with h5py.File(folder / "sound.h5", "w") as file:
        file["df/block0_values"] = np.ones((1, 2))
    kinds = {".slp": sound.read_bytes(), ".h5": (folder / "sound.h5").read_bytes()}
    for number in range(20):
        suffix = data.draw(st.sampled_from(sorted(kinds)))
        (place / f"{number}{suffix}").write_bytes(data.draw(bent_bytes(kinds[suffix])))
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(place)], env=environment(), capture_output=True,
        text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.endswith("all\n"), done.stdout[-20:] + done.stderr
    for path in place.iterdir():
        path.unlink()
