"""Draws a report's pictures and writes its page: the last steps of `train report`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tracker.whole_files import write_whole
from train.report.charts import (
    plot_ced,
    plot_confusion,
    plot_curve,
    plot_landmarks,
    plot_pose,
    plot_training,
)
from train.report.findings import Findings
from train.report.frames import Case, choose_cases, clear_cases, draw_cases
from train.report.page import build
from train.report.share_curve import Curve, write_csv

WORST = 9
AVERAGE = 3


def draw_findings(found: Findings) -> dict[str, list[Case]]:
    """Write every picture but the curve's into the report's folder; the drawn frames by heading."""
    run, tuned, base = found.run, found.tuned, found.base
    run.report.mkdir(parents=True, exist_ok=True)
    clear_cases(run.report)
    names = [h.attribute.name for h in run.spec.heads]
    plot_training(run.out / "metrics.csv", names, found.kept.step, run.report)
    if tuned is None:
        return {}
    _draw_attributes(found)
    if not tuned.summary["images"]:
        return {}
    plot_ced(None if base is None else base.each, tuned.each, run.report / "ced.png")
    plot_landmarks(
        None if base is None else base.summary["per_landmark_nme"],
        tuned.summary["per_landmark_nme"],
        run.report / "landmarks.png",
    )
    worst, average = choose_cases(tuned.each, WORST, AVERAGE)
    return {
        "The worst": draw_cases(run, tuned, base, worst, "worst"),
        "Some average ones": draw_cases(run, tuned, base, average, "average"),
    }


def _draw_attributes(found: Findings) -> None:
    tuned, base = found.tuned, found.base
    assert tuned is not None
    for name, of_it in tuned.summary["attributes"].items():
        if "confusion" in of_it:
            table = np.array(of_it["confusion"], np.int64)
            path = found.run.report / f"confusion_{name}.png"
            plot_confusion(table, of_it["classes"], path)
        elif tuned.outputs.truth[name].shape[1] == 3:
            truth = tuned.outputs.truth[name]
            known = np.isfinite(truth).all(1)
            old = None if base is None else base.outputs.attributes.get(name)
            plot_pose(
                truth[known], None if old is None else old[known],
                tuned.outputs.attributes[name][known], found.run.report / f"{name}.png",
            )  # fmt: skip


def write_report(
    found: Findings, cases: dict[str, list[Case]], curve: Curve, out: Path | None
) -> Path:
    """Draw the curve and write the page (and curve.csv); returns where the page lies."""
    run = found.run
    if curve.results:
        start = None if found.base is None else float(found.base.summary["nme"])
        plot_curve(curve.results, start, run.report / "curve.png")
        write_csv(run, curve.results)
    path = out or run.report / "report.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, build(found, cases, curve).encode("utf-8"))
    return path
