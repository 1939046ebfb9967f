"""The page of a report: one HTML file, pictures inside, no script, nothing from elsewhere.

What is told is found here as plain data; how it stands on the page is in report.html (Jinja2).
Names of clips, classes and landmarks come from people: the templates escape every text.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tracker.whole_files import write_whole
from train.evaluate.interval import Change
from train.finetune.compare import is_better
from train.report.charts import (
    plot_ced,
    plot_confusion,
    plot_curve,
    plot_landmarks,
    plot_pose,
    plot_training,
)
from train.report.findings import (
    Findings,
    Finished,
    Kept,
    better_count,
    by_clip,
    clip_rows,
    minutes,
)
from train.report.frames import Case, choose_cases, clear_cases, draw_cases
from train.report.share_curve import Curve, Result, write_csv

WORST = 9  # frames that are shown
AVERAGE = 3

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Png:
    """A picture as a page holds it."""

    width: int
    height: int
    source: str  # data:


@cache
def templates() -> Environment:
    """The files beside this one. A name that is not given is an error, not an empty text."""
    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined,
        finalize=whole,
    )  # fmt: skip
    found.filters["sentence"] = sentence
    return found


def whole(value: object) -> object:
    """A number and its % stay on one line."""
    return value.replace(" %", "\u00a0%") if type(value) is str else value


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return text[:1].upper() + text[1:] + "."


def number(value: float | None, digits: int = 2, unit: str = "") -> str:
    """A number as text, a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.{digits}f}{unit}"


def build(found: Findings, cases: Mapping[str, Sequence[Case]], curve: Curve) -> str:
    """The whole page as HTML."""
    run = found.run
    given = {
        **_head(found), **_result(found), **_errors(found), **_landmarks(found),
        "attribute_results": _attributes(found), "cases": _cases(cases),
        **_curve(curve), **_census(run), **_training(found),
        "provenance": _provenance(found), "best_is_kept": run.spec.keep == "best",
        "picture": lambda name: read_png(run.report / name),
    }  # fmt: skip
    return templates().get_template("report.html").render(given)


def read_png(path: Path) -> Png | None:
    """A PNG for the page; None where there is none."""
    if not path.is_file():
        return None
    data = path.read_bytes()
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    return Png(width, height, f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}")


def _head(found: Findings) -> Facts:
    run = found.run
    return {
        "project": run.project.name, "run": run.out.name, "folder": run.project.root.name,
        "finished": f"{datetime.fromisoformat(str(run.facts['finished'])):%Y-%m-%d %H:%M}",
        "count": len(run.project.landmarks), "kind": run.project.kind, "base": run.facts["base"],
        "tiles": _tiles(found), "warnings": found.warnings,
    }  # fmt: skip


def _tiles(found: Findings) -> list[tuple[str, ...]]:
    """(name, value, note, kind) of each headline number."""
    if found.tuned is None:
        return [("hold-out", "none", "nothing is measured")]
    tuned, base, tiles = found.tuned.summary, found.base, list[tuple[str, ...]]()
    if tuned["images"]:
        note, kind = f"{tuned['images']} held-out objects", ""
        if base is not None and found.change is not None:
            kind = {"better": "good", "worse": "bad"}.get(found.change.verdict, "")
            note = f"base {base.summary['nme']:.2f} %: {with_interval(found.change)}"
        tiles.append(("NME, fine-tuned", number(tuned["nme"], 2, " %"), note, kind))
        if base is not None:
            won, of = better_count(base, found.tuned)
            tiles.append(("nearer than the base", f"{won} of {of}", "held-out objects"))
    for name, of_it in tuned["attributes"].items():
        if "accuracy" in of_it:
            value, note = f"{100 * of_it['accuracy']:.0f} %", f"right of {of_it['count']}"
        else:
            value, note = f"{of_it['mean']:.1f}°", f"mean error, {of_it['count']} objects"
        tiles.append((name, value, note))
    return tiles


