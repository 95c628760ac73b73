"""The lambdas: automatic ones, as fractions of the smallest ones that leave no term on.

With the other terms absent, a term with the weights t u, |u| = 1, takes u'S u t^2 / (t^2 + l0) off
F*, so it stays off wherever l3 t is always more. That is so from

    l3_max = max_k lambda_max(S_kk) / (2 sqrt(l0) c_k)

on: S_kk is the covariance of the genes of set k, lambda_max its largest eigenvalue, c_k the term's
weight in the group penalty, and t = sqrt(l0) the length at which a term pays best. At that length
the gradient of a gene g outside the set is -S_gk u / sqrt(l0), so no gene joins any term from

    l1_max = max_k max_{g not in k} |S_gk u_k| / sqrt(l0)

on. Both scale with the data as the solution does (Y times c: both times c if l0 is times c^2), and
l0 only sets the unit of length of W, so it needs no choice: F*(W) depends on W W' / l0 alone.

With few cells a fixed fraction of l3_max lies within the noise: N cells of n_k independent genes
with the mean variance v show a largest eigenvalue of v (1 + sqrt(n_k / N))^2 (Marchenko and Pastur
1967). The penalty that half of the sets would need to stay off in such data is the floor of the
automatic l3; where it counts, l1 and l2 are raised in proportion.

What a lambda does depends on the data; its share of the largest one means the same for all data: at
1 nothing is left, at 0 nothing is penalised.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from anndata import AnnData

from ..prepared import get_annotations
from .data import Cells

# The paper's, by which `adam` is fitted.
PUBLISHED = {"lambda0": 0.1, "lambda1": 0.93, "lambda2": 0.43, "lambda3": 0.57}
# The defaults of l1 and l3 as fractions of the largest, as benchmarks/defaults.py shows them.
FRACTION1, FRACTION3 = 0.15, 0.06


def leading_directions(S: np.ndarray, annotations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first principal component of each gene set.

    Parameters
    ----------
    S
        Covariance of the genes.
    annotations
        I, genes x annotated terms, 0/1.

    Returns
    -------
    values
        Largest eigenvalue of S within each set.
    vectors
        genes x annotated terms, unit columns, zero outside the set.
    """
    values = np.zeros(annotations.shape[1])
    vectors = np.zeros(annotations.shape)
    for k, column in enumerate(annotations.T):
        genes = np.flatnonzero(column)
        w, v = np.linalg.eigh(S[np.ix_(genes, genes)])
        values[k], vectors[genes, k] = w[-1], v[:, -1]
    return values, vectors


def lambda_max(
    S: np.ndarray, annotations: np.ndarray, lambda0: float, group_weights: np.ndarray
) -> tuple[float, float]:
    """Return l1_max and l3_max.

    Parameters
    ----------
    S
        Covariance of the genes.
    annotations
        I, genes x annotated terms.
    lambda0
        Factor of |z|^2 in equation 3.
    group_weights
        Weight of each annotated term in the group penalty.
    """
    values, vectors = leading_directions(S, annotations)
    pull = abs(S @ vectors) * (annotations == 0)
    return float(pull.max() / np.sqrt(lambda0)), float(
        (values / group_weights).max() / (2 * np.sqrt(lambda0))
    )


def noise_floor(
    S: np.ndarray,
    annotations: np.ndarray,
    lambda0: float,
    group_weights: np.ndarray,
    n_cells: int,
) -> float:
    """Return the l3 at which half of the gene sets stay off where all genes are independent.

    Parameters
    ----------
    S, annotations, lambda0, group_weights
        As in :func:`lambda_max`.
    n_cells
        Number of cells, N.
    """
    sizes = annotations.sum(0)
    variances = (annotations.T @ np.diag(S)) / sizes
    edges = variances * (1 + np.sqrt(sizes / n_cells)) ** 2
    return float(np.median(edges / group_weights) / (2 * np.sqrt(lambda0)))


def size_weights(annotations: np.ndarray, n_terms: int) -> np.ndarray:
    """Return the weight of each term in the group penalty: sqrt(its size / the median size).

    The usual group lasso weight (Yuan and Lin 2006): a large set explains chance as well as a
    small one would only if it pays for its size. Terms without annotation have 1.
    """
    weights = np.ones(n_terms)
    sizes = annotations.sum(0)
    weights[: len(sizes)] = np.sqrt(sizes / np.median(sizes))
    return weights


