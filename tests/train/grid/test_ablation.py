"""The four rows differ in the two terms and in nothing else."""

from dataclasses import replace

from tests.helpers.blobs import write_blobs, write_config
from train.config import read_config
from train.grid.ablation import ablate
from train.grid.cells import ROWS, row_spec


def test_rows_turn_terms_on_and_off(tmp_path):
    spec = read_config(write_config(tmp_path))
    terms = {
        n: (row_spec(spec, n).loss.attribute > 0, row_spec(spec, n).loss.alpha > 0) for n in ROWS
    }
    assert terms == ROWS
    for name in ROWS:
        assert replace(row_spec(spec, name), loss=spec.loss) == spec


def test_four_rows_are_trained_once(tmp_path):
    write_blobs(tmp_path, 12)
    spec = read_config(write_config(tmp_path, steps=10), {"data.label_share": "0.5"})
    seen = []
    table = ablate(spec, tmp_path, tmp_path / "out", lambda row, p: seen.append(row))
    assert [r["row"] for r in table] == list(ROWS)
    assert len({r["nme"] for r in table}) == 4  # the terms do change the weights
    assert "order" in table[1]
    assert "order" not in table[0]
    again = ablate(spec, tmp_path, tmp_path / "out", lambda row, p: seen.append("again"))
    assert again == table
    assert "again" not in seen
