"""Files as the other tools write them: typed from their documentation, expectations by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tracker.errors import UserError
from train.exchange.formats import read
from train.exchange.names import match, read_map

CVAT_IMAGES = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><name>t</name><mode>annotation</mode></task></meta>
  <image id="0" name="a.jpg" width="640" height="480">
    <skeleton label="hand" source="manual" z_order="0">
      <points label="wrist" source="manual" outside="0" occluded="0" points="10.50,20.50"></points>
      <points label="tip" source="manual" outside="0" occluded="1" points="30.00,40.00"></points>
      <points label="gone" source="manual" outside="1" occluded="0" points="1.00,2.00"></points>
    </skeleton>
    <points label="nose" occluded="0" points="5.50,6.50" z_order="0" group_id="3"></points>
    <points label="ear" occluded="1" points="7.50,8.50" z_order="0" group_id="3"></points>
    <box label="face" xtl="1.00" ytl="2.00" xbr="9.00" ybr="10.00" occluded="0" group_id="3"></box>
    <tag label="good_frame" source="manual"></tag>
  </image>
</annotations>"""

CVAT_VIDEO = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><mode>interpolation</mode>
  <original_size><width>640</width><height>480</height></original_size>
  <source>b.mp4</source></task></meta>
  <track id="0" label="hand" source="manual">
    <skeleton frame="3" keyframe="1" z_order="0">
      <points label="wrist" outside="0" occluded="0" keyframe="1" points="10.50,20.50"></points>
    </skeleton>
    <skeleton frame="4" keyframe="0" z_order="0">
      <points label="wrist" outside="0" occluded="0" keyframe="0" points="11.50,20.50"></points>
    </skeleton>
  </track>
  <track id="1" label="nose" source="manual">
    <points frame="3" points="1.50,2.50" outside="0" occluded="1" keyframe="1"></points>
    <points frame="4" points="1.50,2.50" outside="1" occluded="1" keyframe="1"></points>
  </track>
