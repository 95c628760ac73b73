"""Runs by hand, as the checks of the paper's claims see them."""

import numpy as np
import pandas as pd

from intae.paper.checks import CHECKS
from intae.paper.run import Run

METHODS = {
    "autoencoder": {"label": "Autoencoder (published)", "model": "Autoencoder"},
    "autoencoder_exact": {
        "label": "Autoencoder (exact)", "model": "Autoencoder", "params": {"solver": "exact"},
    },
    "fsclvm": {"label": "f-scLVM", "model": "FSCLVM"},
    "ulm": {"role": "control", "model": "Score"},
}  # fmt: skip


def runtime(
    seconds, dataset="d", n_cells=1000, projected=(), iterations=30, device="cpu", n_genes=50
):
    """Return a table of runtimes from method -> seconds, a seed each."""
    return pd.DataFrame(
        {
            "dataset": dataset, "method": method, "seed": seed, "seconds": value, "peak_mb": 1.0,
            "n_cells": n_cells, "n_genes": n_genes, "n_terms": 40, "iterations": iterations,
            "converged": True, "projected": method in projected, "threads": 1, "device": device,
        }
        for method, values in seconds.items()
        for seed, value in enumerate(values)
    )  # fmt: skip


def table(rows, columns, dataset="d"):
    """Return a tidy table from rows of values."""
    frame = pd.DataFrame(rows, columns=columns.split())
    frame.insert(0, "dataset", dataset)
    return frame


def terms(rows, dataset="d"):
    """Return a table of terms from rows of method, seed, term, relevance, active."""
    frame = table(rows, "method seed term relevance active", dataset)
    return frame.assign(kind="annotated", n_genes=5, genes_added=np.nan, genes_removed=np.nan)


def accuracies(values):
    """Return tables of accuracy and terms from (method, seed) -> term -> accuracy."""
    rows = [(m, s, t, a) for (m, s), scores in values.items() for t, a in scores.items()]
    scores = table(rows, "method seed term accuracy").assign(split="train", label="condition")
    return {"accuracy": scores, "terms": terms([(m, s, t, 1.0, True) for m, s, t, _ in rows])}


def stable(method, median, shared, kind="seeds", dataset="d", spread=0.0):
    rows = [(method, kind, "(median |r|)", median, median - spread, median + spread)]
    rows += [(method, kind, "(shared of the 10 most relevant)", shared, shared - 1, shared + 1)]
    return table(rows, "method kind term r r_min r_max", dataset)


def make_run(seconds=None, **tables):
    """Return a run of data set d with these methods and tables."""
    seconds = {"autoencoder": [6.0, 6.0], "fsclvm": [12.0]} if seconds is None else seconds
    if isinstance(seconds, dict):
        seconds = runtime(seconds)
    host = pd.DataFrame({"cpu": ["a processor"]})
    return Run({"runtime": seconds, "host": host} | tables, METHODS, {"d": "kang17"}, ["s"])


RECOVERED = "method seed metric value"


def judge(name, run, dataset="d", **arguments):
    return CHECKS[name].judge(run, dataset, **arguments)


def trained(off=(0, 5, 9), F=(60.0, 45.0, 40.0), zero=(0.5, 0.9, 0.99)):
    rows = [
        ("autoencoder", s, i + 1, F[i], off[i], zero[i]) for s in (0, 1) for i in range(len(off))
    ]
    return table(rows, "method seed iteration F n_deactivated inactive_zero_share")
