"""Label files that want more than to be read: each gets a sentence, soon and in little memory."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pytest

from tests.helpers.clips import picture
from tests.train.exchange.test_formats import CVAT_IMAGES
from train.exchange.foreign import Picture, repeated
from train.exchange.formats import read
from train.exchange.pictures import find
from train.exchange.sleap import FRAME, INSTANCE, POINT

DEEP = "[" * 100_000 + "]" * 100_000


def slp(path: Path, change: Callable[[h5py.File], None] = lambda _: None) -> Path:
    """A sound file: one labelled frame of one video with two points."""
    head = {
        "nodes": [{"name": "a"}, {"name": "b"}],
        "skeletons": [{"nodes": [{"id": 0}, {"id": 1}]}],
    }
    with h5py.File(path, "w") as file:
        file.create_group("metadata").attrs["json"] = np.bytes_(json.dumps(head).encode())
        file["metadata"].attrs["format_id"] = 1.2
        text = json.dumps({"backend": {"filename": "v.mp4", "shape": [9, 48, 64, 3]}}).encode()
        file.create_dataset("videos_json", data=[text], dtype=h5py.special_dtype(vlen=bytes))
        file["frames"] = np.array([(0, 0, 3, 0, 1)], FRAME)
        file["instances"] = np.array([(0, 0, 0, 0, -1, -1, 0, 0, 2, 0)], INSTANCE)
        file["points"] = np.array([(1, 2, True, True), (3, 4, True, True)], POINT)
        change(file)
    return path


def video(file: h5py.File, found: dict[str, Any]) -> None:
    del file["videos_json"]
    file.create_dataset("videos_json", data=[json.dumps(found).encode()],
                        dtype=h5py.special_dtype(vlen=bytes))  # fmt: skip


def replaced(name: str, make: Callable[[h5py.File], object]) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        made = make(file)
        if made is not None:
            file[name] = made

    return change


def huge(file: h5py.File) -> None:
    file.create_dataset("points", (1 << 28,), POINT, chunks=(1 << 16,))


def outside(file: h5py.File) -> None:
    file.create_dataset("points", (2,), POINT, external=[("secret", 0, 64)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((2,), POINT)
    layout[:] = h5py.VirtualSource("other.h5", "points", (2,))
    file.create_virtual_dataset("points", layout)


def circle(file: h5py.File) -> None:
    file["more"] = file["/"]


def itself(file: h5py.File) -> None:
    file.create_dataset("video0/video", data=np.zeros((1, 4), np.int8))
    found: dict[str, Any] = {"backend": {"filename": ".", "dataset": "video0/video"}}
    video(file, found | {"source_video": {**found, "source_video": found}})


def greedy(file: h5py.File) -> None:
    del file["frames"]
    file["frames"] = np.array([(i, 0, i, 0, 1) for i in range(1000)], FRAME)


HDF5: dict[str, tuple[Callable[[h5py.File], None], str]] = {
    "2^28 points": (replaced("points", huge), "says that it has 6979321856 bytes|says that it has"),
    "external storage": (replaced("points", outside), "lies in another file"),
    "virtual": (replaced("points", virtual), "lies in another file"),
    "external link": (replaced("points", lambda _: h5py.ExternalLink("x.h5", "/p")), "a link to"),
    "soft link": (replaced("points", lambda _: h5py.SoftLink("/points")), "a link to another"),
    "circle": (circle, "leads in a circle"),
    "itself": (itself, "has itself for its source"),
    "greedy frames": (greedy, "claim more instances than the 1"),
    "no points": (replaced("points", lambda _: None), "not a SLEAP file"),
    "no metadata": (replaced("metadata", lambda _: None), "not a SLEAP file"),
    "points of text": (replaced("points", lambda _: np.bytes_(b"x")), "SLEAP|sleap"),
    "other columns": (replaced("points", lambda _: np.zeros(2)), "SLEAP|sleap"),
    "no video": (lambda f: video(f, {}), ""),
    "video of nothing": (lambda f: video(f, {"backend": {"filename": "."}}), "SLEAP|sleap"),
    "deep": (
        lambda f: f["metadata"].attrs.__setitem__("json", np.bytes_(b"[" * 60_000)), "nested",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HDF5)
def test_hdf5(tmp_path: Path, name: str) -> None:
    change, words = HDF5[name]
    assert len(read(slp(tmp_path / "good.slp")).pictures) == 1
    path = slp(tmp_path / "bad.slp", change)
    assert path.stat().st_size < 1 << 20
    began = time.monotonic()
    if name == "no video":
        assert read(path).pictures[0].video == ""
    else:
        with pytest.raises(ValueError, match=words):
            read(path)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "missing", ["df/axis1_level0", "df/axis1_label1", "df/block0_items_level0", "df/block0_values"]
)
def test_missing_parts_of_deeplabcut(tmp_path: Path, missing: str) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for name, values in {
            "block0_items_level0": [b"me"], "block0_items_label0": [0, 0],
            "block0_items_level1": [b"tip"], "block0_items_label1": [0, 0],
            "block0_items_level2": [b"x", b"y"], "block0_items_label2": [0, 1],
            "axis1_level0": [b"a.png"], "axis1_label0": [0],
            "axis1_level1": [b"b"], "axis1_label1": [0], "block0_values": [[1.0, 2.0]],
        }.items():  # fmt: skip
            file[f"df/{name}"] = np.array(values)
        for name, text in (("0", "scorer"), ("1", "bodyparts"), ("2", "coords")):
            file[f"df/block0_items_level{name}"].attrs["name"] = text
        del file[missing]
    with pytest.raises(ValueError, match=r"x\.h5"):
        read(tmp_path / "x.h5")


BODIES: dict[str, object] = {
    "nested": DEEP, "numbers": "NaN", "infinite": '{"images": [{"id": 1, "width": 1e999}]}',
    "coco of lists": {"images": [7], "annotations": [7], "categories": [7]},
    "coco of nulls": {"images": None, "annotations": None, "categories": None},
    "coco twice": {
        "images": [{"id": 1, "file_name": "a"}] * 2, "annotations": [], "categories": [],
    },
    "coco 1e400": {"images": [{"id": 1, "file_name": "a", "frame": 1e308, "clip": "c",
                               "width": 1e308, "height": 1}], "annotations": [], "categories": []},
    "coco v": {"images": [], "categories": [{"id": 1, "keypoints": ["a"]}],
               "annotations": [{"image_id": 1, "category_id": 1, "keypoints": [1, 2, 300]}]},
    "labelme": {"shapes": 7, "imagePath": "a"}, "labelme none": {"shapes": [None], "imagePath": 7},
    "labelme box": {"shapes": [{"shape_type": "rectangle", "points": []}], "imagePath": "a"},
    "labelme size": {"shapes": [], "imagePath": "a", "imageHeight": "x", "imageWidth": [1]},
    "studio": [{"data": 7}], "studio null": [{"data": {"image": None}, "annotations": None}],
    "studio size": [{"data": {"image": "a.png"}, "annotations": [
        {"result": [{"value": {}, "original_width": "x"}]}]}],
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_json(tmp_path: Path, name: str) -> None:
    body = BODIES[name]
    path = tmp_path / "x.json"
    path.write_text(body if isinstance(body, str) else json.dumps(body))
    with pytest.raises(ValueError, match=r"x\.json"):
        read(path)


def test_an_address_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps([{"data": {"image": "http://[::1"}, "annotations": []}]))
    (found,) = read(path).pictures
    assert find(found, None) is None


def test_cells_that_csv_does_not_take(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("scorer,a\nbodyparts,b\ncoords," + "x" * (csv.field_size_limit() + 1) + "\n")
    with pytest.raises(ValueError, match=r"x\.csv is damaged"):
        read(path)


def test_xml_that_grows(tmp_path: Path) -> None:
    """The laughs of Billion: expat ends them."""
    entities = "".join(
        f'<!ENTITY l{i} "{"".join(f"&l{i - 1};" for _ in range(10)) if i else "lol"}">'
        for i in range(12)
    )
    text = CVAT_IMAGES.replace("<annotations>", f"<!DOCTYPE a [{entities}]><annotations>", 1)
    path = tmp_path / "x.xml"
    path.write_text(text.replace("<name>t</name>", "<name>&l11;</name>"))
    with pytest.raises(ValueError, match="not valid XML"):
        read(path)


@pytest.mark.parametrize("points", ["1", "1,2,3", "x,y", "nan,inf", ",", ";"])
def test_cvat_points(tmp_path: Path, points: str) -> None:
    path = tmp_path / "x.xml"
    path.write_text(CVAT_IMAGES.replace("10.50,20.50", points))
    if points == "nan,inf":
        assert read(path).pictures[0].things[0].v.tolist() == [0, 1, 0]
    elif points == ";":
        assert read(path).pictures
    else:
        with pytest.raises(ValueError, match="CVAT"):
            read(path)


def test_pictures_are_looked_for_near_their_labels_only(tmp_path: Path) -> None:
    labels, secret = tmp_path / "a" / "b" / "p" / "labels", tmp_path / "elsewhere" / "deep"
    labels.mkdir(parents=True)
    secret.mkdir(parents=True)
    cv2.imwrite(str(secret / "s.png"), picture(1))

    def found(name: str, extra: Path | None = None) -> Path | None:
        return find(Picture(name, (), labels), extra)

    assert found(str(secret / "s.png")) is None
    assert found("../../../../elsewhere/deep/s.png") is None
    (labels / "link.png").symlink_to(secret / "s.png")
    assert found("link.png") is None
    assert found("x" * 5000) is None and found("a\0b.png") is None
    assert found(str(secret / "s.png"), secret) == secret / "s.png", "the user named the folder"
    images = labels.parent / "images"
    images.mkdir()
    cv2.imwrite(str(images / "a.png"), picture(1))
    for name in ("a.png", "../images/a.png", "images/a.png", "/data/of/others/images/a.png"):
        assert found(name) == images / "a.png", name


def test_the_home_folder_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home" / "me"
    (home / "Downloads" / "set").mkdir(parents=True)
    cv2.imwrite(str(home / "passport.png"), picture(1))
    monkeypatch.setenv("HOME", str(home))
    assert find(Picture("passport.png", (), home / "Downloads" / "set"), None) is None
    assert find(Picture("passport.png", (), home / "Downloads" / "set"), home) is not None


def test_names_by_the_hundred_thousand_take_no_time() -> None:
    names = [f"n{i}" for i in range(100_000)]
    began = time.monotonic()
    assert repeated(names) is None and repeated([*names, "n7"]) == "n7"
    assert time.monotonic() - began < 5
