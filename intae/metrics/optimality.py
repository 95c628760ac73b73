"""How near autoencoders come to the optimum of equation 3, and what each term is needed for.

What a network buys, against the best encoder; the terms of an exact fit that others could replace;
and the ablation, the ideas of the talk that do not work, scored beside the autoencoder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from anndata import AnnData

from ..autoencoder import MaskedAutoencoder
from ..autoencoder.data import Cells
from ..autoencoder.model import Autoencoder
from ..autoencoder.objective import (
    Loadings,
    annotation_start,
    best_data_term,
    best_encoder,
    best_loadings,
)
from ..autoencoder.penalties import Penalty, column_norms
from ..prepared import split_terms
from .agreement import correlate
from .separation import UNANNOTATED
from .variance import variance_explained

OBJECTIVE_COLUMNS = (
    "F", "penalty", "objective", "best_F", "gap", "certificate", "n_active",
    "inactive_zero_share", "seconds", "own",
)  # fmt: skip
REFERENCE = "(exact)"  # stands for a method: the exact solver at the common penalties


class Yardstick:
    """Equation 3 with the same penalties for all fits of the same prepared data.

    Parameters
    ----------
    prepared
        The data that all were fitted to.
    lambdas
        lambda0, lambda1, lambda2 and lambda3, in the paper's units; every term's weight in the
        group penalty is 1, as in the paper.
    """

    def __init__(self, prepared: AnnData, lambdas: Mapping[str, float]):
        self.prepared, self.lambdas = prepared, dict(lambdas)
        self._cells: dict[tuple[str, ...], Cells] = {}

    def reference(self) -> Autoencoder:
        """Fit the exact solver at these penalties."""
        return Autoencoder(n_dense=0, weighting="paper", threads=1, **self.lambdas).fit(
            self.prepared
        )

    def objective(self, model: Autoencoder) -> dict[str, object]:
        """Say what a fit reaches of equation 3.

        Returns
        -------
        F (with the fit's own loadings), penalty (R), objective (F + R), best_F (F*, with the best
        encoder for the same W), gap (F - F*), certificate (as in `history_`, at the fit's
        loadings), n_active, inactive_zero_share (of the penalised entries), seconds (of the fit)
        and own (whether the fit minimised this very objective, and not one with other penalties).
        """
        cells, W, lambda0 = self._of(model), model.weights_.to_numpy(), self.lambdas["lambda0"]
        moments, total = self._moments(model)
        kinds = model.terms_["kind"].to_numpy()
        names = ("lambda1", "lambda2", "lambda3")
        penalty = Penalty.build(model.annotations_, kinds, *(self.lambdas[n] for n in names))
        start = annotation_start(cells.covariance, model.annotations_, W.shape[1])
        at_start = best_loadings(cells.covariance @ start, start, lambda0)
        distance = np.linalg.norm(penalty.subdiff_distance(W, moments.gradient(W)))
        F, R = moments.data_term(total, W, lambda0), penalty.value(W)
        best = best_data_term(cells.covariance, W, lambda0)
        off = penalty.entries > 0
        row = {
            "F": F,
            "penalty": R,
            "objective": F + R,
            "best_F": best,
            "gap": F - best,
            "certificate": float(distance / np.linalg.norm(at_start.gradient(start))),
            "n_active": int((column_norms(W) > 0).sum()),
            "inactive_zero_share": float((W[off] == 0).mean()) if off.any() else 1.0,
            "seconds": model.seconds_,
            "own": self._own(model),
        }
        return {name: row[name] for name in OBJECTIVE_COLUMNS}

    def encoder_agreement(self, model: Autoencoder) -> pd.DataFrame:
        """Correlate each active term's loadings with the best encoder's for the same W.

        Returns
        -------
        One row per active term: term, relevance, r.
        """
        A = best_encoder(model.weights_.to_numpy(), self.lambdas["lambda0"])
        best = np.vstack([left @ A for _, left in self._left(model)])
        own = model.encode(self.prepared)
        best = pd.DataFrame(best, own.index, own.columns)
        on = model.terms_["active"].to_numpy()
        r = correlate(own.loc[:, on], best.loc[:, on])
        relevance = model.terms_.loc[r.index, "relevance"].to_numpy()
        return pd.DataFrame({"term": r.index, "relevance": relevance, "r": r.to_numpy()})

    def _of(self, model: Autoencoder) -> Cells:
        key = tuple(model.covariates or ())
        if key not in self._cells:
            self._cells[key] = Cells(self.prepared, list(key))
        return self._cells[key]

    def _own(self, model: Autoencoder) -> bool:
        used = all(np.isclose(model.lambdas_[k], v) for k, v in self.lambdas.items())
        plain = model.lambdas_["lambda_annotated"] == 0 and (model.group_weights_ == 1).all()
        return bool(used and plain)

    def _left(self, model: Autoencoder) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield blocks of the cells: what is left of centred genes after the model's covariates."""
        for rows, Y, X in self._of(model).blocks():
            yield rows, Y - X @ model.effects_.T

    def _moments(self, model: Autoencoder) -> tuple[Loadings, float]:
        """Return the moments of the fit's loadings, and the mean of |y_n|^2."""
        Z, YZ, total = model.encode(self.prepared).to_numpy(), 0.0, 0.0
        for rows, left in self._left(model):
            YZ, total = YZ + left.T @ Z[rows], total + float((left**2).sum())
        return Loadings(YZ / len(Z), Z.T @ Z / len(Z)), total / len(Z)


