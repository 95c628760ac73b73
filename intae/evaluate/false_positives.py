"""Terms that a fit calls active although they are not, and whether they overlap active ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.stats import false_discovery_control, rankdata, ttest_ind

from .planted import Planted

RULES = ("switched on", "top ranked", "differs between conditions")
OUTCOMES = ("true", "false, overlaps a true one", "false, overlaps none")


def false_positives(
    fit: AnnData, truth: AnnData, share: float = 0.25, fdr: float = 0.05
) -> pd.DataFrame:
    """Count the terms that a fit of simulated data calls active, rightly and wrongly.

    Three rules say what a fit calls active:

    - switched on: the term is active in the fit;
    - top ranked: it is among the most relevant (:func:`intae.evaluate.fits.ranking`), as many as
      are active in truth. Fair to methods that switch nothing off;
    - differs between conditions: its loadings do, by Welch's t test, Benjamini-Hochberg over the
      terms. True is here only the term that carries the condition: this is how one would look for
      the pathways that a treatment changes, one term after the other.

    Parameters
    ----------
    fit, truth
        See :func:`intae.evaluate.recovery.recovery`.
    share
        A false term overlaps a true one if at least this share of its genes is in that one's set.
    fdr
        False discovery rate of the third rule.

    Returns
    -------
    rule, outcome, n (terms called active), of (terms with that outcome if all were called active);
    empty if the fit has no annotated terms.
    """
    planted = Planted.beside(fit, truth)
    if not len(planted.terms):
        return pd.DataFrame(columns=["rule", "outcome", "n", "of"])
    strength = truth.uns["true_terms"].loc[planted.terms.index, "strength"].to_numpy()
    carrier = np.arange(len(strength)) == strength.argmax()  # by intae.simulate
    rank = rankdata(-planted.score, method="ordinal")
    different = _different(planted.loadings, fit.obs["condition"].to_numpy(str), fdr)
    called = {
        "switched on": (planted.on, planted.active),
        "top ranked": ((planted.score > 0) & (rank <= planted.active.sum()), planted.active),
        "differs between conditions": (different, carrier),
    }
    rows = []
    for rule, (chosen, true) in called.items():
        near = ~true & (overlap(planted.known, true) >= share)
        for outcome, group in zip(OUTCOMES, (true, near, ~true & ~near), strict=True):
            rows.append((rule, outcome, int((chosen & group).sum()), int(group.sum())))
    return pd.DataFrame(rows, columns=["rule", "outcome", "n", "of"])


def overlap(known: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Return of each set the share of its genes in that true set with which it shares most.

    Parameters
    ----------
    known
        genes x terms, bool.
    true
        terms, bool.
    """
    sets = known.astype(float)
    shared = sets.T @ sets[:, true]
    return shared.max(1, initial=0.0) / sets.sum(0)


def _different(loadings: np.ndarray, condition: np.ndarray, fdr: float) -> np.ndarray:
    """Say of each term whether its loadings differ between the first condition and the others."""
    first = condition == np.unique(condition)[0]
    varies = loadings.std(0) > 0
    p = np.ones(loadings.shape[1])
    if varies.any():
        test = ttest_ind(loadings[first][:, varies], loadings[~first][:, varies], equal_var=False)
        p[varies] = np.nan_to_num(test.pvalue, nan=1.0)
    return false_discovery_control(p) < fdr
