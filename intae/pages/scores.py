"""What the tables say of the terms of one method, in the order of its terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ..metrics.agreement import over_pairs
from ..prepared import split_terms

MEASURES = ("accuracy", "balanced_accuracy", "auroc")
PAIRS = "(number of pairs)"  # a row of stability.csv

Column = list[Any]
Tables = Mapping[str, pd.DataFrame]


def aligned(values: pd.Series, terms: pd.Index) -> Column:
    """Return a value a term, None where there is none."""
    return [None if pd.isna(value) else value for value in values.reindex(terms).tolist()]


def accuracy_of(
    tables: Tables, method: str, seed: int, terms: pd.Index
) -> dict[str, dict[str, dict[str, Column]]]:
    """Return label -> split -> measure -> a number a term; empty without the table.

    The numbers are of one seed. Where the method has several, `MEASURE_least` and `MEASURE_most`
    stand beside each measure.
    """
    table = tables.get("accuracy")
    if table is None:
        return {}
    table = table[table["method"] == method]
    found: dict[str, dict[str, dict[str, Column]]] = {}
    for (label, split), part in table.groupby(["label", "split"], sort=False):
        own = part[part["seed"] == seed].set_index("term")
        columns = {measure: aligned(own[measure], terms) for measure in MEASURES}
        if part["seed"].nunique() > 1:
            seeds = part.groupby("term")[list(MEASURES)]
            for name, ends in (("least", seeds.min()), ("most", seeds.max())):
                columns |= {f"{m}_{name}": aligned(ends[m], terms) for m in MEASURES}
        found.setdefault(str(label), {})[str(split)] = columns
    return found


def stability_of(tables: Tables, method: str, terms: pd.Index) -> dict[str, dict[str, Any]]:
    """Return what was changed (seeds, halves, donors) -> number of pairs, and |r| a term.

    r is the mean over the pairs; r_min and r_max are the least and the largest.
    """
    table = tables.get("stability")
    if table is None:
        return {}
    found = {}
    for kind, part in table[table["method"] == method].groupby("kind", sort=False):
        part = part.set_index("term")
        spread = {name: aligned(part[name], terms) for name in ("r", "r_min", "r_max")}
        found[str(kind)] = {"n_pairs": int(part["r"].get(PAIRS, 0))} | spread
    return found


def agreement_of(
    tables: Tables, method: str, others: Sequence[str], terms: pd.Index
) -> dict[str, dict[str, Any]]:
    """Return other method -> r a term, for those that the table compares with this one.

    r, with its sign, is of the first seeds. median, min and max are of |r| over all pairs of a seed
    of each method, as far as the term is on in both.
    """
    table = tables.get("correlation")
    if table is None:
        return {}
    found = {}
    for other in others:
        pair = {method, other}
        rows = table[table["method_a"].isin(pair) & table["method_b"].isin(pair)]
        rows = rows[rows["method_a"] != rows["method_b"]]
        if rows.empty:
            continue
        spread = over_pairs(tables["correlation_seeds"], method, other)
        ends = {name: aligned(spread[name], terms) for name in ("median", "min", "max")}
        found[other] = {"r": aligned(rows.set_index("term")["r"], terms)} | ends
    return found


def ranks_of(tables: Tables, method: str, terms: pd.Index) -> dict[str, Any]:
    """Return how a term's rank by relevance differs between seeds; empty for one seed.

    Returns
    -------
    n_seeds; n_on, in how many of them each term is on; least and most, its ranks in those.
    """
    table = tables["terms"]
    table = table[table["method"] == method]
    if table["seed"].nunique() < 2:
        return {}
    on = table[table["active"].astype(bool)].groupby("term")["rank"]
    columns = {"n_on": on.size(), "least": on.min(), "most": on.max()}
    packed = {name: aligned(column, terms) for name, column in columns.items()}
    return {"n_seeds": table["seed"].nunique()} | packed


def necessity_of(tables: Tables, method: str, seed: int, terms: pd.Index) -> dict[str, Column]:
    """Return what each term is needed for; empty if not measured.

    Returns
    -------
    necessity, irreplaceable (None where the table has no such column) and stand_ins, a list of
    terms, each in the order of the terms.
    """
    table = tables.get("necessity")
    if table is None:
        return {}
    rows = table[(table["method"] == method) & (table["seed"] == seed)].set_index("term")
    if not len(rows):
        return {}
    stand_ins = [split_terms(names) for names in rows["stand_ins"].reindex(terms)]
    irreplaceable = rows.get("irreplaceable", pd.Series(dtype=float))
    return {
        "necessity": aligned(rows["necessity"], terms),
        "irreplaceable": aligned(irreplaceable, terms),
        "stand_ins": stand_ins,
    }
