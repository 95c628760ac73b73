"""The data term F of equation 3, for a network's loadings and for the best ones.

    F(Z, W) = 1/N sum_n |y_n - W z_n|^2 + l0/N sum_n |z_n|^2                    (equation 3)

For a given W the z_n that minimises this is a ridge solution, linear in y_n, so no network does
better, and F becomes a function of W and the covariance S = Y'Y/N of the centred genes alone:

    z_n = A' y_n,   A = W (W'W + l0 I)^-1
    F*(W) = tr S - tr(S W A') = l0 tr(S (W W' + l0 I)^-1)
    grad F*(W) = -2 (S A - W A'S A)

The gradient is that of F at fixed Z (the envelope theorem). With linear covariates (equation 2), S
is the covariance of what least squares on them leaves of Y: F*(W) = l0 tr(S (W W' + l0 I)^-1)
weights every cell alike, and then generalised least squares is ordinary least squares for any W.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve


def data_term(Y, Z, W, lambda0: float):
    """F of equation 3 as it stands there, for NumPy arrays or torch tensors.

    Parameters
    ----------
    Y
        cells x genes, centred (and without what covariates explain).
    Z
        cells x terms.
    W
        genes x terms.
    lambda0
        Factor of |z|^2.
    """
    return (((Y - Z @ W.T) ** 2).sum() + lambda0 * (Z**2).sum()) / len(Y)


@dataclass(frozen=True)
class Loadings:
    """All that F and its gradient need of loadings: their second moments, with the genes and alone.

    Attributes
    ----------
    YZ
        Y'Z/N, genes x terms.
    ZZ
        Z'Z/N, terms x terms.
    """

    YZ: np.ndarray
    ZZ: np.ndarray

    def data_term(self, total: float, W: np.ndarray, lambda0: float) -> float:
        """F of equation 3, with `total` = tr S, the mean of |y_n|^2."""
        fit = total - 2 * np.vdot(self.YZ, W) + np.vdot(W.T @ W, self.ZZ)
        return float(fit + lambda0 * np.trace(self.ZZ))

    def gradient(self, W: np.ndarray) -> np.ndarray:
        """Gradient of F in W at these loadings, genes x terms.

        2 ZZ is its Hessian, the same for every gene.
        """
        return 2 * (W @ self.ZZ - self.YZ)

    def explained(self, total: float, W: np.ndarray) -> np.ndarray:
        """Share of the variance that each term explains by itself, 1 - |Y - z_k w_k'|^2 / |Y|^2."""
        return (2 * (self.YZ * W).sum(0) - np.diag(self.ZZ) * (W**2).sum(0)) / total


def best_encoder(W: np.ndarray, lambda0: float) -> np.ndarray:
    """A = W (W'W + l0 I)^-1, genes x terms: the best loadings of a cell y are A'y."""
    return cho_solve(_ridge(W, lambda0), W.T).T


def best_loadings(SW: np.ndarray, W: np.ndarray, lambda0: float) -> Loadings:
    """Return the moments of the best encoder's loadings, Y'Z/N = S A and Z'Z/N = A'S A.

    Parameters
    ----------
    SW
        S W, genes x terms: the one costly product, left to the caller because it is linear in W.
    """
    ridge = _ridge(W, lambda0)
    YZ = cho_solve(ridge, SW.T).T
    ZZ = cho_solve(ridge, W.T @ YZ)
    return Loadings(YZ, (ZZ + ZZ.T) / 2)


def best_data_term(S: np.ndarray, W: np.ndarray, lambda0: float) -> float:
    """F*(W), the data term of equation 3 with the best encoder; S is genes x genes."""
    return best_data_term_from(best_loadings(S @ W, W, lambda0), np.trace(S), W)


def best_data_term_from(best: Loadings, total: float, W: np.ndarray) -> float:
    """F*(W) = tr S - tr(S A W') from the best loadings at W, with `total` = tr S."""
    return float(total - np.vdot(best.YZ, W))


def gradient(S: np.ndarray, W: np.ndarray, lambda0: float) -> np.ndarray:
    """Gradient of F*(W), genes x terms."""
    return best_loadings(S @ W, W, lambda0).gradient(W)


def annotation_start(S: np.ndarray, annotations: np.ndarray, n_terms: int) -> np.ndarray:
    """W to start from: each annotated term at its gene set's indicator, scaled to length 1.

    The problem is not convex, and of all starts this one has a reason. Terms without annotation
    start at the leading eigenvectors of S, each of length 1.

    Parameters
    ----------
    S
        Covariance of the genes.
    annotations
        I, genes x annotated terms, 0/1.
    n_terms
        Number of all terms, the annotated ones first.
    """
    n_known = annotations.shape[1]
    W = np.zeros((len(S), n_terms))
    W[:, :n_known] = annotations / np.sqrt(annotations.sum(0))
    if n_terms > n_known:
        vectors = np.linalg.eigh(S)[1][:, ::-1][:, : n_terms - n_known]
        W[:, n_known:] = vectors * np.where(vectors.sum(0) < 0, -1, 1)
    return W


def _ridge(W: np.ndarray, lambda0: float):
    ridge = W.T @ W
    ridge[np.diag_indices_from(ridge)] += lambda0
    return cho_factor(ridge)
