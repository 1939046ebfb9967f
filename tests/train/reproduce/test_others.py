"""Networks that table 5 (right) puts beside Seq-MT, on tiny HGR1 and Multi-PIE folders."""

from dataclasses import replace

import pytest

from tests.train.sets.test_hgr1 import write_hgr1
from tests.train.sets.test_multipie import SCENES, write_multipie
from train.reproduce import cells
from train.reproduce.cells import Task, run_task
from train.reproduce.experiments import EXPERIMENTS, Cell, experiment_of
from train.reproduce.specs import hgr1_spec, multipie_spec, row_of
from train.reproduce.tasks import ReproduceWish, in_steps, row_spec

ATTRIBUTES = {"hgr1": {"gesture"}, "multipie": {"emotion", "camera"}}


def folder_of(name, folder):
    """A tiny data set; in its Multi-PIE the test person shows an emotion of the training."""
    if name == "hgr1":
        return write_hgr1(folder)
    return write_multipie(folder, (*SCENES[:-1], ("201", "04", "02")))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_row_that_the_paper_trained_can_be_trained(name):
    experiment = experiment_of(name)
    assert {row for table in experiment.tables for row in table.rows} <= set(experiment.rows)


@pytest.mark.parametrize(
    ("name", "row", "size"),
    [
        ("hgr1", "RCN (L)", 80), ("hgr1", "RCN+ (L+A)", 80), ("hgr1", "TCDCN (L+A)", 40),
        ("multipie", "RCN+ (L)", 80), ("multipie", "TCDCN (L+A)", 40),
        ("multipie", "Seq-MT (L+A)", 64),
    ],
)  # fmt: skip
def test_a_row_trains_on_crops_of_its_networks_size(tmp_path, name, row, size, monkeypatch):
    monkeypatch.setattr(cells, "VALIDATION", 2)
    wish = ReproduceWish(
        name, data=folder_of(name, tmp_path / "data"), out=tmp_path / "out", device="cpu"
    )
    spec = replace(in_steps(row_spec(wish, row, 0), 1), batch=2)
    assert spec.net.size == size
    result = run_task(Task(Cell(name, row, 1.0, 0), spec, wish.data, wish.out))
    assert all(0 < m["mean"] < 1000 for m in result["metrics"].values()) and result["metrics"]
    assert set(result["attributes"]) == (ATTRIBUTES[name] if "+A)" in row else set())


@pytest.mark.parametrize(("spec", "dropout"), [(hgr1_spec, 0.5), (multipie_spec, 0.25)])
def test_comm_mt_has_the_dropout_of_its_data_set(spec, dropout):
    found = spec(row_of("Comm-MT (L+A)"), 0)
    assert found.net.dropout == dropout == found.heads[0].dropout


def test_tcdcn_has_the_parameters_of_its_layers(tmp_path):
    """Convolutions and shared layer as in test_nets; 2 x 25 coordinates and 2 gestures."""
    wish = ReproduceWish("hgr1", data=folder_of("hgr1", tmp_path / "data"), out=tmp_path)
    spec = replace(in_steps(row_spec(wish, "TCDCN (L+A)", 0), 1), batch=2)
    result = run_task(Task(Cell("hgr1", "TCDCN (L+A)", 1.0, 0), spec, wish.data, wish.out))
    shared = 416 + 6_960 + 27_712 + 16_448 + 25_700
    assert result["parameters"] == shared + 101 * 50
    assert result["parameters_in_all"] == shared + 101 * (50 + 2 + 1)  # presence: one more