def _result(found: Findings) -> Facts:
    if found.tuned is None:
        return {"result_rows": None}
    run, tuned = found.run, found.tuned.summary
    base = None if found.base is None else found.base.summary
    rows: list[tuple[str, str, str]] = []
    if tuned["images"]:
        for name, key, digits, scale, unit in (
            ("NME", "nme", 2, 1, " %"),
            ("points within 10 % of the normaliser", "pck@0.1", 1, 100, " %"),
            ("area under the curve up to 10 %", "auc@10%", 3, 1, ""),
            ("objects with an NME above 10 %", "failures>10%", 1, 100, " %"),
        ):  # fmt: skip
            old = None if base is None else scale * base[key]
            rows.append((name, number(old, digits, unit), number(scale * tuned[key], digits, unit)))
        before = {} if found.base is None else by_clip(found.base, run)
        for clip, value in by_clip(found.tuned, run).items():
            rows.append(
                (f"NME in {clip}", number(before.get(clip), 2, " %"), number(value, 2, " %"))
            )
    for name, of_it in tuned["attributes"].items():
        key, unit = ("accuracy", "") if "accuracy" in of_it else ("mean", "°")
        old = None if base is None else base["attributes"].get(name, {}).get(key)
        rows.append((f"{name} {'accuracy' if not unit else 'mean error'}",
                     number(old, 3, unit), number(of_it[key], 3, unit)))  # fmt: skip
    changes = _changes(base, tuned) if base is not None and tuned["images"] else None
    return {
        "result_rows": rows, "has_base": base is not None, "changes": changes,
        "change": None if found.change is None else signs(found.change.words),
        "normaliser": tuned["normaliser"],
    }  # fmt: skip


def _changes(base: Mapping[str, Any], tuned: Mapping[str, Any]) -> dict[str, list[str]]:
    # What is the same as it is printed is neither.
    changes = [c for c in is_better(base, tuned) if f"{c[1]:.1f}" != f"{c[2]:.1f}"]
    return {
        "better": [f"{n} {a:.1f} → {b:.1f} %" for n, a, b in changes[:5] if b < a],
        "worse": [f"{n} {a:.1f} → {b:.1f} %" for n, a, b in reversed(changes[-5:]) if b > a],
    }


def _errors(found: Findings) -> Facts:
    if found.tuned is None or not found.tuned.summary["images"]:
        return {"errors_alt": ""}
    tuned, base = found.tuned.each, None if found.base is None else found.base.each
    known = tuned[np.isfinite(tuned)]
    alt = (
        "Cumulative error distribution on the hold-out. Fine-tuned: half of the objects within "
        f"{np.median(known):.2f} %, nine of ten within {np.percentile(known, 90):.2f} %."
    )
    if base is not None:
        old = base[np.isfinite(base)]
        alt += f" Base: {np.median(old):.2f} % and {np.percentile(old, 90):.2f} %."
    return {"errors_alt": alt}


def _landmarks(found: Findings) -> Facts:
    if found.tuned is None or not found.tuned.summary["images"]:
        return {"landmark_rows": ()}
    tuned = found.tuned.summary["per_landmark_nme"]
    base = None if found.base is None else found.base.summary["per_landmark_nme"]
    known = {n: v for n, v in tuned.items() if math.isfinite(v)}
    order = sorted(known, key=lambda n: -known[n])
    alt = "Mean error of each landmark, as bars"
    if order:
        alt += f"; largest at {order[0]} ({known[order[0]]:.1f} %)"
        alt += f", smallest at {order[-1]} ({known[order[-1]]:.1f} %)"
    rows = [(n, number(None if base is None else base[n]), number(v)) for n, v in tuned.items()]
    return {"landmarks_alt": alt + ".", "landmark_rows": rows}


def _attributes(found: Findings) -> list[Facts]:
    given = {} if found.tuned is None else found.tuned.summary["attributes"]
    return [
        _confusion(name, of_it) if "confusion" in of_it else _pose(found, name, of_it)
        for name, of_it in given.items()
    ]


def _confusion(name: str, of_it: Mapping[str, Any]) -> Facts:
    classes, counts = of_it["classes"], of_it["confusion"]
    wrong = sorted(
        ((counts[i][j], classes[i], classes[j])
         for i in range(len(classes)) for j in range(len(classes)) if i != j and counts[i][j]),
        reverse=True,
    )  # fmt: skip
    said = f"{100 * of_it['accuracy']:.1f} % of {of_it['count']} held-out objects are right."
    if wrong:
        said += " Most often mistaken: " + "; ".join(
            f"{truth} for {guess} ({count})" for count, truth, guess in wrong[:3]
        ) + "."  # fmt: skip
    rows = [(c, *counts[i]) for i, c in enumerate(classes)]
    columns = ("labelled \\ predicted", *classes)
    return {"name": name, "columns": columns, "said": said, "rows": rows}