NEEDED_COLUMNS = (
    "term", "relevance", "necessity", "share", "carried", "irreplaceable", "stand_ins",
    "stand_in_growth", "stand_in_r", "stand_in_holds",
)  # fmt: skip


def needed_terms(model: Autoencoder, prepared: AnnData) -> pd.DataFrame:
    """Tell what each active term is needed for, and which terms take its place without it.

    Parameters
    ----------
    model
        Fitted by the `exact` solver.
    prepared
        The data it was fitted to.

    Returns
    -------
    One row per active term, the most relevant first: term, relevance; necessity (how much F + R
    rises when the term is forbidden and the others are refitted) and share (the same, of F + R);
    carried (the rise before the others are refitted) and irreplaceable (necessity / carried: 0,
    others take all of it over; 1, nothing replaces the term; of a tiny `carried` it tells nothing);
    stand_ins (up to three terms that grow most, " | " between them), stand_in_growth (by how much,
    in units of the term's own norm, separated by a space), stand_in_r (|correlation| of the first
    stand-in's loadings then with the term's now) and stand_in_holds (share of the term's genes that
    the first stand-in's set holds; 1: it contains the term).
    """
    table = model.necessity(prepared).reset_index()
    table["relevance"] = model.terms_["relevance"].reindex(table["term"]).to_numpy()
    table["necessity"] = table["rise"]
    table["share"] = table["rise"] / model.history_["objective"].iloc[-1]
    table["irreplaceable"] = table["rise"] / table["carried"]
    firsts = [split_terms(names)[:1] for names in table["stand_ins"]]
    table["stand_in_holds"] = [
        _holds(model, term, first[0]) if first else np.nan
        for term, first in zip(table["term"], firsts, strict=True)
    ]
    return table.sort_values("relevance", ascending=False)[list(NEEDED_COLUMNS)]


def _holds(model: Autoencoder, term: str, other: str) -> float:
    """Return the share of a term's genes that another's set holds; NaN for terms without a set."""
    known = model.annotations_ > 0
    positions = model.terms_.index.get_indexer([term, other])
    if positions.max() >= known.shape[1]:
        return np.nan
    own, others = known[:, positions].T
    return float((own & others).sum() / own.sum())


