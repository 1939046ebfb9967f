"""The sections of a report on what the run was made of: data, training, origin, words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from train.report.findings import Findings, Finished, Kept, clip_rows
from train.report.page_parts import chart, details, facts, number, paragraph, table


def census(run: Finished) -> str:
    """Labelled frames and seconds of each clip, and what was made of them."""
    rows = clip_rows(run)
    text = table(
        ("clip", "used for", "length", "labelled frames", "objects", "marked empty"),
        [
            (r.clip, r.side, "pictures" if r.seconds is None else f"{r.seconds:.1f} s", r.frames,
             r.objects, r.empty)
            for r in rows
        ],
        (2, 3, 4, 5),
    )  # fmt: skip
    classes = sorted({c for r in rows for c in r.classes})
    if classes:
        text += "<h3>Labelled seconds of each class</h3>\n" + table(
            ("class", *(r.clip for r in rows if r.classes), "all"),
            [
                (c, *(number(r.classes.get(c), 1) for r in rows if r.classes),
                 number(sum(r.classes.get(c, 0.0) for r in rows), 1))
                for c in classes
            ],
            tuple(range(1, len(rows) + 2)),
        )  # fmt: skip
    text += "<h3>Training examples made of this</h3>\n" + table(
        ("", "training", "hold-out"), _examples(run), (1, 2)
    )
    held = ", ".join(run.split.hold) or (
        "{} from {:.1f} to {:.1f} s".format(*run.split.stretch) if run.split.stretch else "nothing"
    )
    return text + paragraph(f"Held out: {held} ({run.split.why}).", "soft")


def _examples(run: Finished) -> list[tuple[str, int, int]]:
    census = run.census
    named = [("labelled objects", census.labelled), ("unlabelled frames", census.unlabelled)]
    for attribute, classes in census.attributes.items():
        named += [(f"{attribute} {c}", sides) for c, sides in sorted(classes.items())]
    return [(n, c.get("train", 0), c.get("hold", 0)) for n, c in named]


def _kept(kept: Kept, steps: int) -> str:
    text = f"The model has the weights of step {kept.step} of at most {steps}"
    if kept.step == 0:
        return "Nothing that was learnt was better on the hold-out than the start, which was kept."
    if kept.blend < 1:
        text += f", blended: {100 * kept.blend:.0f} % of them, the rest the start's"
    return text + "."


def training(found: Findings) -> str:
    """Curves, the step that was kept, settings with their reasons."""
    run = found.run
    panels = {"loss": "training loss", "nme": "hold-out NME"}
    panels |= {h.attribute.name: f"hold-out {h.attribute.name}" for h in run.spec.heads}
    charts = [
        chart(run.report / f"training_{short}.png", f"Curve of the {title} over the steps.")
        for short, title in panels.items()
    ]
    text = f'<div class="panels">{"".join(charts)}</div>\n'
    text += paragraph(_kept(found.kept, run.spec.steps), "soft")
    rows = [(c["what"], c["value"], c["why"]) for c in run.facts["choices"]]
    rows += [("steps", str(run.spec.steps), "at most; a run ends when nothing gets better")]
    text += table(("setting", "value", "why"), rows)
    loss = ", ".join(f"{k} {v:g}" for k, v in run.facts["spec"]["loss"].items()
                     if isinstance(v, int | float) and v)  # fmt: skip
    net = run.spec.net
    return text + details(
        "All of the loss and the network",
        facts({"loss": loss, "network": f"{net.name}, {net.size} px, {net.colour}"}),
    )


def provenance(found: Findings) -> str:
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
    return facts({k: v for k, v in told.items() if v != "–"})


def reading(found: Findings) -> dict[str, str]:
    """Words of this page, a sentence on each."""
    told = {
        "Hold-out": "Clips that the training never saw; only their numbers are shown here.",
        "NME": "The mean distance between labelled and predicted landmarks, in % of the "
        "normaliser; smaller is better.",
        "PCK, points within 10 %": "The share of landmarks that are nearer to their label than a "
        "tenth of the normaliser.",
        "Error curve": "For each error on the axis, the share of held-out objects that are no "
        "worse; its area up to 10 % is 1 when every landmark is perfect.",
        "Confusion matrix": "How often a labelled class (row) was told as each class (column).",
        "L, A, ELT": "Learning from labelled landmarks, from labelled time ranges, and from "
        "unlabelled frames that must move with their warp.",
        "Crops": "Both models see the crop that the labels ask for; a live tracker's crop comes "
        "from the frame before and is a little worse.",
    }
    if found.run.spec.keep == "best":
        told["The best step"] = (
            "The step (and the blend with the start) that is kept was chosen on this same "
            "hold-out, which flatters a little; the points of the share curve are not chosen so."
        )
    return told
