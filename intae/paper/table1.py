"""Table 1, the paper's minutes beside this run's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from .run import Run

COLUMNS = (
    "dataset", "method", "paper_dataset", "minutes", "minutes_min", "minutes_max", "n_seeds",
    "projected", "paper_minutes", "n_cells", "paper_n_cells", "n_genes", "paper_n_genes",
    "n_terms", "iterations", "threads", "device", "cpu",
)  # fmt: skip


def minutes_beside_paper(paper: Mapping[str, Any], run: Run) -> pd.DataFrame:
    """Put the runtimes of a run beside those that the paper prints.

    Parameters
    ----------
    paper
        As :func:`intae.paper.claims.read_paper` returns it.
    run
        The run; of its methods those whose role is `model` are shown.

    Returns
    -------
    One row per data set and method, what the paper timed first; minutes are the mean, least and
    largest over seeds. A value of the paper whose data set or method was not run has a row without
    minutes. `cpu` names all processors of the run.
    """
    rows = []
    cpu = "; ".join(sorted(set(run.tables["host"]["cpu"].astype(str))))
    for (dataset, method), part in _paper_first(paper, run):
        if run.methods.get(method, {}).get("role", "model") != "model":
            continue
        known = run.stands_for.get(dataset)
        minutes = part["seconds"] / 60
        first = part.iloc[0]
        rows.append(
            {
                "dataset": dataset,
                "method": method,
                "paper_dataset": known,
                "minutes": minutes.mean(),
                "minutes_min": minutes.min(),
                "minutes_max": minutes.max(),
                "n_seeds": len(part),
                "projected": bool(part["projected"].astype(bool).any()),
                "paper_minutes": _printed(paper, known, method),
                "paper_n_cells": paper["datasets"].get(known, {}).get("n_cells"),
                "paper_n_genes": paper["datasets"].get(known, {}).get("n_genes"),
                "iterations": round(part["iterations"].mean()),
                "cpu": cpu,
            }
            | {name: first[name] for name in ("n_cells", "n_genes", "n_terms", "threads", "device")}
        )
    have = {(row["paper_dataset"], row["method"]) for row in rows}
    for known, groups in paper["table1"].items():
        for group in groups:
            if not any((known, method) in have for method in group["methods"]):
                rows.append(
                    {
                        "method": group["methods"][0],
                        "paper_dataset": known,
                        "paper_minutes": group["minutes"],
                        "paper_n_cells": paper["datasets"][known].get("n_cells"),
                        "paper_n_genes": paper["datasets"][known].get("n_genes"),
                    }
                )
    papers = list(paper["datasets"])
    rows.sort(key=lambda row: papers.index(row["paper_dataset"]) if row["paper_dataset"] else 99)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _paper_first(paper: Mapping[str, Any], run: Run) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """Return data set, method and fits; of each data set the methods that the paper timed first."""
    parts = list(run.tables["runtime"].groupby(["dataset", "method"], sort=False))
    order = {dataset: position for position, dataset in enumerate(run.datasets)}
    return sorted(
        parts,
        key=lambda part: (
            order[part[0][0]],
            _printed(paper, run.stands_for.get(part[0][0]), part[0][1]) is None,
        ),
    )


def _printed(paper: Mapping[str, Any], dataset: str | None, method: str) -> float | None:
    for group in paper["table1"].get(dataset, ()):
        if method in group["methods"]:
            return group["minutes"]
    return None