METRICS = (
    "variance reconstructed", "share of terms on", "held-out accuracy, best term",
    "held-out accuracy, chosen terms that are on", "|r| of two seeds' loadings",
    "ten most relevant terms that two seeds share", "average precision of planted terms",
    "|r| with planted loadings",
)  # fmt: skip
(VARIANCE, SHARE_ON, BEST_ACCURACY, CHOSEN_ACCURACY, SEED_R, SEED_TOP, PLANTED_TERMS,
 PLANTED_R) = METRICS  # fmt: skip
FIT = ["method", "seed"]


def own_scores(model: Autoencoder | MaskedAutoencoder, prepared: AnnData) -> pd.DataFrame:
    """Return what a fit says by itself.

    Parameters
    ----------
    model
        The fitted model.
    prepared
        The data it was fitted to.

    Returns
    -------
    metric, value: the share of the training cells' variance that it reconstructs, and the share of
    its terms that are on.
    """
    cells = np.arange(prepared.n_obs)
    explained = variance_explained(model, prepared, cells, cells)
    values = [explained, model.terms_["active"].mean()]
    return pd.DataFrame({"metric": [VARIANCE, SHARE_ON], "value": values})


def scores_from_tables(
    methods: Sequence[str],
    chosen: Sequence[str],
    *,
    terms: pd.DataFrame,
    stability: pd.DataFrame,
    accuracy: pd.DataFrame | None = None,
    recovery: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Collect what the other tables of a data set say of these methods.

    Parameters
    ----------
    methods
        Those to compare.
    chosen
        The terms of the accuracy figure; may be empty.
    terms, stability, accuracy, recovery
        The tables of one data set; without labels there is no accuracy, without truth no recovery.

    Returns
    -------
    method, seed, metric, value; seed is empty where two seeds were compared. A metric that a method
    does not have is absent. n_terms, of_terms: over how many terms the value is a mean (chosen ones
    that are on), and how many chosen terms the method has; empty where the value is no such mean.
    """
    parts = []
    if accuracy is not None:
        held = accuracy[accuracy["split"] == "held_out"]
        held = held[~held["term"].str.match(UNANNOTATED)]  # dense factors have no name
        parts.append(_rows(BEST_ACCURACY, held.groupby(FIT)["accuracy"].max()))
        on = terms.loc[terms["active"] & terms["term"].isin(list(chosen)), [*FIT, "term"]]
        held = held.merge(on, on=[*FIT, "term"])
        n_chosen = terms[terms["term"].isin(list(chosen))].groupby("method")["term"].nunique()
        n_on = held.groupby(FIT)["term"].nunique().to_numpy()
        rows = _rows(CHOSEN_ACCURACY, held.groupby(FIT)["accuracy"].mean())
        parts.append(rows.assign(n_terms=n_on, of_terms=rows["method"].map(n_chosen)))
    seeds = stability[stability["kind"] == "seeds"].set_index("term")
    for metric, name, unit in (
        (SEED_R, "(median |r|)", 1), (SEED_TOP, "(shared of the 10 most relevant)", 10)
    ):  # fmt: skip
        values = seeds.loc[seeds.index == name].set_index("method")["r"] / unit
        parts.append(_rows(metric, values))
    if recovery is not None:
        for metric, name in (
            (PLANTED_TERMS, "average precision of active terms"), (PLANTED_R, "loadings |r|")
        ):  # fmt: skip
            found = recovery[recovery["metric"] == name]
            parts.append(_rows(metric, found.groupby(FIT)["value"].mean()))
    table = pd.concat([p for p in parts if len(p)] or parts[:1], ignore_index=True)
    for name in ("n_terms", "of_terms"):
        table[name] = table[name].astype("Int64") if name in table else pd.NA
    return table[table["method"].isin(list(methods))]


def _rows(metric: str, values: pd.Series) -> pd.DataFrame:
    table = values.rename("value").reset_index()
    if "seed" not in table:
        table["seed"] = pd.NA
    table["metric"] = metric
    table["seed"] = table["seed"].astype("Int64")
    return table[["method", "seed", "metric", "value"]]
