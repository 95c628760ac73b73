"""The page "paper against this run": one HTML file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from .checks import CHECKS
from .checks.register import AGREES, DIFFERS, NOT_RUN, PARTLY
from .run import comparable
from .words import listing, number

# a sign beside the word, so that a verdict does not rest on its colour
MARKS = {AGREES: "\N{CHECK MARK}", PARTLY: "\N{ALMOST EQUAL TO}", DIFFERS: "\N{MULTIPLICATION X}",
         NOT_RUN: "\N{EN DASH}"}  # fmt: skip
TEMPLATE = Path(__file__).with_name("page.html.jinja")
GENERAL = "general"


def render_page(
    paper: Mapping[str, Any],
    claims: pd.DataFrame,
    table1: pd.DataFrame,
    labels: Mapping[str, str],
    template: str | Path = TEMPLATE,
) -> str:
    """Write the page.

    Parameters
    ----------
    paper
        As :func:`intae.paper.claims.read_paper` returns it.
    claims, table1
        The tables claims.csv and table1.csv.
    labels
        Method -> its name for readers.
    template
        The Jinja template.

    Returns
    -------
    HTML, self-contained.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["breakable"] = breakable
    sizes = table1.dropna(subset=["dataset"]).groupby("dataset", sort=False)["n_cells"].first()
    groups = [
        _group(name, entry["title"], entry, claims[claims["paper_dataset"] == name], sizes)
        for name, entry in paper["datasets"].items()
    ]
    groups.append(
        _group(GENERAL, "The methods in general", {}, claims[claims["paper_dataset"].isna()], sizes)
    )
    timed = table1["paper_dataset"].isin(paper["table1"])
    used = dict.fromkeys(claims["check"])
    return environment.from_string(Path(template).read_text(encoding="utf-8")).render(
        marks=MARKS,
        labels={"autoencoder": None} | dict(labels),
        groups=groups,
        table1={
            "timed": _table1_rows(table1[timed], labels),
            "others": _table1_rows(table1[~timed], labels),
            "cpu": _cpu(table1),
        },
        rules={name: CHECKS[name].rule for name in used},
    )


def breakable(text: str) -> Markup:
    """Escape a text, let a browser break names at their underscores, and set `code` as such."""
    html = str(escape(text)).replace("_", "_<wbr>")
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", html))


def _group(
    name: str, title: str, entry: Mapping[str, Any], claims: pd.DataFrame, sizes: pd.Series
) -> dict[str, Any]:
    counts = claims["verdict"].value_counts()
    parts = []
    for dataset, part in claims.groupby("dataset", sort=False, dropna=False):
        if name == GENERAL:
            about = f"Judged over all data sets of this run: {listing(sizes.index)}."
        elif pd.isna(dataset):
            about = "No data set of this run stands for it."
        elif dataset in sizes:
            about = _size(dataset, int(sizes[dataset]), entry.get("n_cells"))
        else:
            about = f"No model ran on {dataset}, only controls or ablations did."
        rows = part.fillna({"found": ""}).to_dict("records")
        for row in rows:
            row["anchor"] = row["claim"] if pd.isna(dataset) else f"{row['claim']}-{dataset}"
        heading = dataset if claims["dataset"].nunique() > 1 else None
        parts.append({"heading": heading, "about": about, "rows": rows})
    return {
        "title": title,
        "anchor": f"data-{name}",
        "counts": {verdict: int(counts.get(verdict, 0)) for verdict in MARKS},
        "parts": parts,
    }


def _size(dataset: str, ours: int, papers: int | None) -> str:
    """Say how many cells stand for the paper's, since a part is not the whole."""
    if papers is None:
        return f"Here: {dataset}, {ours:,} cells. The paper does not give its number of cells."
    if ours == papers:
        return f"Here: {dataset}, {ours:,} cells, as many as the authors'."
    if ours < 0.9 * papers:
        return (
            f"Here: {dataset}, {ours:,} cells. This stands for the paper's data in part only: the "
            f"authors had about {papers:,} cells, so these are {ours / papers:.0%} as many."
        )
    return f"Here: {dataset}, {ours:,} cells; the authors had about {papers:,}."


def _table1_rows(table1: pd.DataFrame, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    rows, before = [], None
    for row in table1.itertuples():
        ran = not pd.isna(row.dataset)
        name = row.dataset if ran else row.paper_dataset
        minutes, faster = "not run", ""
        if ran:
            minutes = number(row.minutes)
            if row.n_seeds > 1:
                minutes += f" ({number(row.minutes_min)} to {number(row.minutes_max)})"
            minutes += ", projected" if row.projected else ""
            if not pd.isna(row.paper_minutes) and comparable(row.n_genes, row.paper_n_genes):
                ratio = row.paper_minutes / row.paper_n_cells / (row.minutes / row.n_cells)
                faster = f"{ratio:.2g} times"
        rows.append(
            {
                "first": name != before,
                "dataset": (name if ran else f"{name}, not in this run") if name != before else "",
                "method": labels.get(row.method, row.method),
                "paper_minutes": _count(row.paper_minutes),
                "minutes": minutes,
                "faster": faster,
                "paper_n_cells": _count(row.paper_n_cells),
                "n_cells": _count(row.n_cells),
                "size": f"{row.n_genes:.0f} x {row.n_terms:.0f}" if ran else "",
                "device": f"{row.threads:.0f}, {row.device}" if ran else "",
            }
        )
        before = name
    return rows


def _count(value: float | None) -> str:
    return "" if pd.isna(value) else f"{value:,.0f}"


def _cpu(table1: pd.DataFrame) -> str:
    return listing(dict.fromkeys(table1["cpu"].dropna())) or "nothing"
