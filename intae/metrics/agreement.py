"""Agreement of loadings between methods, term by term.

Would another seed, other cells or other donors give the same answer?
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from anndata import AnnData

from ..base import FactorModel
from ..fits import Fit

log = logging.getLogger(__name__)

PAIR = ("method_a", "seed_a", "method_b", "seed_b")


def correlate(a: pd.DataFrame, b: pd.DataFrame) -> pd.Series:
    """Correlate the loadings of each term that both have.

    Parameters
    ----------
    a, b
        cells x terms, the same cells in the same order.

    Returns
    -------
    Pearson's r, a term each; NaN where a term is constant in one of them.
    """
    shared = [term for term in a.columns if term in set(b.columns)]
    x, y = a[shared].to_numpy(float), b[shared].to_numpy(float)
    x, y = x - x.mean(0), y - y.mean(0)
    norms = np.sqrt((x**2).sum(0) * (y**2).sum(0))
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.where(norms > 0, (x * y).sum(0) / norms, np.nan)
    return pd.Series(r, index=pd.Index(shared, name="term"), name="r")


def seed_correlations(fits: Iterable[Fit]) -> pd.DataFrame:
    """Correlate the annotated terms' loadings between every two fits.

    Parameters
    ----------
    fits
        Fits of the same cells, several seeds of a method among them.

    Returns
    -------
    method_a, seed_a, method_b, seed_b, term, r; r is empty where the term is off in one of the two.
    Two seeds of one method are compared as well: that gives the others their scale.
    """
    columns = [*PAIR, "term", "r"]
    parts = []
    for a, b in combinations(fits, 2):
        terms, others = a.terms, b.terms
        shared = [t for t in terms.index[terms["kind"] == "annotated"] if t in others.index]
        r = correlate(a.loadings[shared], b.loadings[shared])
        on = terms.loc[shared, "active"] & others.loc[shared, "active"]
        table = r.where(on.to_numpy(bool)).reset_index()
        parts.append(table.assign(**_names(a, b))[columns])
    return pd.concat(parts) if parts else pd.DataFrame(columns=columns)


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
    A row a term: median, min and max of |r| over the n_on pairs in which the term is on in both
    fits, of n_pairs.
    """
    wanted = [(method_a, method_b), (method_b, method_a)]
    pairs = pd.MultiIndex.from_frame(seeds[["method_a", "method_b"]])
    r = seeds[pairs.isin(wanted)].assign(r=lambda t: t["r"].abs()).groupby("term", sort=False)["r"]
    names = {"median": "median", "min": "min", "max": "max", "n_on": "count", "n_pairs": "size"}
    return r.agg(**names)


def correlation_table(fits: Mapping[str, Fit], reference: str) -> pd.DataFrame:
    """Correlate the annotated terms' loadings between every two methods.

    Parameters
    ----------
    fits
        Method -> one fit of it, all of the same cells.
    reference
        The method by whose relevance the terms are ranked.

    Returns
    -------
    method_a, method_b, term, r, relevance_rank (1 is the most relevant to the reference). r is
    empty where the term is off in one of the two.
    """
    annotated = {m: f for m, f in fits.items() if (f.terms["kind"] == "annotated").any()}
    blank = pd.DataFrame(columns=["method_a", "method_b", "term", "r", "relevance_rank"])
    if not annotated:
        return blank
    reference = reference if reference in annotated else next(iter(annotated))
    terms = annotated[reference].terms
    terms = terms[terms["kind"] == "annotated"]
    rank = terms["relevance"].rank(ascending=False, method="first").astype(int)
    parts = [blank]
    for a, b in combinations(annotated, 2):
        r = correlate(annotated[a].loadings[terms.index], annotated[b].loadings[terms.index])
        on = [annotated[m].terms.loc[terms.index, "active"].to_numpy(bool) for m in (a, b)]
        table = r.where(on[0] & on[1]).reset_index()
        table.insert(0, "method_a", a)
        table.insert(1, "method_b", b)
        table["relevance_rank"] = table["term"].map(rank)
        parts.append(table)
    return pd.concat([p for p in parts if len(p)] or parts)