def _pose(found: Findings, name: str, of_it: Mapping[str, Any]) -> Facts:
    old = None if found.base is None else found.base.summary["attributes"].get(name)
    rows = [
        (axis, number(None if old is None else old["mean_abs_error"][i], 1, "°"),
         number(of_it["mean_abs_error"][i], 1, "°"))
        for i, axis in enumerate(("yaw", "pitch", "roll"))
    ]  # fmt: skip
    alt = f"Predicted against labelled {name}; mean error {of_it['mean']:.1f} degrees."
    return {"name": name, "columns": (), "alt": alt, "rows": rows}


def _cases(cases: Mapping[str, Sequence[Case]]) -> dict[str, list[Facts]]:
    return {
        title: [{"file": c.file, "alt": _alt(c), "caption": _caption(c)} for c in found]
        for title, found in cases.items()
    }


def _caption(case: Case) -> str:
    at = f"{case.place.clip}, frame {case.place.frame}"
    if case.place.t is not None:
        at += f", {case.place.t:.2f} s"
    before = "" if case.base_nme is None else f" (base {case.base_nme:.1f} %)"
    return (
        f"{at}: NME {case.nme:.1f} %{before}; worst {case.worst_landmark} {case.worst_error:.0f} %"
    )


def _alt(case: Case) -> str:
    return (
        f"Labelled and predicted landmarks in {case.place.clip}, frame {case.place.frame}; "
        f"mean error {case.nme:.1f} %, largest at {case.worst_landmark}"
    )


def _curve(curve: Curve) -> Facts:
    if not curve.results:
        return {"curve": curve}
    best = min(curve.results, key=lambda r: r.nme)
    alt = (
        "Hold-out error against the share of labels. Lowest: "
        f"{best.row} with {100 * best.share:.0f} % of the labels, {best.nme:.2f} %."
    )
    rows = [
        (r.row, f"{100 * r.share:.0f} %", r.labelled, r.seed, r.steps,
         "–" if r.seconds is None else minutes(r.seconds), number(r.nme, 2, " %"), number(r.pck, 3),
         number(r.accuracy, 3))
        for r in curve.results
    ]  # fmt: skip
    said = curve_sentence(curve.results)
    return {"curve": curve, "curve_alt": alt, "curve_said": said, "curve_rows": rows}


def _census(run: Finished) -> Facts:
    """Labelled frames and seconds of each clip, and what was made of them."""
    rows = clip_rows(run)
    ranged = [r for r in rows if r.classes]
    table = [
        (r.clip, r.side, "pictures" if r.seconds is None else f"{r.seconds:.1f} s", r.frames,
         r.objects, r.empty, r.accepted, r.proposed)
        for r in rows
    ]  # fmt: skip
    by_class = [
        (c, *(number(r.classes.get(c), 1) for r in ranged),
         number(sum(r.classes.get(c, 0.0) for r in rows), 1))
        for c in sorted({c for r in rows for c in r.classes})
    ]  # fmt: skip
    stretch = "{} from {:.1f} to {:.1f} s".format(*run.split.stretch) if run.split.stretch else ""
    held = ", ".join(run.split.hold) or stretch or "nothing"
    return {
        "clip_table": table, "class_columns": ("class", *(r.clip for r in ranged), "all"),
        "class_rows": by_class, "example_rows": _examples(run),
        "held": f"{held} ({run.split.why})",
    }  # fmt: skip


def _examples(run: Finished) -> list[tuple[str, int, int]]:
    census = run.census
    named = [("labelled objects", census.labelled), ("unlabelled frames", census.unlabelled)]
    for attribute, classes in census.attributes.items():
        named += [(f"{attribute} {c}", sides) for c, sides in sorted(classes.items())]
    if census.spread:
        named.insert(1, ("objects whose labels were spread", {"train": census.spread}))
    return [(n, c.get("train", 0), c.get("hold", 0)) for n, c in named]


