"""Cells of the paper's tables: what they learn from, that they resume, and what they refuse."""

import json
from dataclasses import replace

import numpy as np
import pytest
from filelock import FileLock
from safetensors.numpy import load_file

from tests.helpers.reproducing import COUNT, tiny_blocks, tiny_task
from train.data.pictures import DataSet
from train.evaluate.outputs import Outputs
from train.grid.resume import read_result
from train.machine.device import cpu_has_bfloat16
from train.reproduce import cells
from train.reproduce.cells import cell_data, run_task
from train.reproduce.errors import best_order, errors_of
from train.reproduce.experiments import EXPERIMENTS, Cell, load_set
from train.sets.base import save_list
from train.sets.blocks import blocks
from train.sets.shapes import shapes


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    with tiny_blocks(monkeypatch):
        yield


def test_a_folder_of_its_own():
    cell = Cell("blocks", "Seq-MT (L+ELT+A)", 0.05, 3)
    assert cell.folder.as_posix() == "blocks/Seq-MT_L+ELT+A/0.05/3"
    assert cell.name == "blocks Seq-MT (L+ELT+A), 5 %, seed 3"


@pytest.mark.parametrize(
    ("row", "labelled", "train"),
    [("Seq-MT (L)", 4, 4), ("Seq-MT (L+A)", 4, 40), ("Seq-MT (L+ELT)", 4, 40)],
)
def test_images_that_nothing_is_learnt_from_are_left_out(monkeypatch, row, labelled, train):
    monkeypatch.setattr(cells, "VALIDATION", 10)
    found = load_set("blocks", None)
    data, chosen = cell_data(EXPERIMENTS["blocks"], found, Cell("blocks", row, 0.1, 0))
    assert len(chosen) == labelled == sum(data.examples[i].labelled.any() for i in data.rows(False))
    assert len(data.rows(False)) == train
    names = [data.examples[i].path.name for i in data.rows(True)]
    assert names == [f"{i:05d}" for i in range(0, 40, 4)]  # ten of forty, evenly


def test_labels_are_balanced_by_class_and_the_same_for_every_row():
    found = blocks(0, 150)
    lists = []
    for row in ("Seq-MT (L)", "Comm-MT (L+A)"):
        _, chosen = cell_data(EXPERIMENTS["blocks"], found, Cell("blocks", row, 0.2, 1))
        lists.append(chosen)
        counts = [found.fit.examples[i].attributes["class"] for i in chosen]
        assert {counts.count(c) for c in counts} == {2}
    assert lists[0] == lists[1]


def test_a_cell_is_trained_once_and_kept(tmp_path, monkeypatch):
    task = tiny_task(tmp_path, "Seq-MT (L+A)")
    result = run_task(task)
    folder = tmp_path / "blocks/Seq-MT_L+A/0.1/0"
    assert read_result(folder) == json.loads(json.dumps(result))
    assert (result["labelled"], result["train_images"], result["test_images"]) == (4, 40, COUNT)
    assert result["parameters"] == 26_733  # as counted from the supplement
    assert result["metrics"]["error"]["count"] == COUNT and result["metrics"]["error"]["mean"] > 1
    assert 0 <= result["attributes"]["class"]["accuracy"] <= 1
    assert (result["steps"], result["from_step"]) == (4, 0) and result["seconds"] > 0
    assert json.loads((folder / "labelled.json").read_text())["labelled"] == 4
    assert result["precision"] == ("bf16" if cpu_has_bfloat16() else "f32")
    assert json.loads((folder / "begun.json").read_text())["precision"] == result["precision"]
    assert (folder / "model.safetensors").is_file() and not (folder / "last.safetensors").exists()
    monkeypatch.setattr(cells, "train", None)  # would fail if it were called
    assert run_task(task) == read_result(folder)


def test_the_measure_is_the_mean_distance_of_the_kept_model(tmp_path):
    task = tiny_task(tmp_path)
    result = run_task(task)
    found = load_set("blocks", None)
    model, _ = cells.load_model(task.folder / "model.safetensors")
    out = cells.run_test(model, found, task.spec)
    true = np.array([e.xy for e in found.test.examples])
    distance = np.linalg.norm(out.xy - true, axis=-1)
    assert result["metrics"]["error"]["mean"] == pytest.approx(distance.mean(), abs=1e-3)


