"""Multiply-adds counted by hand; timing of a real checkpoint."""

from typer.testing import CliRunner

from train.export.speed import multiply_adds, time_models
from train.networks import NetSpec
from train.networks.model import LandmarkNet
from ui.commands.train import app


def test_rcn_plus_by_hand():
    """K = 68 at 80x80: 6400 pixels at the finest level, each coarser one a quarter."""
    px = [6400, 1600, 400, 100, 25]
    by_hand = px[0] * 9 * 64 + sum(p * 9 * 64 * 64 for p in px[1:])
    by_hand += px[4] * (9 + 1) * 64 * 64
    by_hand += sum(p * (25 * 128 * 64 + 64 * 64) for p in px[:4])
    by_hand += px[0] * (64 * 64 + 64 * 68)
    by_hand += 64  # presence
    assert multiply_adds(LandmarkNet(68, NetSpec("rcn_plus", 80, "gray"), ())) == by_hand


def test_measures_each_checkpoint_at_one_and_two_threads(blobs):
    told = []
    found = time_models(
        [blobs / "run" / "model.safetensors"], 5, 1, lambda *share: told.append(share)
    )
    assert told == [(i, 6) for i in range(1, 7)]
    assert [(s.name, s.threads) for s in found] == [("run", 1), ("run", 2)]
    assert all(0 < s.p20_ms <= s.p50_ms for s in found)


def test_at_least_one_run():
    found = CliRunner().invoke(app, ["speed", "no.safetensors", "--runs", "0"])
    assert found.exit_code == 2
    assert "runs" in found.output
