"""Would another seed, other cells or other donors give the same answer?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from anndata import AnnData

from ..base import FactorModel
from ..files import loadings
from .agreement import correlate

log = logging.getLogger(__name__)

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


def between_seeds(fits: Sequence[AnnData]) -> pd.DataFrame:
    """Compare every two fits of one method from several seeds; empty for fewer than two."""
    answers = [Answer(loadings(fit), fit.uns["terms"]) for fit in fits]
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
