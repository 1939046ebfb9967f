"""What stands in each section of a report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from train.finetune.compare import is_better
from train.report.findings import (
    Findings,
    Finished,
    better_count,
    by_clip,
    minutes,
)
from train.report.frames import Case
from train.report.origin import census, provenance, reading, training
from train.report.page_parts import (
    Section,
    bullets,
    chart,
    details,
    esc,
    glossary,
    number,
    page,
    paragraph,
    photo,
    table,
    tile,
)
from train.report.share_curve import Curve, Result

KEY = (
    '<p class="soft legend"><span class="key" style="border:2px solid #00a853"></span>labelled '
    '<span class="key" style="background:#ff286e"></span>predicted, a yellow line joins the two '
    "points of a landmark</p>\n"
)


def build(found: Findings, cases: Mapping[str, Sequence[Case]], curve: Curve) -> str:
    """The whole page as HTML."""
    run = found.run
    sections = [
        Section("result", "Did it get better?", _result(found)),
        Section("errors", "How the errors spread", _errors(found)),
        Section("landmarks", "Landmarks", _landmarks(found)),
        Section("attributes", "Gestures and pose", _attributes(found)),
        Section("frames", "Held-out frames", _frames(run, cases)),
        Section("labels", "How many labels it takes", _curve(run, found, curve)),
        Section("data", "What it learnt from", census(run)),
        Section("training", "The training", training(found)),
        Section("provenance", "Where it comes from", provenance(found)),
        Section("reading", "How to read the numbers", glossary(reading(found))),
    ]
    title = f"{run.project.name}: report of run {run.out.name}"
    return page(title, _head(found), [s for s in sections if s.body])


def _head(found: Findings) -> str:
    run = found.run
    when = datetime.fromisoformat(str(run.facts["finished"]))
    parts = [
        f"<h1>{esc(run.project.name)}</h1>\n",
        paragraph(
            f"Run {run.out.name}, finished {when:%Y-%m-%d %H:%M}: {len(run.project.landmarks)} "
            f"landmarks of a {run.project.kind}, from {run.facts['base']}.", "soft",
        ),
        f'<div class="tiles">{_tiles(found)}</div>\n',
    ]  # fmt: skip
    if found.warnings:
        parts.append(
            '<section class="warnings"><h2>Before you trust the numbers</h2>'
            + bullets(w[:1].upper() + w[1:] + "." for w in found.warnings)
            + "</section>\n"
        )
    return "".join(parts)


def _tiles(found: Findings) -> str:
    if found.tuned is None:
        return tile("hold-out", "none", "nothing is measured")
    tuned, base, parts = found.tuned.summary, found.base, []
    if tuned["images"]:
        note, kind = f"{tuned['images']} held-out objects", ""
        if base is not None:
            change = 100 * (tuned["nme"] / base.summary["nme"] - 1)
            kind = "good" if change < 0 else "bad" if change > 0 else ""
            note = f"base {base.summary['nme']:.2f} %: {signed(change)}"
        parts.append(tile("NME, fine-tuned", number(tuned["nme"], 2, " %"), note, kind))
        if base is not None:
            won, of = better_count(base, found.tuned)
            parts.append(tile("nearer than the base", f"{won} of {of}", "held-out objects"))
    for name, of_it in tuned["attributes"].items():
        if "accuracy" in of_it:
            value, note = f"{100 * of_it['accuracy']:.0f} %", f"right of {of_it['count']}"
        else:
            value, note = f"{of_it['mean']:.1f}°", f"mean error, {of_it['count']} objects"
        parts.append(tile(name, value, note))
    return "".join(parts)


def _result(found: Findings) -> str:
    if found.tuned is None:
        return paragraph("Nothing is held out, so nothing can be measured. Label a second clip.")
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
    text = table(("on the hold-out", "base", "fine-tuned"), rows, (1, 2))
    if base is None:
        text += paragraph(
            "The base knows other landmarks, so it cannot be measured on these.", "soft"
        )
    elif tuned["images"]:
        text += _changes(base, tuned)
    return text + paragraph(f"Normaliser: {tuned['normaliser']}.", "soft")


def _changes(base: Mapping[str, Any], tuned: Mapping[str, Any]) -> str:
    changes = is_better(base, tuned)
    better = [f"{n} {a:.1f} → {b:.1f} %" for n, a, b in changes[:5] if b < a]
    worse = [f"{n} {a:.1f} → {b:.1f} %" for n, a, b in reversed(changes[-5:]) if b > a]
    return paragraph("Better: " + (", ".join(better) or "no landmark") + ".") + paragraph(
        "Worse: " + (", ".join(worse) or "no landmark") + "."
    )


def _errors(found: Findings) -> str:
    if found.tuned is None or not found.tuned.summary["images"]:
        return ""
    tuned, base = found.tuned.each, None if found.base is None else found.base.each
    known = tuned[np.isfinite(tuned)]
    alt = (
        "Cumulative error distribution on the hold-out. Fine-tuned: half of the objects within "
        f"{np.median(known):.2f} %, nine of ten within {np.percentile(known, 90):.2f} %."
    )
    if base is not None:
        old = base[np.isfinite(base)]
        alt += f" Base: {np.median(old):.2f} % and {np.percentile(old, 90):.2f} %."
    return chart(found.run.report / "ced.png", alt, "The further left and up a line, the better.")


def _landmarks(found: Findings) -> str:
    if found.tuned is None or not found.tuned.summary["images"]:
        return ""
    tuned = found.tuned.summary["per_landmark_nme"]
    base = None if found.base is None else found.base.summary["per_landmark_nme"]
    known = {n: v for n, v in tuned.items() if math.isfinite(v)}
    order = sorted(known, key=lambda n: -known[n])
    alt = "Mean error of each landmark, as bars"
    if order:
        alt += f"; largest at {order[0]} ({known[order[0]]:.1f} %)"
        alt += f", smallest at {order[-1]} ({known[order[-1]]:.1f} %)"
    rows = [(n, number(None if base is None else base[n]), number(v)) for n, v in tuned.items()]
    return chart(found.run.report / "landmarks.png", alt + ".") + details(
        "The numbers", table(("landmark", "base, %", "fine-tuned, %"), rows, (1, 2))
    )


def _attributes(found: Findings) -> str:
    if found.tuned is None:
        return ""
    text = ""
    for name, of_it in found.tuned.summary["attributes"].items():
        if "confusion" in of_it:
            text += _confusion(found.run, name, of_it)
        else:
            text += _pose(found, name, of_it)
    return text


def _confusion(run: Finished, name: str, of_it: Mapping[str, Any]) -> str:
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
    return (
        f"<h3>{esc(name)}</h3>\n"
        + paragraph(said)
        + chart(run.report / f"confusion_{name}.png", f"Confusion matrix of {name}. {said}",
                "Rows: labelled; columns: predicted; the diagonal is right.")
        + details("The numbers", table(("labelled \\ predicted", *classes), rows,
                                       tuple(range(1, len(classes) + 1))))
    )  # fmt: skip


def _pose(found: Findings, name: str, of_it: Mapping[str, Any]) -> str:
    old = None if found.base is None else found.base.summary["attributes"].get(name)
    rows = [
        (axis, number(None if old is None else old["mean_abs_error"][i], 1, "°"),
         number(of_it["mean_abs_error"][i], 1, "°"))
        for i, axis in enumerate(("yaw", "pitch", "roll"))
    ]  # fmt: skip
    alt = f"Predicted against labelled {name}; mean error {of_it['mean']:.1f} degrees."
    return (
        f"<h3>{esc(name)}</h3>\n"
        + table(("mean error", "base", "fine-tuned"), rows, (1, 2))
        + chart(found.run.report / f"{name}.png", alt, "On the line: as labelled.")
    )


def _frames(run: Finished, cases: Mapping[str, Sequence[Case]]) -> str:
    text = ""
    for title, found in cases.items():
        if not found:
            continue
        pictures = "".join(photo(run.report / c.file, _alt(c), _caption(c)) for c in found)
        text += f'<h3>{esc(title)}</h3>\n{KEY}<div class="cases">{pictures}</div>\n'
    return text


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


def _curve(run: Finished, found: Findings, curve: Curve) -> str:
    text = "".join(paragraph(n[:1].upper() + n[1:] + ".") for n in curve.notes)
    if curve.missing:
        text += paragraph(
            f"{curve.missing} trainings of this curve are not done yet; 'train report "
            f"{run.project.root.name}' goes on with them."
        )
    if not curve.results:
        return text or paragraph(
            f"Not measured. 'train report {run.project.root.name}' trains the cells of this curve."
        )
    text += paragraph(
        f"Each point is a training of its own, from the same start, with the same {curve.budget}, "
        "on that share of the labelled frames; it is measured on the hold-out once, at its end."
    )
    best = min(curve.results, key=lambda r: r.nme)
    alt = (
        "Hold-out error against the share of labels. Lowest: "
        f"{best.row} with {100 * best.share:.0f} % of the labels, {best.nme:.2f} %."
    )
    text += chart(run.report / "curve.png", alt, curve_sentence(curve.results))
    columns = ("row", "share", "labelled", "seed", "steps", "time", "NME", "PCK@0.1", "gesture")
    rows = [
        (r.row, f"{100 * r.share:.0f} %", r.labelled, r.seed, r.steps,
         "–" if r.seconds is None else minutes(r.seconds), number(r.nme, 2, " %"), number(r.pck, 3),
         number(r.accuracy, 3))
        for r in curve.results
    ]  # fmt: skip
    return text + details("The numbers (also in curve.csv)", table(columns, rows, range(1, 9)))


def signed(change: float) -> str:
    """A change in %, with a true minus."""
    return f"{change:+.0f} %".replace("-", "−")


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
