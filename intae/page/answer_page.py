"""The first page of a data set: one HTML file without scripts, and its summary for the report."""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Iterable, Mapping

import pandas as pd
from matplotlib.figure import Figure

from ..figures.sentences import bold, escaped
from .answer import Answer, Line, name_of
from .render import read_template

DPI = 110
NAMED = 3  # other members of a family that are named; the rest is counted
SUMMARY = 5  # terms that the report's first page names
COLUMNS = {
    "term": ("Gene set", "Below it: other names that the data cannot tell from it"),
    "higher": ("Where it is higher", ""),
    "auroc": (
        "AUROC on unseen cells",
        "How well it tells the conditions apart in cells that the fit never saw: 0.5 is chance, 1 "
        "is perfect",
    ),
    "repeated": (
        "Is it found again?",
        "How often the fits to both halves of the cells, or of the donors, have it on",
    ),
    "needed": ("Is it needed?", "Whether another gene set could say the same"),
}


def render_answer(
    answer: Answer, maps: Mapping[str, Figure] | None = None, about_maps: str = ""
) -> str:
    """Make the page, whole, in one text.

    Parameters
    ----------
    answer
        What it says.
    maps, about_maps
        Maps of the cells by what they are coloured by, and a sentence on where they come from.
    """
    parts = {
        "title": f"The answer for {answer.dataset}",
        "headline": html.escape(answer.headline),
        "method": html.escape(answer.method),
        "facts": _list([answer.counts, answer.plain, answer.lost[0], answer.cost]),
        "table": _table(answer.lines),
        "umap": _pictures(maps or {}, about_maps),
        "missing": _list(answer.missing, "What this run does not say"),
        "lost": _lost(answer.lost[1]),
    }
    parts["title"] = html.escape(parts["title"])
    return re.sub(r"\{\{ (\w+) \}\}", lambda found: parts[found[1]], read_template("answer.html"))


def summarise(answer: Answer) -> str:
    """Return the answer as a few lines of reStructuredText, for the report's first page."""
    lines = []
    for line in answer.lines[:SUMMARY]:
        said = [name_of(line.term), line.higher.split(";")[0]]
        if not pd.isna(line.auroc):
            said.append(f"AUROC {line.auroc:.2f} on unseen cells")
        lines.append(f"* {escaped(', '.join(filter(None, said)))}")
    more = [answer.counts, answer.plain, answer.lost[0], answer.cost]
    return "\n\n".join(
        [
            f"{bold(answer.dataset + ': ' + answer.headline)} Its most relevant gene sets "
            f"by {escaped(answer.method)}:",
            "\n".join(lines),
            escaped(" ".join(filter(None, more))),
        ]
    )


def _list(sentences: Iterable[str], heading: str = "") -> str:
    items = "".join(f"<li>{html.escape(text)}</li>" for text in sentences if text)
    if not items:
        return ""
    return f"{f'<h2>{html.escape(heading)}</h2>' if heading else ''}<ul>{items}</ul>"


def _table(lines: list[Line]) -> str:
    if not lines:
        return ""
    cells = [(_term(line), *map(html.escape, _said(line))) for line in lines]
    filled = [any(row[i] for row in cells) for i in range(len(COLUMNS))]
    heads = "".join(
        f'<th scope="col">{html.escape(title)}'
        f"{f'<span>{html.escape(note)}</span>' if note else ''}</th>"
        for (title, note), some in zip(COLUMNS.values(), filled, strict=True)
        if some
    )
    rows = []
    for row in cells:
        parts = []
        for (title, _), text, some, first in zip(
            COLUMNS.values(), row, filled, (True, *[False] * len(row)), strict=False
        ):
            if some and first:
                parts.append(f'<th scope="row">{text}</th>')
            elif some:
                parts.append(
                    f'<td data-label="{html.escape(title.rstrip("?"))}">{text or "not known"}</td>'
                )
        rows.append(f"<tr>{''.join(parts)}</tr>")
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _said(line: Line) -> tuple[str, str, str, str]:
    auroc = "" if pd.isna(line.auroc) else f"{line.auroc:.2f}"
    if auroc and line.auroc_spread:
        auroc += f" ({line.auroc_spread})"
    return line.higher, auroc, line.repeated, line.needed


def _term(line: Line) -> str:
    text = html.escape(name_of(line.term))
    if not line.others:
        return text
    named = ", ".join(map(name_of, line.others[:NAMED]))
    more = len(line.others) - NAMED
    return f"{text}<span>or {html.escape(named)}{f' and {more} more' if more > 0 else ''}</span>"


def _pictures(maps: Mapping[str, Figure], about: str) -> str:
    if not maps:
        return ""
    shown = []
    for name, figure in maps.items():
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=DPI, facecolor="white")
        data, title = base64.b64encode(file.getvalue()).decode(), html.escape(name_of(name))
        picture = f'<img src="data:image/png;base64,{data}" alt="Map of the cells by {title}">'
        shown.append(f"<figure><figcaption>{title}</figcaption>{picture}</figure>")
    return (
        f'<h2>Where these terms are at work</h2><p class="small">{html.escape(about)}</p>'
        f'<div class="maps">{"".join(shown)}</div>'
    )


def _lost(why: dict[str, str]) -> str:
    if not why:
        return ""
    rows = "".join(
        f"<tr><th scope='row'>{html.escape(name_of(name))}</th><td>{html.escape(text)}</td></tr>"
        for name, text in why.items()
    )
    return (
        f"<details><summary>The {len(why)} gene sets that were left out, and why</summary>"
        f"<table class='lost'><tbody>{rows}</tbody></table></details>"
    )
