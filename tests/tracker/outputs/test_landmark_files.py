"""JSON Lines and CSV: every value in its place, absent ones empty."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.helpers import clips
from tracker.find.expressions import EXPRESSIONS
from tracker.find.model_file import Attribute
from tracker.outputs.landmark_files import (
    CsvTable,
    JsonLines,
    csv_path,
    header,
    model_facts,
    pose_row,
    track_row,
)
from tracker.outputs.out_file import OutFile
from tracker.result import Result
from tracker.types import Motion, Pose, Track

FACTS: dict[str, object] = {"fps": "30000/1001", "size_wh": [96, 64]}


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_header_says_what_the_rows_mean() -> None:
    head = json.loads(json.dumps(header(clips.USED, **FACTS)))
    assert head["schema_version"] == 1
    assert head["fps"] == "30000/1001" and head["size_wh"] == [96, 64]
    assert {"python", "landmark-tracker", "numpy", "av"} <= set(head["programs"])
    assert [m["sha256"] for m in head["models"]] == ["a" * 64, "b" * 64]
    assert len(head["landmarks"]["hand"]) == 21 and len(head["landmarks"]["face"]) == 68
    assert head["edges"]["hand"][0] == [0, 1]
    assert head["attributes"]["hand"] == {"gesture": ["none", "fist"]}
    assert "yaw > 0" in head["units"]["head_pose"] and "degrees" in head["units"]["head_pose"]


def test_one_row_per_frame_and_gaps_are_marked(tmp_path: Path) -> None:
    data = JsonLines(OutFile(tmp_path / "a.jsonl"), header(clips.USED, **FACTS))
    data.row(0, 0.0, Result(0.0, (clips.track("hand"), clips.track("face", number=2))))
    data.row(1, 0.04, Result(0.04, ()))
    data.row(2, 0.08, None)
    data.finish()
    _, seen, nothing, gap = lines(tmp_path / "a.jsonl")
    assert seen["frame"] == 0 and "gap" not in seen
    assert nothing == {"frame": 1, "t_s": 0.04, "tracks": []}
    assert gap == {"frame": 2, "t_s": 0.08, "tracks": [], "gap": True}


def test_hand_and_face_rows() -> None:
    hand, face = track_row(clips.track("hand")), track_row(clips.track("face"))
    assert (hand["id"], hand["kind"], hand["side"], hand["side_p"]) == (1, "hand", "left", 0.97)
    assert (hand["gesture"], hand["gesture_p"], hand["pose"]) == ("fist", 0.9, None)
    assert (face["gesture"], face["gesture_p"], face["side"]) == (None, None, None)
    assert face["pose"] == {
        "yaw": 10.0, "pitch": -5.0, "roll": 2.5, "xyz_cm": None, "matrix": None,
    }  # fmt: skip
    xy, raw = np.array(hand["xy"]), np.array(hand["xy_raw"])
    assert xy.shape == (21, 2) and np.allclose(raw - xy, 1)


def test_unknown_numbers_are_null(tmp_path: Path) -> None:
    track = clips.track("hand")
    xy = track.xy.copy()
    xy[3] = np.nan
    row = json.loads(json.dumps(track_row(replace(track, xy=xy)), allow_nan=False))
    assert row["xy"][3] == [None, None]
    table = CsvTable(OutFile(tmp_path / "a.csv"), "hand", clips.USED[0].info.landmarks)
    table.row(0, 0.0, Result(0.0, (replace(track, xy=xy),)))
    table.finish()
    (cells,) = csv.DictReader((tmp_path / "a.csv").open(encoding="utf-8"))
    assert cells["p3_x"] == cells["p3_y"] == "" and cells["p3_score"] == "0.9"


def test_csv_has_one_row_per_track_of_its_kind(tmp_path: Path) -> None:
    table = CsvTable(OutFile(tmp_path / "a.csv"), "hand", clips.USED[0].info.landmarks)
    two = (clips.track("hand"), clips.track("face", number=2), clips.track("hand", "right", 3))
    table.row(0, 0.0, Result(0.0, two))
    table.row(1, 0.04, Result(0.04, ()))
    table.row(2, 0.08, None)
    table.finish()
    rows = list(csv.DictReader((tmp_path / "a.csv").open(encoding="utf-8")))
    assert [(r["frame"], r["t_s"], r["track_id"], r["side"]) for r in rows] == [
        ("0", "0.0", "1", "left"),
        ("0", "0.0", "3", "right"),
        ("2", "0.08", "", ""),
    ]
    first = rows[0]
    assert list(first)[:12] == [
        "frame", "t_s", "track_id", "kind", "side", "side_p", "gesture", "gesture_p",
        "yaw", "pitch", "roll", "presence",
    ]  # fmt: skip
    assert (first["gesture"], first["gesture_p"], first["yaw"]) == ("fist", "0.9", "")
    assert float(first["p0_x_raw"]) - float(first["p0_x"]) == 1
    assert (first["p0_x"], first["p0_y"]) == ("40.0", "46.0")
    assert len(first) == 12 + 21 * 5 + 2 and None not in first and None not in rows[2].values()


def test_csv_of_faces_has_the_pose(tmp_path: Path) -> None:
    table = CsvTable(OutFile(tmp_path / "a.csv"), "face", clips.USED[1].info.landmarks)
    table.row(0, 0.0, Result(0.0, (clips.track("face"),)))
    table.finish()
    (row,) = csv.DictReader((tmp_path / "a.csv").open(encoding="utf-8"))
    assert (row["yaw"], row["pitch"], row["roll"], row["gesture"]) == ("10.0", "-5.0", "2.5", "")


def with_depth(number: int = 1) -> Track:
    xyz = np.zeros((21, 3), np.float32)
    xyz[1], xyz[2] = (0.1, 1.23456, -0.5), np.nan
    return replace(clips.track("hand", number=number), xyz=xyz)


def test_points_in_space_stand_at_the_end_of_a_json_row() -> None:
    row = json.loads(json.dumps(track_row(with_depth()), allow_nan=False))
    assert list(row)[-1] == "xyz"
    assert row["xyz"][:3] == [[0.0, 0.0, 0.0], [0.1, 1.235, -0.5], [None, None, None]]
    assert track_row(clips.track("hand"))["xyz"] is None
    said = header(clips.USED)["units"]
    assert isinstance(said, dict) and "z towards the camera" in said["xyz"]


def test_points_in_space_stand_at_the_end_of_a_table_whose_model_gives_them(tmp_path: Path) -> None:
    names = clips.USED[0].info.landmarks
    table = CsvTable(OutFile(tmp_path / "a.csv"), "hand", names, ["xyz"])
    table.row(0, 0.0, Result(0.0, (with_depth(), clips.track("hand", number=2))))
    table.row(1, 0.04, None)
    table.finish()
    rows = list(csv.reader((tmp_path / "a.csv").open(encoding="utf-8")))
    assert {len(row) for row in rows} == {12 + 21 * 8 + 2}
    assert rows[0][-2:] == ["damaged", "missing_before"]
    depth = [row[-65:-2] for row in rows]
    assert depth[0][:4] == ["p0_x_palm", "p0_y_palm", "p0_z_palm", "p1_x_palm"]
    assert depth[1][:9] == ["0.0"] * 3 + ["0.1", "1.235", "-0.5"] + [""] * 3
    assert depth[2] == [""] * 63, "the model gives it, this track has none"


def test_marks_of_a_frame_stand_at_the_end_of_each_of_its_rows(tmp_path: Path) -> None:
    table = CsvTable(OutFile(tmp_path / "a.csv"), "hand", ["a"])
    track = replace(clips.track("hand"), xy=np.ones((1, 2)), xy_raw=np.ones((1, 2)))
    track = replace(track, score=np.ones(1))
    table.row(0, 0.0, Result(0.0, (track, track)), damaged=True, missing=3)
    table.row(1, 0.04, Result(0.04, (track,)))
    table.row(2, 0.08, None, missing=2)
    table.row(3, 0.12, None)
    table.row(4, 0.16, Result(0.16, ()), damaged=True)
    table.finish()
    rows = list(csv.reader((tmp_path / "a.csv").open(encoding="utf-8")))
    marks = [row[-2:] for row in rows]
    assert marks[0] == ["damaged", "missing_before"]
    assert marks[1:] == [["1", "3"], ["1", "3"], ["0", "0"], ["", "2"], ["", ""]]
    assert all(row[2:-1] == [""] * (len(row) - 3) for row in rows[4:]), "a gap as it was"


def expressive() -> Track:
    irises = np.array([[10, 20.125, 0.5], [30, 20, np.nan]], np.float32)
    expressions = np.zeros(52, np.float32)
    expressions[25] = 0.5
    visible = np.full(68, 0.25, np.float32)
    face = clips.track("face")
    return replace(
        face, irises=irises, expressions=expressions, visible=visible,
        expressions_raw=expressions * 1.5,
    )  # fmt: skip


def test_what_only_some_models_of_faces_give_stands_at_the_end_of_a_json_row() -> None:
    row = json.loads(json.dumps(track_row(expressive()), allow_nan=False))
    assert list(row)[-4:] == ["irises", "visible", "expressions", "expressions_raw"]
    assert row["expressions_raw"][25] == 0.75
    assert row["irises"] == [[10, 20.125, 0.5], [30, 20, None]]
    assert row["expressions"][25] == 0.5 and len(row["visible"]) == 68
    assert "irises" not in track_row(clips.track("face")), "rows of other models are as before"


def test_the_header_names_expressions() -> None:
    face = clips.USED[1]
    info = replace(face.info, attributes=(Attribute("expressions", size=52),))
    facts = model_facts((replace(face, info=info),))
    assert facts["attributes"] == {"face": {"expressions": list(EXPRESSIONS)}}


def test_what_only_some_models_of_faces_give_stands_at_the_end_of_their_table(
    tmp_path: Path,
) -> None:
    names = [f"p{i}" for i in range(68)]
    gives = ["pose", "expressions", "visible", "iris"]
    table = CsvTable(OutFile(tmp_path / "a.csv"), "face", names, gives)
    table.row(0, 0.0, Result(0.0, (expressive(), clips.track("face", number=2))))
    table.finish()
    rows = list(csv.reader((tmp_path / "a.csv").open(encoding="utf-8")))
    assert {len(row) for row in rows} == {12 + 68 * 5 + 2 + 6 + 68 + 52}
    at = {name: i for i, name in enumerate(rows[0])}
    assert rows[0][12 + 68 * 5 + 2] == "right_iris_x" and rows[0][-1] == "noseSneerRight"
    assert [rows[1][at[n]] for n in ("left_iris_x", "left_iris_score")] == ["30.0", ""]
    assert (rows[1][at["jawOpen"]], rows[1][at["p67_visible"]]) == ("0.5", "0.25")
    assert set(rows[2][-(6 + 68 + 52) :]) == {""}


def test_a_motion_stands_in_the_frame_in_which_it_happened_alone(tmp_path: Path) -> None:
    waved = replace(clips.track("hand"), motion=Motion("wave", 0.8767, 0.0))
    said = replace(waved, motion=Motion("wave", 0.8767, 0.033))
    assert track_row(waved)["motion"] == {"name": "wave", "p": 0.877}
    assert "motion" not in track_row(said) and "motion" not in track_row(clips.track("hand"))
    table = CsvTable(OutFile(tmp_path / "a.csv"), "hand", clips.USED[0].info.landmarks, ["motion"])
    for frame, track in enumerate((waved, said)):
        table.row(frame, 0.0, Result(0.0, (track,)))
    table.finish()
    rows = list(csv.reader((tmp_path / "a.csv").open(encoding="utf-8")))
    assert [row[-2:] for row in rows] == [["motion", "motion_p"], ["wave", "0.877"], ["", ""]]
    plain = CsvTable(OutFile(tmp_path / "b.csv"), "hand", clips.USED[0].info.landmarks)
    plain.finish()
    assert "motion" not in (tmp_path / "b.csv").read_text(encoding="utf-8")


def test_names_of_tables() -> None:
    assert csv_path(Path("x/out.csv"), "face") == Path("x/out_face.csv")


def test_discard_leaves_nothing(tmp_path: Path) -> None:
    JsonLines(OutFile(tmp_path / "a.jsonl"), {}).discard()
    CsvTable(OutFile(tmp_path / "a.csv"), "hand", ["a"]).discard()
    assert list(tmp_path.iterdir()) == []


def test_a_pose_with_its_place() -> None:
    matrix = np.eye(4, dtype=np.float32)
    matrix[:3, 3] = 1.5, -2, 60.12345
    row = pose_row(Pose(10, -5, 2.5, matrix))
    assert row["xyz_cm"] == [1.5, -2.0, 60.123]
    assert row["matrix"] == [[1, 0, 0, 1.5], [0, 1, 0, -2], [0, 0, 1, 60.12345], [0, 0, 0, 1]]