def weights_of_sets(annotations: np.ndarray, weighting: str, *, automatic: bool) -> np.ndarray:
    """Return the weight of each gene set in the group penalty.

    Parameters
    ----------
    annotations
        I, genes x annotated terms.
    weighting
        `paper` (1 for all), `sqrt-size` (:func:`size_weights`), or `auto`.
    automatic
        Whether lambda3 is chosen from the data; then `auto` is `sqrt-size`, else `paper`.
    """
    n_known = annotations.shape[1]
    sized = weighting == "sqrt-size" or (weighting == "auto" and automatic)
    return size_weights(annotations, n_known) if sized else np.ones(n_known)


def choose_lambdas(
    S: np.ndarray,
    annotations: np.ndarray,
    group_weights: np.ndarray,
    n_cells: int,
    given: Mapping[str, float | None],
    *,
    annotated_share: float,
    published: bool,
) -> dict[str, float]:
    """Return the lambdas to use, and the largest useful ones.

    Parameters
    ----------
    S, annotations, group_weights, n_cells
        As in :func:`noise_floor`.
    given
        lambda0 to lambda3 as the user gave them; None stands for the automatic one.
    annotated_share
        lambda_annotated, on genes inside their set, as a share of lambda1.
    published
        Take the paper's in the place of automatic ones.

    Returns
    -------
    lambda0 to lambda3, lambda_annotated, lambda1_max and lambda3_max.
    """
    lambda0 = float(PUBLISHED["lambda0"] if given["lambda0"] is None else given["lambda0"])
    largest1, largest3 = lambda_max(S, annotations, lambda0, group_weights)
    if published:
        chosen = PUBLISHED
    else:
        floor = noise_floor(S, annotations, lambda0, group_weights, n_cells)
        raised = max(1.0, floor / (FRACTION3 * largest3))
        lambda1 = raised * FRACTION1 * largest1
        chosen = {"lambda1": lambda1, "lambda2": lambda1, "lambda3": raised * FRACTION3 * largest3}
    used = {"lambda0": lambda0}
    for name in ("lambda1", "lambda2", "lambda3"):
        used[name] = float(chosen[name] if given[name] is None else given[name])
    used["lambda_annotated"] = float(annotated_share * used["lambda1"])
    return used | {"lambda1_max": largest1, "lambda3_max": largest3}


def absolute_penalties(
    adata: AnnData,
    params: Mapping[str, Any],
    *,
    fraction1: float | None = None,
    fraction3: float | None = None,
) -> dict[str, Any]:
    """Return parameters of :class:`intae.Autoencoder` with lambdas in the place of fractions.

    Parameters
    ----------
    adata
        Prepared data that the model will be fitted to.
    params
        The model's other parameters.
    fraction1, fraction3
        Shares of lambda1_max and lambda3_max, which take the place of lambda1 and lambda3 in
        `params`; None leaves those. lambda2 goes with lambda1, as in the automatic penalties,
        unless `params` gives it. With `fraction3` the groups are weighted as with an automatic
        lambda3, where `weighting` is `auto`.
    """
    params = dict(params)
    if fraction1 is None and fraction3 is None:
        return params
    annotations = get_annotations(adata).astype(float)
    automatic = fraction3 is not None or params.get("lambda3") is None
    automatic = automatic and params.get("solver", "exact") != "adam"
    if params.get("weighting", "auto") == "auto":
        params["weighting"] = "sqrt-size" if automatic else "paper"
    largest1, largest3 = lambda_max(
        Cells(adata, params.get("covariates")).covariance,
        annotations,
        params.get("lambda0") or PUBLISHED["lambda0"],
        weights_of_sets(annotations, params["weighting"], automatic=automatic),
    )
    if fraction1 is not None:
        params["lambda1"] = fraction1 * largest1
        if params.get("lambda2") is None:
            params["lambda2"] = params["lambda1"]
    if fraction3 is not None:
        params["lambda3"] = fraction3 * largest3
    return params
