"""The penalty R of equations 4 to 6: its value, its proximal map (equation 8), its optimality.

    R(W) = l1 sum_k1 |W_k (1 - I_k)|_1 + l2 sum_k2 |W_k|_1 + l3 sum_k |W_k|_2

k1 runs over annotated, k2 over sparse, k over all terms. Everything here takes NumPy arrays or
torch tensors alike, so that each solver uses the same maps. Lambdas are in the paper's units; the
only place where one is multiplied by a step length is :meth:`Penalty.prox`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import IntaeError

if TYPE_CHECKING:
    import torch


def soft_threshold(V, threshold):
    """Proximal map of `threshold * |V|_1`: every entry moves to zero by `threshold`, or onto it.

    y - t if y > t; 0 if |y| <= t; y + t if y < -t.
    """
    return V - V.clip(-threshold, threshold)


def shrink_columns(V, threshold):
    """Proximal map of `sum_k threshold_k * |V_k|_2`: every column is shortened by its threshold.

    V_k (1 - t_k / |V_k|)_+, so that a column no longer than its threshold becomes exactly zero.
    """
    norms = column_norms(V).clip(1e-30)  # a zero column stays zero, without 0 / 0
    return V * (1 - threshold / norms).clip(0)


def column_norms(V):
    """Return |V_k|_2 of each column."""
    return (V * V).sum(0) ** 0.5


@dataclass(frozen=True)
class Penalty:
    """R with all its lambdas, as the weights it gives to each entry and to each column of W.

    Attributes
    ----------
    entries
        Factor of |W_gk|, genes x terms: l1 (1 - I) for annotated terms, l2 for sparse ones, 0 for
        dense ones; with the option `lambda_annotated`, that instead of 0 where I = 1.
    groups
        Factor of |W_k|_2, one per term: l3 times the term's weight.
    kinds
        Kind of each term.
    """

    entries: np.ndarray
    groups: np.ndarray
    kinds: np.ndarray

    @classmethod
    def build(
        cls,
        annotations: np.ndarray,
        kinds: np.ndarray,
        lambda1: float,
        lambda2: float,
        lambda3: float,
        *,
        lambda_annotated: float = 0.0,
        group_weights: np.ndarray | None = None,
    ) -> Penalty:
        """Lay out the lambdas over the entries and columns of W.

        Parameters
        ----------
        annotations
            I, genes x annotated terms, 0/1.
        kinds
            Kind of each term: annotated, sparse or dense, in this order.
        lambda1, lambda2, lambda3
            In the paper's units.
        lambda_annotated
            The same for the genes that a set does name; 0 in the paper.
        group_weights
            Factor of l3 for each term; None is 1 for all, as in the paper.

        Raises
        ------
        IntaeError
            If a lambda is negative or not finite.
        """
        given = dict(
            lambda1=lambda1, lambda2=lambda2, lambda3=lambda3, lambda_annotated=lambda_annotated
        )
        for name, value in given.items():
            if not (np.isfinite(value) and value >= 0):
                msg = f"{name} must be a finite number that is not negative, not {value!r}"
                raise IntaeError(msg)
        kinds = np.asarray(kinds)
        n_known = annotations.shape[1]
        entries = np.zeros((annotations.shape[0], len(kinds)))
        entries[:, :n_known] = np.where(annotations > 0, lambda_annotated, lambda1)
        entries[:, kinds == "sparse"] = lambda2
        weights = np.ones(len(kinds)) if group_weights is None else np.asarray(group_weights)
        return cls(entries, lambda3 * weights, kinds)

    def take(self, columns) -> Penalty:
        """Return the penalty of some columns of W only."""
        return Penalty(self.entries[:, columns], self.groups[columns], self.kinds[columns])

    def to_torch(self, device, dtype) -> Penalty:
        """Return the same penalty for tensors."""
        import torch

        return Penalty(
            torch.as_tensor(self.entries, device=device, dtype=dtype),
            torch.as_tensor(self.groups, device=device, dtype=dtype),
            self.kinds,
        )

    def parts(self, W: np.ndarray) -> dict[str, float]:
        """Return the value of each sum of R: annotated and sparse terms' L1, and the groups'."""
        entries = (self.entries * abs(W)).sum(0)
        return {
            "penalty_annotated": float(entries[self.kinds == "annotated"].sum()),
            "penalty_sparse": float(entries[self.kinds == "sparse"].sum()),
            "penalty_group": float((self.groups * column_norms(W)).sum()),
        }

    def value(self, W: np.ndarray) -> float:
        """R(W), equation 4."""
        return float((self.entries * abs(W)).sum() + (self.groups * column_norms(W)).sum())

    def prox(self, V, step):
        """Equation 8, argmin_L |L - V|^2 / 2 + step R(L), in closed form.

        The composition of the two maps, entries first (Yu 2013: columns' norms shrink without
        turning, so the order decides nothing that the entries' signs decided).

        Parameters
        ----------
        V
            genes x terms.
        step
            The step length eta: a number, or one per term.
        """
        return shrink_columns(soft_threshold(V, step * self.entries), step * self.groups)

    def prox_of_step(self, step: float) -> Callable[[torch.Tensor], None]:
        """Return :meth:`prox` of a step length that stays, for tensors; it changes its argument.

        The same numbers; but a training step comes here once per batch, and makes nothing anew.
        """
        import torch

        above, groups, room = (
            step * self.entries,
            step * self.groups,
            torch.empty_like(self.entries),
        )
        below = -above

        def prox(V: torch.Tensor) -> None:
            V.sub_(torch.clamp(V, below, above, out=room))
            norms = torch.mul(V, V, out=room).sum(0).pow_(0.5).clamp_(min=1e-30)
            V.mul_((1 - groups / norms).clamp_(min=0))

        return prox

    def subdiff_distance(self, W, gradient):
        """Distance of -gradient from the subdifferential of R at W, entry by entry.

        W is a stationary point of F + R where all of it is zero.

        Parameters
        ----------
        W, gradient
            genes x terms; the gradient of F at W.

        Returns
        -------
        genes x terms, not negative; its Frobenius norm is the distance.
        """
        norms = column_norms(W)
        pull = gradient + self.groups * W / norms.clip(1e-30)
        inside = np.where(
            W != 0, abs(pull + self.entries * np.sign(W)), (abs(pull) - self.entries).clip(0)
        )
        # At a zero column the subdifferential is a box plus a ball.
        outside = abs(shrink_columns(soft_threshold(gradient, self.entries), self.groups))
        return np.where(norms > 0, inside, outside)
