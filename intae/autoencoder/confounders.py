"""Gene sets that stand for a confounder, and the dense terms that it takes to free them.

A confounder, which most genes feel, goes into annotated terms if no dense term is there for it, and
then they have weights on many genes outside their sets. But so may a term whose set is incomplete,
and a factor of many genes may be the biology that is looked for (the cell cycle, a cell type). So a
dense term is added for a factor only if

* a term of the fit without dense terms has weights on more than a few genes outside its set;
* the set of all genes, offered among the others at the price of its size, names the factor best;
* the factor is as dense as chance would have it: (|u|_1 / |u|_2)^2 / G, the share of the genes that
  take part, with u the weights in units of the genes' standard deviations, is 2 / pi = 0.64 for
  normal weights, and at least 0.6 is asked for.

benchmarks/confounders.py shows all three on simulated and on real data.
"""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

from .exact import empty_start, minimise
from .objective import History, Problem
from .penalties import Penalty, column_norms

log = logging.getLogger(__name__)

MANY = 0.1  # of all genes, outside the set: worth a warning
FEW = 0.005  # of all genes, outside the set: reason to look for confounders
LEAST_MANY, LEAST_FEW = 20, 4  # genes, for small panels
DENSE = 0.6  # of all genes that take part
MOST = 8  # confounders that are looked for


def genes_outside(W: np.ndarray, annotations: np.ndarray) -> np.ndarray:
    """Count the genes outside its set that each annotated term has weights on.

    Parameters
    ----------
    W
        Weights, genes x terms, the annotated ones first.
    annotations
        I, genes x annotated terms.
    """
    return ((W[:, : annotations.shape[1]] != 0) & (annotations == 0)).sum(0)


def sets_are_blurred(W: np.ndarray, annotations: np.ndarray) -> bool:
    """Tell whether an annotated term has weights on more than a few genes outside its set."""
    return bool(genes_outside(W, annotations).max() > max(FEW * len(W), LEAST_FEW))


def share_taking_part(W: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Return (|u|_1 / |u|_2)^2 / G of each column of W, u = its weights over the genes' sd.

    Of the genes that vary: in a part of the cells a gene may not, and then takes no part.
    """
    varies = sd > 0
    U = W[varies] / sd[varies, None]
    return abs(U).sum(0) ** 2 / (U**2).sum(0) / len(U)


def find_confounders(
    problem: Problem,
    annotations: np.ndarray,
    set_weights: np.ndarray,
    lambdas: dict[str, float],
    *,
    tol: float,
    max_iter: int,
    least_share: float = DENSE,
) -> np.ndarray:
    """Return the factors that the set of all genes names best, if they are dense.

    Parameters
    ----------
    problem
        The data's side of equation 3.
    annotations
        I, genes x annotated terms.
    set_weights
        Weight of each annotated term in the group penalty; the set of all genes has sqrt(its size
        over the median size) times their median.
    lambdas
        lambda1 and lambda3, in the paper's units.
    tol, max_iter
        As in :func:`intae.autoencoder.exact.minimise`; a rough answer will do.
    least_share
        Of the genes that take part; factors below it are left out.

    Returns
    -------
    Their weights, genes x confounders.
    """
    n_genes, n_known = annotations.shape
    offered = np.hstack([annotations, np.ones((n_genes, MOST))])
    price = np.median(set_weights) * np.sqrt(n_genes / np.median(annotations.sum(0)))
    penalty = Penalty.build(
        offered, np.array(["annotated"] * offered.shape[1]), lambdas["lambda1"], 0.0,
        lambdas["lambda3"], group_weights=np.concatenate([set_weights, np.full(MOST, price)]),
    )  # fmt: skip
    start = empty_start(problem.S, penalty)
    scale = float(np.linalg.norm(problem.at(offered / np.sqrt(offered.sum(0))).gradient()))
    W, _, _ = minimise(
        problem, penalty, start, tol=tol, max_iter=max_iter, history=History(penalty, scale)
    )
    factors = W[:, n_known:]
    factors = factors[:, column_norms(factors) > 0]
    shares = share_taking_part(factors, np.sqrt(np.diag(problem.S)))
    log.info(
        "the set of all genes names %d factors; the share of the genes that take part: %s",
        len(shares), ", ".join(f"{share:.2f}" for share in shares) or "-",
    )  # fmt: skip
    return factors[:, shares >= least_share]


def count_confounders(
    problem: Problem,
    W: np.ndarray,
    annotations: np.ndarray,
    set_weights: np.ndarray,
    lambdas: dict[str, float],
    *,
    tol: float,
    max_iter: int,
) -> int:
    """Return how many dense terms a fit without them needs, to keep confounders out of gene sets.

    Parameters
    ----------
    W
        The fit without dense terms, genes x terms.
    problem, annotations, set_weights, lambdas, tol, max_iter
        As in :func:`find_confounders`.
    """
    if not sets_are_blurred(W, annotations):
        return 0
    found = find_confounders(problem, annotations, set_weights, lambdas, tol=tol, max_iter=max_iter)
    if found.shape[1]:
        log.info("%d dense terms, to keep confounders out of the gene sets", found.shape[1])
    return found.shape[1]


def warn_of_confounders(W: np.ndarray, annotations: np.ndarray, kinds: pd.Series) -> None:
    """Warn of annotated terms with weights on a large part of all genes outside their sets.

    Parameters
    ----------
    W, annotations
        As in :func:`genes_outside`.
    kinds
        Kind of each term, indexed by its name.
    """
    outside = genes_outside(W, annotations)
    found = np.flatnonzero(outside > max(MANY * len(W), LEAST_MANY))
    if len(found):
        widest = found[np.argsort(-outside[found], kind="stable")]
        named = ", ".join(f"{kinds.index[k]} ({outside[k]} of {len(W)})" for k in widest[:3])
        log.warning(
            "annotated terms with weights on a large part of all genes outside their sets: %s%s; "
            "they stand for a confounder or a cell type; try n_dense=%d",
            named, ", ..." if len(found) > 3 else "", (kinds == "dense").sum() + len(found),
        )  # fmt: skip
