"""The tables as text and picture."""

import numpy as np
import pytest

from train.reproduce import paper
from train.reproduce.experiments import experiment_of
from train.reproduce.figures import coloured
from train.reproduce.plots import draw_table
from train.reproduce.table import entry, flat, text_of, value_of, whole_text
from train.sets.blocks import blocks
from train.sets.drawing import drawn
from train.sets.shapes import regular


def result(row, share, seed, error, **more):
    metric = {"unit": "%", "mean": error, "median": error, "p95": error, "count": 3}
    metric["parts"] = {"ibug": {"mean": 2 * error}}
    facts = dict.fromkeys(
        ("parameters", "best_step", "from_step", "seconds", "budget", "device", "commit")
    )
    return {
        "experiment": "300w", "row": row, "share": share, "seed": seed, "labelled": 1,
        "metrics": {"NME": metric}, "attributes": {}, "steps": 10, **facts, **more,
    }  # fmt: skip


def test_entries_by_hand():
    assert entry([1.0, 3.0], 1.705) == "2.00 ±1.41 (2) | 1.71"
    assert entry([1.0], None) == "1.00 (1) | -"
    assert entry([], 2.0) == "- | 2.00"
    assert entry([], None) == ""


def test_a_table_shows_what_we_have_beside_the_papers():
    results = [result("RCN+ (L)", 0.05, 0, 7.0), result("RCN+ (L)", 0.05, 1, 8.0),
               result("Seq-MT (L)", 1.0, 0, 6.0)]  # fmt: skip
    lines = [" ".join(line.split()) for line in text_of(paper.FULLSET, results)]
    assert lines == [
        "Table 6, Fullset: error on 300W / distance of eye centres (%)",
        "5 % 100 %",
        "Seq-MT (L) - | 9.82 6.00 (1) | 5.95",
        "RCN+ (L) 7.50 ±0.71 (2) | 7.26 - | 5.26",
    ]
    assert value_of(paper.IBUG, results[0]) == 14.0  # the part of that name
    whole = whole_text(experiment_of("300w"), results)
    assert "Table 6, IBUG" in whole and "others there at 100 %: CDM 19.54" in whole
    assert "Common" not in whole  # we have no such part here
    assert text_of(paper.BLOCKS, []) == []


def test_unlike_trainings_are_told():
    row, w300 = "RCN+ (L)", experiment_of("300w")
    pair = [result(row, 0.05, seed, 7.0) | {"steps": 10 + 5 * seed} for seed in range(2)]
    assert "RCN+ (L): trainings of 10 and 15 steps stand side by side" in whole_text(w300, pair)
    assert "side by side" not in whole_text(w300, pair[:1])


def test_what_was_lengthened_is_not_like_what_was_not():
    w300, row = experiment_of("300w"), "RCN+ (L+A)"
    whole = result(row, 0.05, 0, 7.0) | {"steps": 15}
    longer = result(row, 0.05, 1, 7.0, steps_before=5, start="RCN+ (L)")
    told = whole_text(w300, [whole, longer])
    assert f"{row}: trainings of 15 and 5 (RCN+ (L)) + 10 steps stand side by side" in told
    line = flat(longer, w300)
    assert (line["steps"], line["steps_before"], line["start"]) == (10, 5, "RCN+ (L)")
    assert (flat(whole, w300)["steps_before"], flat(whole, w300)["start"]) == ("", "")


def test_a_line_of_the_csv():
    line = flat(result("RCN+ (L)", 0.05, 0, 7.0), experiment_of("300w"))
    assert line["NME (%) mean"] == 7.0 and line["NME (%) ibug"] == 14.0
    assert line["paper: Table 6, Fullset"] == 7.26
    assert line["paper: Table 5 (300W, Common)"] is None
    assert line["precision"] == ""  # an older result
    line = flat(result("RCN+ (L)", 0.05, 0, 7.0, precision="f32"), experiment_of("300w"))
    assert line["precision"] == "f32"


def test_the_curve_is_drawn_where_there_is_something(tmp_path):
    path = tmp_path / "table.png"
    assert not draw_table(paper.FULLSET, [], path) and not path.exists()
    assert draw_table(paper.FULLSET, [result("RCN+ (L)", 0.05, 0, 7.0)], path)
    assert path.stat().st_size > 5000


@pytest.mark.parametrize(("which", "at"), [(0, (15.0, 20.0)), (1, (45.0, 40.0))])
def test_one_shape_alone_is_green(which, at):
    shapes = [regular(3, 12, 0.3) + np.array([15, 20]), regular(4, 10, 1.0) + np.array([45, 40])]
    gray = drawn(shapes)[..., 0]
    rgb = coloured(gray, np.array(at))
    green = (rgb[..., 1] > 0) & (rgb[..., 0] == 0)
    x, y = (int(v) for v in at)
    assert green[y, x]
    halves = green[:, :30].any(), green[:, 30:].any()
    assert halves == ((True, False), (False, True))[which]


def test_a_generated_set_names_its_unit():
    assert [(m.name, m.unit) for m in blocks(0, 1).metrics] == [("error", "px")]
