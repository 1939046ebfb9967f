"""The page of a report: one HTML file, pictures inside, no script, nothing from elsewhere.

Names of clips, classes and landmarks come from people: every text passes `esc`.
"""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STYLE = """
:root{color-scheme:light dark;--paper:#f6f7f9;--card:#fff;--ink:#1c1f23;--soft:#5a626d;
--line:#dde1e7;--good:#00734c;--bad:#b3261e;--warn:#fff4dd;--warnline:#d99a1c}
@media (prefers-color-scheme:dark){:root{--paper:#121417;--card:#1b1e23;--ink:#e8eaed;
--soft:#a3abb6;--line:#343941;--good:#4cd29f;--bad:#ff8a80;--warn:#332a15;--warnline:#c98f1b}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,
"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:anywhere}
main{max-width:62rem;margin:0 auto;padding:1rem}
h1{font-size:1.6rem;line-height:1.2;margin:.6rem 0 .2rem}
h2{font-size:1.2rem;margin:0 0 .5rem}
h3{font-size:1rem;margin:1rem 0 .3rem}
p{margin:.4rem 0;max-width:46rem}
.soft{color:var(--soft)}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1rem;
margin:1rem 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.7rem;
margin:1rem 0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.7rem .9rem}
.tile b{display:block;font-size:1.5rem;line-height:1.25;font-variant-numeric:tabular-nums}
.good{color:var(--good)}.bad{color:var(--bad)}
.warnings{background:var(--warn);border-color:var(--warnline)}
ul{margin:.3rem 0;padding-left:1.2rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.4rem 0}
th,td{padding:.25rem .7rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;
overflow-wrap:normal}
.facts td{overflow-wrap:anywhere}.facts th{min-width:6.5rem}
th{font-weight:600;color:var(--soft)}
.n{text-align:right;white-space:nowrap}
img{max-width:100%;height:auto;display:block;border-radius:6px}
img.dark{display:none}
@media (prefers-color-scheme:dark){img.light{display:none}img.dark{display:block}}
figure{margin:.5rem 0}
figcaption{font-size:.9rem;color:var(--soft)}
.cases{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.9rem}
.cases figure{margin:0}.cases img{width:100%}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:.5rem}
.key{display:inline-block;width:.8em;height:.8em;border-radius:50%;vertical-align:-.08em;
margin-right:.25em}
dl{margin:.3rem 0}dt{font-weight:600;margin-top:.5rem}dd{margin:0}
code{font:.9em ui-monospace,Menlo,Consolas,monospace}
details{margin:.5rem 0}summary{cursor:pointer;color:var(--soft)}
nav{font-size:.92rem}nav a{margin-right:.9rem;color:inherit}
@media (max-width:34rem){main{padding:.6rem}section{padding:.7rem}th,td{padding:.2rem .35rem}}
@media print{:root{color-scheme:light;--paper:#fff;--card:#fff;--ink:#000;--soft:#444;
--line:#bbb;--good:#00573a;--bad:#8c1d18;--warn:#fff;--warnline:#888}
body{font-size:10.5pt}main{max-width:none;padding:0}nav{display:none}
section{border:0;padding:.2rem 0;margin:.6rem 0}
img.light{display:block!important}img.dark{display:none!important}
figure,tr,.tile{break-inside:avoid}h2,h3,.legend{break-after:avoid}
figure>img{max-width:11.5cm}.cases img{max-width:100%}
.cases{grid-template-columns:repeat(3,1fr)}.wide{overflow:visible}}
"""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: its anchor, its heading, and HTML that is safe already."""

    anchor: str
    title: str
    body: str


def esc(text: object) -> str:
    """Text that cannot become markup; a number and its % stay on one line."""
    return html.escape(str(text), quote=True).replace(" %", "\u00a0%")


def number(value: float | None, digits: int = 2, unit: str = "") -> str:
    """A number as text, a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.{digits}f}{unit}"


def page(title: str, head: str, sections: Sequence[Section]) -> str:
    """The whole file. `head` is HTML that is safe already."""
    links = "".join(f'<a href="#{s.anchor}">{esc(s.title)}</a> ' for s in sections)
    parts = [head, f'<nav aria-label="Contents">{links}</nav>']
    parts += [
        f'<section id="{s.anchor}"><h2>{esc(s.title)}</h2>\n{s.body}</section>' for s in sections
    ]
    return PAGE.format(title=esc(title), style=STYLE, body="\n".join(parts))


def paragraph(text: str, kind: str = "") -> str:
    """Plain text as a paragraph."""
    return f"<p{_class(kind)}>{esc(text)}</p>\n"


def bullets(texts: Iterable[str]) -> str:
    """Plain texts as a list."""
    return "<ul>" + "".join(f"<li>{esc(t)}</li>" for t in texts) + "</ul>\n"


def tile(name: str, value: str, note: str = "", kind: str = "") -> str:
    """A headline number."""
    return (
        f'<div class="tile"><span class="soft">{esc(name)}</span><b{_class(kind)}>{esc(value)}</b>'
        f'<span class="soft">{esc(note)}</span></div>\n'
    )


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], numbers: Sequence[int] = ()
) -> str:
    """Plain cells; `numbers`: columns that stand to the right."""

    def cell(tag: str, i: int, value: object) -> str:
        scope = ' scope="col"' if tag == "th" else ""
        return f"<{tag}{scope}{_class('n' if i in numbers else '')}>{esc(value)}</{tag}>"

    head = "".join(cell("th", i, c) for i, c in enumerate(columns))
    body = "\n".join(
        "<tr>" + "".join(cell("td", i, v) for i, v in enumerate(row)) + "</tr>" for row in rows
    )
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>\n"
    )


def details(summary: str, body: str) -> str:
    """HTML that opens on a click."""
    return f"<details><summary>{esc(summary)}</summary>{body}</details>\n"


def facts(pairs: Mapping[str, str]) -> str:
    """Names and values, the values as code where they are to be copied."""
    rows = "".join(
        f'<tr><th scope="row">{esc(k)}</th><td>{esc(v)}</td></tr>' for k, v in pairs.items()
    )
    return f'<table class="facts"><tbody>{rows}</tbody></table>\n'


def glossary(pairs: Mapping[str, str]) -> str:
    """Words and a sentence on each."""
    rows = "".join(f"<dt>{esc(k)}</dt><dd>{esc(v)}</dd>" for k, v in pairs.items())
    return f"<dl>{rows}</dl>\n"


def chart(path: Path, alt: str, caption: str = "") -> str:
    """A light and a dark PNG, of which the reader sees one; nothing where there is no file."""
    if not path.is_file():
        return ""
    dark = path.with_name(f"{path.stem}_dark{path.suffix}")
    images = image(path, alt, "light") + image(dark, alt, "dark")
    below = f"<figcaption>{esc(caption)}</figcaption>" if caption else ""
    return f"<figure>{images}{below}</figure>\n"


def photo(path: Path, alt: str, caption: str) -> str:
    """A picture with a text below."""
    return f"<figure>{image(path, alt)}<figcaption>{esc(caption)}</figcaption></figure>\n"


def image(path: Path, alt: str, kind: str = "") -> str:
    """A PNG inside the page, with its size, so that nothing jumps while it loads."""
    data = path.read_bytes()
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    source = base64.b64encode(data).decode("ascii")
    return (
        f'<img{_class(kind)} width="{width}" height="{height}" alt="{esc(alt)}" '
        f'src="data:image/png;base64,{source}">'
    )


def _class(kind: str) -> str:
    return f' class="{esc(kind)}"' if kind else ""
