"""From what is asked to cells and times; the command as a user types it."""

import csv
import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from tests.helpers.reproducing import tiny_blocks, tiny_task
from train.finetune.choices import Budget
from train.reproduce import paper, tasks
from train.reproduce.cells import run_task
from train.reproduce.experiments import EXPERIMENTS, Cell, experiment_of, load_set
from train.reproduce.paper import PaperTable
from train.reproduce.specs import SPECS
from train.reproduce.tasks import (
    ReproduceWish,
    in_steps,
    parse_fractions,
    parse_jobs,
    parse_wanted_rows,
    plan_tasks,
    row_spec,
    span,
    task_of,
    time_lines,
    wanted_cells,
)
from ui.commands.train import app


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    with tiny_blocks(monkeypatch):
        yield


TABLES = [v for v in vars(paper).values() if isinstance(v, PaperTable)]


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.number)
def test_every_row_of_the_paper_has_a_number_or_a_gap_for_each_share(table):
    for values in [*table.rows.values(), *table.quoted.values()]:
        assert len(values) == len(table.shares)
        assert all(v is None or 0 < v < 100 for v in values)
    assert all(any(v is not None for v in values) for values in table.rows.values())


def test_the_two_tables_of_300w_agree_where_they_meet():
    for chief, other in ((paper.FULLSET, paper.FULLSET_100), (paper.IBUG, paper.IBUG_100)):
        for row in chief.rows:
            assert chief.value(row, 1.0) == other.value(row, 1.0)


def test_every_experiment_has_specs_and_rows():
    assert set(EXPERIMENTS) == set(SPECS)
    assert all(e.rows for e in EXPERIMENTS.values())


def test_cells_of_a_table_are_those_that_the_paper_has():
    cells = wanted_cells(ReproduceWish("blocks", seeds=2))
    assert len(cells) == len(set(cells)) == 2 * (8 * 6 - 2)  # no ELT with all labels
    assert Cell("blocks", "Seq-MT (L+ELT)", 1.0, 0) not in cells
    assert [c.seed for c in cells] == sorted(c.seed for c in cells)
    assert len(wanted_cells(ReproduceWish("shapes", seeds=1))) == 1
    with pytest.raises(ValueError, match=r"no result of Seq-MT \(L\+ELT\) at 1 of the labels"):
        wanted_cells(ReproduceWish("blocks", ("Seq-MT (L+ELT)",), (1.0,)))


def test_rows_and_shares_beyond_the_paper_stand_in_its_table():
    mtfl = experiment_of("mtfl")
    table = mtfl.whole(paper.MTFL)
    assert table.shares == (0.01, 0.05, 1.0)
    assert table.value("RCN+ (L)", 1.0) == 5.22 and table.value("RCN+ (L)", 0.05) is None
    assert mtfl.has("RCN+ (L+ELT+A)", 0.01) and not mtfl.has("RCN+ (L+ELT+A)", 1.0)


def test_wishes_are_understood_or_refused_in_a_sentence():
    blocks = experiment_of("blocks")
    text = "seq-mt(l+elt+a), Comm-MT (L)"
    assert parse_wanted_rows(blocks, text) == ("Seq-MT (L+ELT+A)", "Comm-MT (L)")
    assert parse_fractions(blocks, "100%, 0.05,5 %") == (0.05, 1.0)
    assert (parse_jobs("3"), parse_jobs("Ray")) == (3, None)
    with pytest.raises(ValueError, match=r"no fraction '3%'; the paper has 0.01, 0.05, 0.1"):
        parse_fractions(blocks, "3%")
    with pytest.raises(ValueError, match="no fraction 'few'"):
        parse_fractions(blocks, "few")
    with pytest.raises(ValueError, match=r"no row 'RCN \(L\)'; there are Seq-MT \(L\)"):
        parse_wanted_rows(blocks, "RCN (L)")
    with pytest.raises(ValueError, match="found '0'"):
        parse_jobs("0")
    with pytest.raises(ValueError, match="unknown; there are shapes, blocks"):
        experiment_of("hands")
    with pytest.raises(ValueError, match="give it as --data"):
        load_set("mtfl", None)


def test_a_budget_changes_the_steps_and_no_term(tmp_path):
    wish = ReproduceWish("blocks", out=tmp_path, budget=Budget(steps=600))
    task = task_of(wish, Cell("blocks", "Seq-MT (L+A)", 0.1, 2))
    own = row_spec(wish, "Seq-MT (L+A)", 2)
    assert (task.spec.steps, task.spec.evaluate_every, task.budget) == (600, 50, "600 steps")
    assert replace(task.spec, steps=own.steps, evaluate_every=own.evaluate_every,
                   warmup=own.warmup) == own  # fmt: skip
    assert in_steps(own, 10).evaluate_every == 25  # its last step alone
    assert task.spec.heads and not row_spec(wish, "Seq-MT (L)", 2).heads