def agreement_table(fits: Iterable[Fit], n_top: int = 20) -> pd.DataFrame:
    """Summarise how far every two fits agree, on loadings and on which terms matter.

    Parameters
    ----------
    fits
        Fits of the same cells, several seeds of a method among them.
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
    rows = [
        _names(a, b) | _agreement(a, b, n_top)
        for a, b in combinations(fits, 2)
        if _annotated(a) or _annotated(b)
    ]
    columns = [*PAIR, "matched", "n_terms", "median_r", "jaccard", "n_top", "shared_top",
               "median_r_top"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _names(a: Fit, b: Fit) -> dict[str, object]:
    """Say which two fits a row is about."""
    about = [fit.about[key] for fit in (a, b) for key in ("method", "seed")]
    return dict(zip(PAIR, about, strict=True))


def _annotated(fit: Fit) -> bool:
    return bool((fit.terms["kind"] == "annotated").any())


def _active(fit: Fit) -> pd.Index:
    """Return the active annotated terms (of PCA all factors), the most relevant first."""
    terms = fit.terms
    known = (terms["kind"] == "annotated") | (not _annotated(fit))
    terms = terms[known & terms["active"].astype(bool)]
    return terms.sort_values("relevance", ascending=False, kind="stable").index


def _agreement(a: Fit, b: Fit, n_top: int) -> dict[str, object]:
    on_a, on_b = _active(a), _active(b)
    if not (_annotated(a) and _annotated(b)):
        one, other = (a, b) if _annotated(a) else (b, a)
        x, y = one.loadings[_active(one)], other.loadings[_active(other)]
        best = _standard(x).T @ _standard(y)
        best = np.abs(best).max(1) if best.size else np.array([])
        return {"matched": "component", "n_terms": len(best), "median_r": _median(best)}
    both = on_a.intersection(on_b, sort=False)
    top_a, top_b = on_a[:n_top], on_b[:n_top]
    shared_top = top_a.intersection(top_b)
    r = correlate(a.loadings[both], b.loadings[both]).abs()
    return {
        "matched": "term",
        "n_terms": len(both),
        "median_r": _median(r),
        "jaccard": len(both) / max(1, len(on_a.union(on_b))),
        "n_top": min(len(top_a), len(top_b)),
        "shared_top": len(shared_top),
        "median_r_top": _median(r[shared_top]),
    }


def _standard(z: pd.DataFrame) -> np.ndarray:
    """Centre and scale columns to length one, so that products are correlations."""
    x = z.to_numpy(float)
    x = x - x.mean(0)
    lengths = np.linalg.norm(x, axis=0)
    return x[:, lengths > 0] / lengths[lengths > 0]


def _median(values: np.ndarray | pd.Series) -> float:
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    return float(np.median(known)) if len(known) else float("nan")


TOP = 10
COLUMNS = ("kind", "term", "r", "r_min", "r_max", "n_pairs")


class Answer(NamedTuple):
    """What one fit says: loadings of the same cells, and its table of terms."""

    loadings: pd.DataFrame
    terms: pd.DataFrame


def stability_table(kind: str, pairs: Iterable[tuple[Answer, Answer]]) -> pd.DataFrame:
    """Say how far the two answers of each pair agree.

    Parameters
    ----------
    kind
        What was changed between the two: seeds, halves or donors.
    pairs
        Answers about the same cells.

    Returns
    -------
    kind, term, r, r_min, r_max, n_pairs. A row a term: mean, least and largest |r| over the
    n_pairs in both answers of which it is active; without dense and sparse terms, where there are
    annotated ones. Then summary rows, whose term is in brackets:
    median and mean of |r| over the terms of each pair, Jaccard index of the active terms, and how
    many of the (up to) ten most relevant active terms are shared, each the mean over the pairs with
    the least and the largest; and the number of pairs. Empty without pairs.
    """
    per_term, summaries = [], []
    for a, b in pairs:
        a, b = _with_names(a), _with_names(b)
        on_a, on_b = (set(answer.terms.index[answer.terms["active"]]) for answer in (a, b))
        both = [term for term in a.terms.index if term in on_a & on_b]
        r = correlate(a.loadings[both], b.loadings[both]).abs()
        per_term.append(r)
        summaries.append(
            {
                "(median |r|)": r.median(),
                "(mean |r|)": r.mean(),
                "(Jaccard index of active terms)": len(on_a & on_b) / max(1, len(on_a | on_b)),
                f"(shared of the {TOP} most relevant)": len(_top(a) & _top(b)),
            }
        )
    if not summaries:
        return pd.DataFrame(columns=list(COLUMNS))
    spread = {"r": "mean", "r_min": "min", "r_max": "max", "n_pairs": "count"}
    terms = pd.concat(per_term).groupby(level=0, sort=False).agg(**spread)
    scores = pd.DataFrame(summaries).agg(["mean", "min", "max", "count"]).T
    scores.columns = list(spread)
    number = pd.DataFrame(len(summaries), ["(number of pairs)"], list(spread))
    table = pd.concat([terms, scores, number]).rename_axis("term").reset_index()
    table["n_pairs"] = table["n_pairs"].astype(int)
    return table.assign(kind=kind)[list(COLUMNS)]


def _with_names(answer: Answer) -> Answer:
    """Leave out terms without annotation, whose numbers mean nothing from one fit to the next.

    A model that has no others, such as PCA, keeps them: its components come in an order.
    """
    named = answer.terms["kind"] == "annotated"
    return answer._replace(terms=answer.terms[named]) if named.any() else answer


def between_seeds(fits: Sequence[Fit]) -> pd.DataFrame:
    """Compare every two fits of one method from several seeds; empty for fewer than two."""
    answers = [Answer(fit.loadings, fit.terms) for fit in fits]
    return stability_table("seeds", combinations(answers, 2))


def between_halves(
    prepared: AnnData,
    make: Callable[[], FactorModel],
    n_splits: int,
    *,
    donors: bool,
    seed: int = 0,
) -> pd.DataFrame:
    """Fit a model to two halves of the cells, and compare what it says of all cells.

    Parameters
    ----------
    prepared
        Prepared data.
    make
        Returns a new, unfitted model with `transform`.
    n_splits
        Number of splits; of few donors there may be fewer.
    donors
        Split whole donors (obs donor) and not cells.
    seed
        Of the splits.

    Returns
    -------
    As :func:`stability_table`, kind halves or donors.
    """
    splits = list(_splits(prepared, n_splits, donors, np.random.default_rng(seed)))

    def pairs() -> Iterator[tuple[Answer, Answer]]:
        for number, first in enumerate(splits, start=1):
            log.info("split %d of %d", number, len(splits))
            yield tuple(_answer(make(), prepared, cells) for cells in (first, ~first))

    return stability_table("donors" if donors else "halves", pairs())


def _answer(model: FactorModel, prepared: AnnData, cells: np.ndarray) -> Answer:
    model.fit(prepared[cells].copy())
    return Answer(model.transform(prepared), model.terms_)


def _splits(
    prepared: AnnData, n_splits: int, donors: bool, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yield masks of the cells of a first half, each split at most once."""
    if not donors:
        for _ in range(n_splits):
            mask = np.zeros(prepared.n_obs, dtype=bool)
            mask[rng.permutation(prepared.n_obs)[: prepared.n_obs // 2]] = True
            yield mask
        return
    names = prepared.obs["donor"].astype(str).to_numpy()
    known = np.unique(names)
    halves = [half for half in combinations(known, len(known) // 2)]
    if len(known) % 2 == 0:  # the other half is the same split
        halves = halves[: len(halves) // 2]
    for i in rng.permutation(len(halves))[:n_splits]:
        yield np.isin(names, halves[i])


def _top(answer: Answer) -> set[str]:
    active = answer.terms[answer.terms["active"]]
    return set(active["relevance"].nlargest(TOP).index)
