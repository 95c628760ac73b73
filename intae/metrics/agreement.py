"""How far two fits agree about the same cells: of two methods, two seeds or two parts of the data.

Every two fits are compared once (:func:`correlate_pairs`); the tables are made from these pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..fits import Fit
from .families import have_families, jaccard, jaccard_by_chance

PAIR_COLUMNS = ("method_a", "seed_a", "method_b", "seed_b")
AGREEMENT_COLUMNS = (
    *PAIR_COLUMNS, "matched", "n_terms", "median_r", "jaccard", "n_top", "shared_top",
    "median_r_top",
)  # fmt: skip
CORRELATION_COLUMNS = ("method_a", "method_b", "term", "r", "relevance_rank")
STABILITY_COLUMNS = ("kind", "term", "r", "r_min", "r_max", "n_pairs")
TOP = 10


def correlate(a: pd.DataFrame, b: pd.DataFrame) -> pd.Series:
    """Correlate the loadings of each term that both have.

    Parameters
    ----------
    a, b
        cells x terms, the same cells in the same order.

    Returns
    -------
    Pearson's r of each term, in the order of `a`; NaN where a term is constant in one of them.
    """
    both = set(b.columns)
    shared = [term for term in a.columns if term in both]
    x, y = a[shared].to_numpy(float), b[shared].to_numpy(float)
    x, y = x - x.mean(0), y - y.mean(0)
    norms = np.sqrt((x**2).sum(0) * (y**2).sum(0))
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.where(norms > 0, (x * y).sum(0) / norms, np.nan)
    return pd.Series(r, index=pd.Index(shared, name="term"), name="r")


class Pair(NamedTuple):
    """Two fits of the same cells, and how their loadings correlate.

    Attributes
    ----------
    a, b
        The fits.
    r
        Pearson's r of each term that both have (:func:`correlate`).
    """

    a: Fit
    b: Fit
    r: pd.Series

    @classmethod
    def of(cls, a: Fit, b: Fit) -> Pair:
        """Correlate two fits."""
        return cls(a, b, correlate(a.loadings, b.loadings))

    def names(self) -> dict[str, object]:
        """Return the methods and seeds of the two, the first columns of a row."""
        values = [fit.about[key] for fit in (self.a, self.b) for key in ("method", "seed")]
        return dict(zip(PAIR_COLUMNS, values, strict=True))


def correlate_pairs(fits: Iterable[Fit]) -> list[Pair]:
    """Correlate every two fits of the same cells, in the order given."""
    return [Pair.of(a, b) for a, b in combinations(fits, 2)]


def is_annotated(fit: Fit) -> bool:
    """Say whether a fit has terms that are gene sets (PCA has none)."""
    return bool((fit.terms["kind"] == "annotated").any())


def seed_correlations(pairs: Iterable[Pair]) -> pd.DataFrame:
    """List how the annotated terms' loadings correlate in each pair of fits.

    Parameters
    ----------
    pairs
        Of fits of the same cells, several seeds of a method among them.

    Returns
    -------
    method_a, seed_a, method_b, seed_b, term, r; r is empty where the term is off in one of the two.
    Two seeds of one method are compared as well: that gives the others their scale.
    """
    columns = [*PAIR_COLUMNS, "term", "r"]
    parts = []
    for pair in pairs:
        kinds = pair.a.terms.loc[pair.r.index, "kind"]
        r = _where_on(pair, pair.r.index[kinds == "annotated"])
        parts.append(r.reset_index().assign(**pair.names())[columns])
    return pd.concat(parts) if parts else pd.DataFrame(columns=columns)


def _where_on(pair: Pair, terms: pd.Index) -> pd.Series:
    """Return r of these terms, NaN where a term is off in one of the two fits."""
    on = [fit.terms.loc[terms, "active"].to_numpy(bool) for fit in (pair.a, pair.b)]
    return pair.r.loc[terms].where(on[0] & on[1])


def over_pairs(seeds: pd.DataFrame, method_a: str, method_b: str) -> pd.DataFrame:
    """Summarise |r| between two methods over their pairs of seeds.

    Parameters
    ----------
    seeds
        As :func:`seed_correlations` returns it.
    method_a, method_b
        Two methods in any order, or one twice: its seeds among themselves.

    Returns
    -------
    One row per term: median, min and max of |r| over the n_on pairs in which the term is on in both
    fits, of n_pairs.
    """
    wanted = [(method_a, method_b), (method_b, method_a)]
    pairs = pd.MultiIndex.from_frame(seeds[["method_a", "method_b"]])
    r = seeds[pairs.isin(wanted)].assign(r=lambda t: t["r"].abs()).groupby("term", sort=False)["r"]
    names = {"median": "median", "min": "min", "max": "max", "n_on": "count", "n_pairs": "size"}
    return r.agg(**names)


def correlation_table(pairs: Iterable[Pair], reference: str) -> pd.DataFrame:
    """List how the annotated terms' loadings correlate between every two methods.

    Parameters
    ----------
    pairs
        Of fits of the same cells with the same gene sets. Of each method its first fit counts.
    reference
        The method by whose relevance the terms are ranked; the first one where it is not there.

    Returns
    -------
    method_a, method_b, term, r, relevance_rank (1 is the most relevant to the reference). r is
    empty where the term is off in one of the two.
    """
    pairs, first = list(pairs), {}
    for pair in pairs:
        for fit in (pair.a, pair.b):
            if is_annotated(fit):
                first.setdefault(fit.method, fit)
    pairs = [p for p in pairs if first.get(p.a.method) is p.a and first.get(p.b.method) is p.b]
    if not pairs:
        return pd.DataFrame(columns=list(CORRELATION_COLUMNS))
    terms = first.get(reference, next(iter(first.values()))).terms
    terms = terms[terms["kind"] == "annotated"]
    rank = terms["relevance"].rank(ascending=False, method="first").astype(int)
    parts = []
    for pair in pairs:
        table = _where_on(pair, terms.index).reset_index().assign(relevance_rank=rank.to_numpy())
        parts.append(table.assign(method_a=pair.a.method, method_b=pair.b.method))
    return pd.concat(parts)[list(CORRELATION_COLUMNS)]


def agreement_table(pairs: Iterable[Pair], n_top: int = 20) -> pd.DataFrame:
    """Summarise how far every two fits agree, on loadings and on which terms matter.

    Parameters
    ----------
    pairs
        Of fits of the same cells, several seeds of a method among them.
    n_top
        How many of the most relevant active terms of each fit are compared.

    Returns
    -------
    method_a, seed_a, method_b, seed_b, the same method for two of its seeds; matched, how their
    factors were paired; n_terms, the number of pairs; median_r, the median of |r| of their
    loadings; jaccard of the active terms; n_top, the number of top terms that could be shared,
    shared_top, of those that are, and median_r_top over these.

    Two fits with annotated terms are paired by `term`, over the terms active in both. One without
    (PCA) is paired by `component`: each active term of the other with that of its factors whose
    loadings it correlates best with; what else compares terms is empty then. Two fits without
    annotated terms are not compared.
    """
    rows = []
    for pair in pairs:
        n_annotated = is_annotated(pair.a) + is_annotated(pair.b)
        if n_annotated == 2:
            found = shared(pair, n_top)
            row = {
                "matched": "term",
                "n_terms": len(found.r),
                "median_r": found.r.median(),
                "jaccard": found.jaccard,
                "n_top": found.n_top,
                "shared_top": len(found.top),
                "median_r_top": found.r[found.top].median(),
            }
        elif n_annotated == 1:
            best = _best_components(pair)
            row = {"matched": "component", "n_terms": len(best), "median_r": best.median()}
        else:
            continue
        rows.append(pair.names() | row)
    return pd.DataFrame(rows, columns=list(AGREEMENT_COLUMNS))


class Shared(NamedTuple):
    """What two fits have in common.

    Attributes
    ----------
    r
        |r| of each term that is on in both.
    jaccard
        Jaccard index of the active terms; 0 where none is on.
    n_top, top
        How many of the most relevant terms could be shared, and those that are.
    on
        The active terms of either.
    families
        The family of each term in either; nothing where a model finds none.
    """

    r: pd.Series
    jaccard: float
    n_top: int
    top: pd.Index
    on: tuple[pd.Index, pd.Index]
    families: tuple[pd.Series, ...]


def shared(pair: Pair, n_top: int = TOP) -> Shared:
    """Compare the active terms of two fits.

    Terms without annotation are left out, since their numbers mean nothing from one fit to the
    next. A model that has no others, such as PCA, keeps them: its components come in an order.

    Parameters
    ----------
    pair
        Two fits, both with annotated terms or both without.
    n_top
        How many of the most relevant active terms of each are compared.
    """
    on_a, on_b = _active(pair.a), _active(pair.b)
    top_a, top_b = on_a[:n_top], on_b[:n_top]
    both = pair.r.index[pair.r.index.isin(on_a.intersection(on_b))]
    share = len(both) / max(1, len(on_a.union(on_b)))
    least = min(len(top_a), len(top_b))
    tables = pair.a.terms, pair.b.terms
    told = all("family" in table for table in tables) and have_families(tables)
    families = tuple(table["family"] for table in tables) if told else ()
    top = top_a.intersection(top_b)
    return Shared(pair.r[both].abs(), share, least, top, (on_a, on_b), families)


def _active(fit: Fit) -> pd.Index:
    """Return the active annotated terms (of PCA all factors), the most relevant first."""
    terms = fit.terms
    known = (terms["kind"] == "annotated") | (not is_annotated(fit))
    terms = terms[known & terms["active"].astype(bool)]
    return terms.sort_values("relevance", ascending=False, kind="stable").index


def _best_components(pair: Pair) -> pd.Series:
    """Return the largest |r| of each active term of one fit with the factors of the other."""
    one, other = (pair.a, pair.b) if is_annotated(pair.a) else (pair.b, pair.a)
    x, y = (_standard(fit.loadings[_active(fit)]) for fit in (one, other))
    return pd.Series(np.abs(x.T @ y).max(1) if x.size and y.size else [], dtype=float)


def _standard(z: pd.DataFrame) -> np.ndarray:
    """Centre and scale columns to length one, so that products are correlations."""
    x = z.to_numpy(float)
    x = x - x.mean(0)
    lengths = np.linalg.norm(x, axis=0)
    return x[:, lengths > 0] / lengths[lengths > 0]


def stability_table(
    kind: str, pairs: Iterable[Pair], whole: Callable[[], pd.Series] | None = None
) -> pd.DataFrame:
    """Say how far the two fits of each pair agree, term by term and in sum.

    Parameters
    ----------
    kind
        What was changed between the two: seeds, halves or donors.
    pairs
        Of fits of one method.
    whole
        Fits the method to all cells and returns the family of each term; called only where the
        method finds families.

    Returns
    -------
    kind, term, r, r_min, r_max, n_pairs. One row per term: mean, least and largest |r| over the
    n_pairs in both fits of which it is active; without dense and sparse terms, where there are
    annotated ones. Then summary rows, whose term is in brackets:
    median and mean of |r| over the terms of each pair, Jaccard index of the active terms, and how
    many of the (up to) ten most relevant active terms are shared, each the mean over the pairs with
    the least and the largest; and the number of pairs. Where families are found, the Jaccard index
    of the families with an active term as well: by the families of the two fits themselves (the
    mean of the two), by those of the fit of all cells, and by as many of the same sizes drawn at
    random, so that what they gain can be told from what coarsening gains. Empty without pairs.
    """
    found = [shared(pair) for pair in pairs]
    if not found:
        return pd.DataFrame(columns=list(STABILITY_COLUMNS))
    summaries = pd.DataFrame(
        {
            "(median |r|)": [each.r.median() for each in found],
            "(mean |r|)": [each.r.mean() for each in found],
            "(Jaccard index of active terms)": [each.jaccard for each in found],
            f"(shared of the {TOP} most relevant)": [len(each.top) for each in found],
        }
    )
    for name, values in _by_family(found, whole).items():
        summaries[name] = values
    spread = {"r": "mean", "r_min": "min", "r_max": "max", "n_pairs": "count"}
    r = pd.concat([each.r for each in found])
    terms = r.groupby(level=0, sort=False).agg(**spread)
    scores = summaries.agg(list(spread.values())).T
    scores.columns = list(spread)
    number = pd.DataFrame(len(found), ["(number of pairs)"], list(spread))
    table = pd.concat([terms, scores, number]).rename_axis("term").reset_index()
    table["n_pairs"] = table["n_pairs"].astype(int)
    return table.assign(kind=kind)[list(STABILITY_COLUMNS)]


def _by_family(
    found: list[Shared], whole: Callable[[], pd.Series] | None
) -> dict[str, list[float]]:
    """Return the Jaccard indices by family of each pair, by their names in the table."""
    if not any(each.families for each in found):
        return {}
    own = [
        float(np.mean([jaccard(families, *each.on) for families in each.families]))
        if each.families
        else each.jaccard
        for each in found
    ]
    rows = {"(Jaccard index of active families)": own}
    if whole is not None:
        families, pairs = whole(), [each.on for each in found]
        rows["(Jaccard index, families of all cells)"] = [jaccard(families, *on) for on in pairs]
        rows["(Jaccard index, families drawn at random)"] = jaccard_by_chance(families, pairs)
    return rows


def between_seeds(pairs: Iterable[Pair]) -> pd.DataFrame:
    """Compare every two seeds of each method.

    Returns
    -------
    As :func:`stability_table`, kind seeds, behind a column `method`; empty where no method has two
    seeds.
    """
    seeds: dict[str, list[Pair]] = {}
    for pair in pairs:
        if pair.a.method == pair.b.method:
            seeds.setdefault(pair.a.method, []).append(pair)
    tables = [stability_table("seeds", same).assign(method=m) for m, same in seeds.items()]
    columns = ["method", *STABILITY_COLUMNS]
    return pd.concat(tables)[columns] if tables else pd.DataFrame(columns=columns)