</annotations>"""


def write(folder: Path, name: str, text: object) -> Path:
    path = folder / name
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return path


def points(t) -> dict[str, tuple[float, float, int]]:
    return {n: (*xy, int(v)) for n, xy, v in zip(t.names, t.xy.tolist(), t.v, strict=True) if v}


def test_cvat_images_count_from_the_corner(tmp_path):
    (picture,) = read(write(tmp_path, "a.xml", CVAT_IMAGES)).pictures
    hand, face = picture.things
    assert points(hand) == {"wrist": (10, 20, 2), "tip": (29.5, 39.5, 1)}
    assert points(face) == {"nose": (5, 6, 2), "ear": (7, 8, 1)}
    assert face.box_xyxy.tolist() == [0.5, 1.5, 8.5, 9.5]
    assert (picture.name, picture.size_wh, picture.negative) == ("a.jpg", (640, 480), False)


def test_cvat_video_takes_key_frames_only(tmp_path):
    found = read(write(tmp_path, "a.xml", CVAT_VIDEO))
    (picture,) = found.pictures
    assert (picture.video, picture.frame, picture.size_wh) == ("b.mp4", 3, (640, 480))
    assert [points(t) for t in picture.things] == [{"wrist": (10, 20, 2)}, {"nose": (1, 2, 1)}]
    assert found.notes == ("1 interpolated shapes between keyframes were left out",)


def test_label_studio_is_in_percent(tmp_path):
    def point(x, label):
        return {"original_width": 200, "original_height": 100, "image_rotation": 0,
                "from_name": "k", "to_name": "image", "type": "keypointlabels", "id": label,
                "value": {"x": x, "y": 50, "width": 0.3, "keypointlabels": [label]}}  # fmt: skip

    task = {"id": 1, "data": {"image": "/data/upload/1/0a1b2c3d-a.png"},
            "annotations": [{"id": 9, "was_cancelled": False,
                             "result": [point(10, "wrist"), point(3.1, "tip")]}]}  # fmt: skip
    (picture,) = read(write(tmp_path, "t.json", [task])).pictures
    got = points(picture.things[0])
    assert got["wrist"] == pytest.approx((19.5, 49.5, 2))  # 10 % of 200 px, less half a pixel
    assert got["tip"] == pytest.approx((5.7, 49.5, 2))
    assert picture.size_wh == (200, 100)


def labelme(*shapes) -> dict[str, object]:
    return {"version": "5.5.0", "flags": {}, "shapes": list(shapes), "imagePath": "..\\i\\a.jpg",
            "imageData": None, "imageHeight": 480, "imageWidth": 640}  # fmt: skip


def shape(label, x, group=None, kind="point"):
    return {"label": label, "points": [[x, 20.5]], "group_id": group, "description": "",
            "shape_type": kind, "flags": {}}  # fmt: skip


def test_labelme_groups_and_other_shapes(tmp_path):
    body = labelme(shape("wrist", 10.5, 1), shape("wrist", 50.5, 2), shape("p", 1, None, "polygon"))
    found = read(write(tmp_path, "a.json", body))
    assert [points(t) for t in found.pictures[0].things] == [
        {"wrist": (10, 20, 2)}, {"wrist": (50, 20, 2)},
    ]  # fmt: skip
    assert found.pictures[0].name == "../i/a.jpg"
    assert found.notes == ("a.json: 1 polygon shapes were left out",)


def test_labelme_without_groups_is_not_guessed(tmp_path):
    body = labelme(shape("wrist", 10.5), shape("wrist", 50.5))
    found = read(write(tmp_path, "a.json", body))
    assert found.pictures[0].things == ()
    assert "cannot be told apart" in found.notes[0]


def rectangle(x0, y0, x1, y1, group=None):
    return {**shape("thing", 0, group, "rectangle"), "points": [[x1, y0], [x0, y1]]}


def test_labelme_boxes_without_groups(tmp_path):
    alone = labelme(rectangle(1, 2, 9, 10), rectangle(20.5, 30.5, 40, 50))
    (picture,) = read(write(tmp_path, "a.json", alone)).pictures
    assert [t.box_xyxy.tolist() for t in picture.things] == [
        [0.5, 1.5, 8.5, 9.5], [20, 30, 39.5, 49.5],
    ]  # fmt: skip
    assert all(points(t) == {} for t in picture.things)
    one = labelme(shape("wrist", 10.5, 4), rectangle(1, 2, 19, 30))
    (picture,) = read(write(tmp_path, "b.json", one)).pictures
    assert [t.box_xyxy.tolist() for t in picture.things] == [[0.5, 1.5, 18.5, 29.5]]
    mixed = labelme(shape("wrist", 10.5), shape("wrist", 50.5), *[rectangle(1, 2, 19, 30)] * 2)
    found = read(write(tmp_path, "m.json", mixed))
    assert found.pictures[0].things == () and "2 boxes were left out" in found.notes[-1]
    two = labelme(shape("wrist", 10.5, 4), shape("wrist", 50.5, 5), rectangle(1, 2, 19, 30))
    found = read(write(tmp_path, "c.json", two))
    assert [t.box_xyxy for t in found.pictures[0].things] == [None, None]
    assert "1 boxes were left out" in found.notes[0]


def test_cvat_boxes_without_groups(tmp_path):
    box = '<box label="hand" xtl="{}" ytl="2.00" xbr="9.00" ybr="10.00" occluded="0"></box>'

    def image(inside):
        head = '<annotations><image id="0" name="a.jpg" width="640" height="480">'
        return f"{head}{inside}</image></annotations>"

    skeleton = CVAT_IMAGES[CVAT_IMAGES.index("<skeleton") : CVAT_IMAGES.index("</skeleton>")]
    skeleton += "</skeleton>"
    alone = read(write(tmp_path, "a.xml", image(box.format(1) + box.format(3)))).pictures[0]
    assert [t.box_xyxy.tolist() for t in alone.things] == [
        [0.5, 1.5, 8.5, 9.5],
        [2.5, 1.5, 8.5, 9.5],
    ]
    one = read(write(tmp_path, "b.xml", image(box.format(1) + skeleton))).pictures[0]
    assert [t.box_xyxy.tolist() for t in one.things] == [[0.5, 1.5, 8.5, 9.5]]
    assert set(points(one.things[0])) == {"wrist", "tip"}
    two = read(write(tmp_path, "c.xml", image(box.format(1) + skeleton + skeleton)))
    assert [t.box_xyxy for t in two.pictures[0].things] == [None, None]
    assert two.notes and "1 boxes were left out" in two.notes[0]
    track = f'<track id="0" label="hand">{box.format(1)}</track>'.replace(
        "<box ", '<box frame="4" keyframe="1" outside="0" '
    )
    (video,) = read(write(tmp_path, "d.xml", f"<annotations>{track}</annotations>")).pictures
    assert video.frame == 4 and video.things[0].box_xyxy.tolist() == [0.5, 1.5, 8.5, 9.5]


def test_coco_of_several_categories(tmp_path):
    body = {
        "images": [{"id": 7, "file_name": "a.jpg", "width": 64, "height": 48}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 1, "keypoints": [1, 2, 2, 0, 0, 0],
             "bbox": [1, 2, 30, 20], "iscrowd": 0, "num_keypoints": 1},
            {"id": 2, "image_id": 7, "category_id": 5, "keypoints": [8, 9, 1]},
            {"id": 3, "image_id": 7, "category_id": 5, "iscrowd": 1, "bbox": [0, 0, 1, 1]},
        ],
        "categories": [{"id": 1, "name": "hand", "keypoints": ["wrist", "tip"]},
                       {"id": 5, "name": "face", "keypoints": ["nose"]}],
    }  # fmt: skip
    found = read(write(tmp_path, "a.json", body))
    hand, face = found.pictures[0].things
    assert points(hand) == {"wrist": (1, 2, 2)}
    assert hand.box_xyxy.tolist() == [1, 2, 31, 22]
    assert points(face) == {"nose": (8, 9, 1)}
    assert found.notes == ("1 crowd annotations were left out",)
    (shifted,) = read(tmp_path / "a.json", origin="corner").pictures
    assert points(shifted.things[0]) == {"wrist": (0.5, 1.5, 2)}


ONE = """scorer,,,me,me,me,me
bodyparts,,,wrist,wrist,tip,tip
coords,,,x,y,x,y
labeled-data,b,img003.png,1.5,2.5,,
"""
MANY = """scorer,me,me,me,me
individuals,one,one,two,two
bodyparts,tip,tip,tip,tip
coords,x,y,x,y
labeled-data/b/img007.png,1,2,3,4
"""


def test_deeplabcut_csv(tmp_path):
    (picture,) = read(write(tmp_path, "one.csv", ONE)).pictures
    assert (picture.video, picture.frame) == ("b", 3)
    assert [points(t) for t in picture.things] == [{"wrist": (1.5, 2.5, 2)}]
    (picture,) = read(write(tmp_path, "many.csv", MANY)).pictures
    assert (picture.video, picture.frame) == ("b", 7)
    assert [points(t) for t in picture.things] == [{"tip": (1, 2, 2)}, {"tip": (3, 4, 2)}]


def test_hdf5_of_other_tools_is_told(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.analysis.h5", "w") as file:  # as SLEAP exports it
        file["node_names"] = np.array([b"tip", b"wrist"])
        file["tracks"] = np.zeros((1, 2, 2, 3))
    with pytest.raises(ValueError, match=r"holds node_names, tracks; import .*\.slp file"):
        read(tmp_path / "a.analysis.h5")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_group("other")["x"] = np.zeros(3)
    with pytest.raises(ValueError, match=r"must hold a table of pandas, and holds other; import"):
        read(tmp_path / "b.h5")


@pytest.mark.parametrize(
    "change,message",
    [
        ({"bbox": [1, 2]}, r"its bbox must be \[x, y, width, height\].* is \[1, 2\]; mend"),
        ({"bbox": [1, 2, "a", 4]}, "its bbox must be"),
        ({"bbox": 7}, "its bbox must be"),
        ({"keypoints": [1, 2]}, "its category names 1 keypoints, and it has 0.66"),
        ({"keypoints": [1, 2, 3]}, "a visibility must be 0, 1 or 2"),
    ],
)
def test_an_annotation_of_coco_at_fault_is_named_with_its_file(tmp_path, change, message):
    body = {
        "images": [{"id": 7, "file_name": "a.jpg", "width": 64, "height": 48}],
        "annotations": [{"id": 31, "image_id": 7, "category_id": 1, "keypoints": [1, 2, 2],
                         **change}],
        "categories": [{"id": 1, "name": "face", "keypoints": ["nose"]}],
    }  # fmt: skip
    with pytest.raises(ValueError, match=rf"a\.json: annotation 31: {message}"):
        read(write(tmp_path, "a.json", body))


def test_old_sleap_files_count_from_the_corner_and_hold_invisible_points(tmp_path):
    h5py = pytest.importorskip("h5py")
    from train.exchange.sleap import FRAME, INSTANCE, POINT

    head = {"nodes": [{"name": "tip"}, {"name": "wrist"}],  # the skeleton orders them otherwise
            "skeletons": [{"nodes": [{"id": 1}, {"id": 0}]}], "provenance": {}}  # fmt: skip
    video = json.dumps({"backend": {"filename": "C:\\v\\b.mp4", "shape": [9, 48, 64, 3]}})
    with h5py.File(tmp_path / "a.slp", "w") as file:
        group = file.create_group("metadata")
        group.attrs["format_id"], group.attrs["json"] = 1.0, np.bytes_(json.dumps(head).encode())
        file["videos_json"] = np.array([video.encode()])
        file["frames"] = np.array([(0, 0, 5, 0, 1)], FRAME)
        file["instances"] = np.array([(0, 0, 0, 0, -1, -1, 0, 0, 2, 0)], INSTANCE)
        file["points"] = np.array([(1.5, 2.5, True, True), (3.5, 4.5, False, False)], POINT)
    found = read(tmp_path / "a.slp")
    (picture,) = found.pictures
    assert (picture.video, picture.frame, picture.size_wh) == ("C:/v/b.mp4", 5, (64, 48))
    assert points(picture.things[0]) == {"wrist": (1, 2, 2)}
    assert "--hidden" in found.notes[0]
    (picture,) = read(tmp_path / "a.slp", hidden=True).pictures
    assert points(picture.things[0]) == {"wrist": (1, 2, 2), "tip": (3, 4, 1)}


@pytest.mark.parametrize(
    "name,text,message",
    [
        ("a.pickle", "x", "pickle"),
        ("a.json", "{", "not valid JSON"),
        ("a.json", "{}", "no known format"),
        ("a.xml", "<a", "not valid XML"),
        ("a.xml", "<a/>", "not a CVAT file"),
        ("a.csv", "x,y\n1,2\n", "not a DeepLabCut file"),
        ("a.csv", ONE.replace("y,x", "likelihood,x"), "predictions"),
        ("a.csv", ONE.replace("1.5", "abc"), "does not fit"),
        (
            "a.csv",
            ONE.replace("wrist,wrist,tip,tip", "wrist,wrist"),
            "a.csv: .* as long as coords, which has 7 cells, and bodyparts has 5; fill it up",
        ),
        ("a.slp", "x", "not a SLEAP file"),
        ("a.h5", "x", "not a"),
        ("a.json", '[{"id": 1}]', "no known format"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, name, text, message):
    with pytest.raises(ValueError, match=message):
        read(write(tmp_path, name, text))


def test_names_are_matched_without_case_and_dashes():
    found = match(["Thumb-Tip", "WRIST", "tail"], ["wrist", "thumb_tip", "nose"], {}, False)
    assert found.places == (1, 0, -1)
    assert (found.unknown, found.missing) == (("tail",), ("nose",))
    assert match(["a", "b"], ["x", "y"], read_map("a=y"), False).places == (1, -1)
    assert match(["a", "b"], ["x", "y"], {}, True).places == (0, 1)
    with pytest.raises(ValueError, match="equal counts"):
        match(["a"], ["x", "y"], {}, True)
    with pytest.raises(ValueError, match="are both 'x'"):
        match(["x", "X"], ["x"], {}, False)
    with pytest.raises(ValueError, match="no landmark 'z'"):
        match(["a"], ["x"], {"a": "z"}, False)


def test_the_names_that_a_command_is_given(tmp_path: Path) -> None:
    many = {f"their_{i}": f"our_{i}" for i in range(40)}
    assert read_map(",".join(f"{a}={b}" for a, b in many.items())) == many, "no file's name"
    lines = write(tmp_path, "names.txt", "# theirs=ours\nnose = tip\n\na,b=c\n")
    assert read_map(str(lines)) == {"nose": "tip", "a,b": "c"}
    with pytest.raises(UserError, match=r"gone\.txt could not be read"):
        read_map(str(tmp_path / "gone.txt"))
    with pytest.raises(ValueError, match="takes theirs=ours, such as nose=tip; found 'x'"):
        read_map("a=b,x")