def test_a_budget_of_time_is_measured_once_and_kept_by_the_cell(tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "time_run", lambda spec, data: (0.5, 1.0))
    wish = ReproduceWish("blocks", out=tmp_path, budget=Budget(seconds=100.0))
    cell = Cell("blocks", "Seq-MT (L)", 0.1, 0)
    assert task_of(wish, cell).spec.steps == (100 - 12 * 1.0) / 0.5
    folder = tmp_path / cell.folder
    folder.mkdir(parents=True)
    (folder / "begun.json").write_text(json.dumps({"budget": "100 s", "spec": {"steps": 77}}))
    assert task_of(wish, cell).spec.steps == 77
    with pytest.raises(ValueError, match="too few"):
        task_of(replace(wish, budget=Budget(seconds=14.0)), cell)


def test_times_are_of_timed_steps_until_cells_are_finished(tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "time_run", lambda spec, data: (0.5, 2.0))
    wish = ReproduceWish("blocks", ("Seq-MT (L)",), (0.1, 0.2), 1, Budget(steps=600), out=tmp_path)
    cells = wanted_cells(wish)
    *_, total = time_lines(wish, cells, 2)
    seconds = 2 * (600 * 0.5 + 12 * 2.0)
    assert (
        total == f"2 trainings, {span(seconds)} in all one after the other, 5 min at best 2 at once"
    )
    folder = tmp_path / cells[0].folder
    folder.mkdir(parents=True)
    (folder / "result.json").write_text('{"seconds": 120, "steps": 240, "from_step": 120}')
    line, total = time_lines(wish, cells)
    assert "1 to train, 10 min each (as those that are finished)" in line
    assert total == "1 training (1 of 2 are finished), 10 min in all"


def test_a_choice_is_not_timed_before_it_begins(tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "time_run", None)  # would fail if it were called
    wish = ReproduceWish("blocks", ("Seq-MT (L)",), (0.1, 0.2), 2, out=tmp_path)
    lines = list(time_lines(wish, wanted_cells(wish), 1, False))
    assert lines == ["Seq-MT (L): 10, 20 % of the labels, 2 seeds; 4 to train", "4 trainings"]


def test_span():
    assert [span(s) for s in (40, 600, 7200)] == ["40 s", "10 min", "2.0 h"]


def test_a_plan_leaves_out_what_is_finished_and_refuses_other_trainings(tmp_path):
    task = tiny_task(tmp_path)
    run_task(task)
    wish = ReproduceWish("blocks", ("Seq-MT (L)",), (0.1,), 1, out=tmp_path, device="cpu")
    with pytest.raises(ValueError, match="another spec"):
        plan_tasks(wish, wanted_cells(wish))


def typed(*arguments):
    return CliRunner().invoke(app, ["reproduce", *map(str, arguments)])


@pytest.fixture
def quick(monkeypatch):
    """Trainings of small batches."""
    own = SPECS["blocks"]
    monkeypatch.setitem(SPECS, "blocks", lambda row, seed: replace(own(row, seed), batch=4))


def test_without_a_choice_nothing_is_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "time_run", lambda spec, data: (0.01, 0.0))
    done = typed("blocks", "--out", tmp_path)
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert len(lines) == 8 + 2
    assert lines[-1] == "choose with --rows and --fractions, or take --all-cells"
    assert lines[-2].startswith("230 trainings, ")
    assert not list(tmp_path.glob("*/*/*/*"))


def test_the_command_trains_writes_and_goes_on(tmp_path, quick):
    wish = ["blocks", "--rows", "Seq-MT (L),Seq-MT (L+ELT+A)", "--fractions", "0.1", "--seeds", "2"]
    wish += ["--budget", "3it", "--device", "cpu", "--out", tmp_path]
    done = typed(*wish)
    assert done.exit_code == 0, done.output
    assert "4/4 blocks Seq-MT (L+ELT+A), 10 %, seed 1:" in done.output
    with (tmp_path / "blocks/results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["row"], r["seed"]) for r in rows] == [
        ("Seq-MT (L)", "0"), ("Seq-MT (L)", "1"),
        ("Seq-MT (L+ELT+A)", "0"), ("Seq-MT (L+ELT+A)", "1"),
    ]  # fmt: skip
    ours = [float(r["error (px) mean"]) for r in rows[:2]]
    mean, spread = sum(ours) / 2, abs(ours[0] - ours[1]) / 2**0.5
    assert f"{mean:.2f} ±{spread:.2f} (2) | 3.35" in done.output
    assert rows[0]["paper: Table 1"] == "3.35" and rows[2]["paper: Table 1"] == "1.26"
    for name in ("table_1.png", "samples.png"):
        assert (tmp_path / "blocks" / name).stat().st_size > 5000
    again = typed(*wish)
    assert again.exit_code == 0 and "seed 1:" not in again.output
    assert done.output.endswith(again.output)  # the same tables and files


def test_shapes_tell_how_far_landmarks_are_from_the_shapes(tmp_path, monkeypatch):
    from train.sets.shapes import shapes

    small = replace(EXPERIMENTS["shapes"], read=lambda _, seed: shapes(seed, 20))
    monkeypatch.setitem(EXPERIMENTS, "shapes", small)
    done = typed(
        "shapes", "--rows", "Seq-MT (A)", "--seeds", 1, "--budget", "2it", "--out", tmp_path
    )
    assert done.exit_code == 0, done.output
    assert "px from the shapes' centres (median" in done.output
    assert "(1) | 99.00" in done.output
    assert (tmp_path / "shapes/samples.png").stat().st_size > 5000