def _kept(kept: Kept, steps: int) -> str:
    text = f"The model has the weights of step {kept.step} of at most {steps}"
    if kept.step == 0:
        return "Nothing that was learnt was better on the hold-out than the start, which was kept."
    if kept.blend < 1:
        text += f", blended: {100 * kept.blend:.0f} % of them, the rest the start's"
    return text + "."


def _training(found: Findings) -> Facts:
    """Curves, the step that was kept, settings with their reasons."""
    run, net = found.run, found.run.spec.net
    panels = {"loss": "training loss", "nme": "hold-out NME"}
    panels |= {h.attribute.name: f"hold-out {h.attribute.name}" for h in run.spec.heads}
    rows = [(c["what"], c["value"], c["why"]) for c in run.facts["choices"]]
    rows += [("steps", str(run.spec.steps), "at most; a run ends when nothing gets better")]
    loss = ", ".join(f"{k} {v:g}" for k, v in run.facts["spec"]["loss"].items()
                     if isinstance(v, int | float) and v)  # fmt: skip
    return {
        "panels": panels, "kept": _kept(found.kept, run.spec.steps), "setting_rows": rows,
        "loss": loss, "network": f"{net.name}, {net.size} px, {net.colour}",
    }  # fmt: skip


def _provenance(found: Findings) -> dict[str, str]:
    """Base, licence, command, machine, versions and sums."""
    run = found.run
    made: Mapping[str, Any] = run.facts.get("provenance", {})
    begun, ended = (datetime.fromisoformat(str(run.facts[k])) for k in ("begun", "finished"))
    told = {
        "base": str(run.facts["base"]),
        "licence of the base": found.base_facts.get("licence", "not stated"),
        "data of the base": found.base_facts.get("data", "not stated"),
        "sha256 of the base": found.base_facts.get("sha256", "–"),
        "command": str(made.get("command", "not kept")),
        "seed": str(run.spec.seed),
        "begun": f"{begun:%Y-%m-%d %H:%M:%S %z}",
        "finished": f"{ended:%Y-%m-%d %H:%M:%S %z}",
        "machine": ", ".join(f"{k} {v}" for k, v in made.get("machine", {}).items()) or "not kept",
        "versions": ", ".join(f"{k} {v}" for k, v in made.get("versions", {}).items())
        or "not kept",
        "labels and clips (digest)": str(run.facts["data"]),
        **{f"sha256 of {name}": value for name, value in found.sums.items()},
    }
    return {k: v for k, v in told.items() if v != "–"}


def with_interval(change: Change) -> str:
    """The change, from where to where it may lie, and whether that shows a difference."""
    text = signed(change.percent)
    if math.isfinite(change.low + change.high):
        text += f" (95 % interval {signed(change.low)} to {signed(change.high)})"
    return text if change.verdict in ("better", "worse") else f"{text}, no difference shown"


def signed(change: float) -> str:
    """A change in %, with a true minus."""
    return f"{change:+.0f} %".replace("-", "−")


def signs(text: str) -> str:
    """With true minus signs before numbers."""
    return re.sub(r"-(?=\d)", "\u2212", text)


def curve_sentence(results: Sequence[Result]) -> str:
    """What the unlabelled frames and the ranges brought at the smallest share of labels."""
    low = min(r.share for r in results)
    at = {
        row: float(np.mean([r.nme for r in results if r.row == row and r.share == low]))
        for row in dict.fromkeys(r.row for r in results if r.share == low)
    }
    if "L" not in at or len(at) < 2:
        return "L: labelled landmarks; A: labelled time ranges; ELT: unlabelled frames."
    others = ", ".join(
        f"{n} {v:.2f} % ({signed(100 * (v / at['L'] - 1))})" for n, v in at.items() if n != "L"
    )
    return (
        f"With {100 * low:.0f} % of the labels: L alone {at['L']:.2f} %, {others}. "
        "L: labelled landmarks; A: labelled time ranges; ELT: unlabelled frames."
    )


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
            counts = np.array(of_it["confusion"], np.int64)
            path = found.run.report / f"confusion_{name}.png"
            plot_confusion(counts, of_it["classes"], path)
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