def test_what_was_cut_goes_on_and_ends_the_same(tmp_path):
    whole = tiny_task(tmp_path / "whole", steps=6)
    run_task(whole)
    cut = tiny_task(tmp_path / "cut", steps=6)

    def interrupt(p):
        if p.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_task(cut, interrupt)
    assert read_result(cut.folder) is None
    result = run_task(cut)
    assert result["from_step"] == 4  # of the last checkpoint
    a, b = (load_file(t.folder / "model.safetensors") for t in (whole, cut))
    assert all(np.array_equal(a[k], b[k]) for k in a)


def test_the_list_of_labelled_images_is_of_names_in_the_data(tmp_path):
    data = blocks(0, 15).fit
    inside = replace(data.examples[0], path=tmp_path / "a/1.png")
    data = DataSet(data.markup, (inside, *data.examples[1:]))
    save_list(tmp_path / "list.json", data, (0, 1), tmp_path)
    found = json.loads((tmp_path / "list.json").read_text())
    assert found == {"labelled": 2, "images": ["a/1.png", "blocks/train/00001"]}


def test_other_settings_and_other_data_are_refused(tmp_path):
    task = tiny_task(tmp_path)
    run_task(task)
    other = replace(task, spec=replace(task.spec, lr=0.5))
    with pytest.raises(ValueError, match=r"another spec \(lr 0.001 there, 0.5 now\); choose"):
        run_task(other)
    assert run_task(replace(task, spec=replace(task.spec, threads=2))) is not None
    (task.folder / "result.json").unlink()
    with pytest.raises(ValueError, match="other data"):
        run_task(task, given=blocks(1, COUNT))


def test_two_processes_do_not_train_one_cell(tmp_path):
    task = tiny_task(tmp_path)
    task.folder.mkdir(parents=True)
    with FileLock(task.folder / "lock"):
        assert run_task(task) is None
    assert not (task.folder / "begun.json").exists()


def test_the_better_assignment_of_landmarks():
    target = np.array([[[10.0, 10], [40, 40]], [[20, 5], [5, 20]]])
    assert best_order(target[:, ::-1], target) == (1, 0)
    assert best_order(target + 3, target) == (0, 1)
    near = np.stack([target[:, 1] + 1, target[:, 1]], 1)  # both near the second shape
    assert best_order(near, target) in ((0, 1), (1, 0))


def outputs(xy, target) -> Outputs:
    n, k = xy.shape[:2]
    return Outputs(
        np.arange(n), xy, np.zeros((n, k)), np.ones((n, k)), np.ones(n), {}, target,
        np.ones((n, k), bool), {},
    )  # fmt: skip


def test_landmarks_without_names_are_measured_under_one_assignment(tmp_path):
    found = shapes(0, 3)
    spec = replace(tiny_task(tmp_path).spec, heads=())
    target = np.array([e.xy for e in found.test.examples], float)
    moved = target[:, ::-1] + (3, 4)  # the other way round, and 5 px away
    measured = errors_of(found, outputs(moved, target), spec, named=False)
    assert measured["order"] == [1, 0]
    assert measured["points"]["mean"] == measured["points"]["p95"] == 5
    assert measured["metrics"]["error"]["mean"] == 5
    assert errors_of(found, outputs(moved, target), spec)["metrics"]["error"]["mean"] > 5


def test_parts_and_what_is_not_known(tmp_path):
    found = replace(blocks(0, 3), parts={"first": (0,), "none": ()})
    target = np.array([e.xy for e in found.test.examples], float)
    xy = target + np.array([1.0, 2, 3])[:, None, None] * (1, 0)
    out = outputs(xy, target)
    out.labelled[2] = False
    error = errors_of(found, out, replace(tiny_task(tmp_path).spec, heads=()))["metrics"]["error"]
    assert (error["mean"], error["count"], error["unit"]) == (1.5, 2, "px")
    assert error["parts"]["first"]["mean"] == 1
    assert error["parts"]["none"] == {"mean": None, "median": None, "p95": None, "count": 0}
