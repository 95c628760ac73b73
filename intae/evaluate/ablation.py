"""The talk's ideas that do not work, beside the autoencoder: one score a row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from anndata import AnnData

from ..autoencoder import Autoencoder, MaskedAutoencoder
from ..prepared import CHUNK
from ..tables import stack
from .dense import UNANNOTATED

METRICS = (
    "variance reconstructed", "share of terms on", "held-out accuracy, best term",
    "held-out accuracy, chosen terms that are on", "|r| of two seeds' loadings",
    "ten most relevant terms that two seeds share", "average precision of planted terms",
    "|r| with planted loadings",
)  # fmt: skip
FIT = ["method", "seed"]


def own_scores(model: Autoencoder | MaskedAutoencoder, prepared: AnnData) -> pd.DataFrame:
    """Return what a fit says by itself.

    Returns
    -------
    metric, value: the share of the training cells' variance that it reconstructs, and the share of
    its terms that are on.
    """
    left = whole = 0.0
    mean = model.mean_
    for start in range(0, prepared.n_obs, CHUNK):
        part = prepared[start : start + CHUNK]
        Y = part.X.toarray() if hasattr(part.X, "toarray") else np.asarray(part.X)
        left += float(((Y - model.reconstruct(part).to_numpy()) ** 2).sum())
        whole += float(((Y - mean) ** 2).sum())
    values = [1 - left / whole, model.terms_["active"].mean()]
    return pd.DataFrame({"metric": METRICS[:2], "value": values})


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
    does not have is absent. n_terms, of_terms: of how many terms the value is a mean, those that
    are on, and of how many chosen ones that the method has; empty where it is no mean over these.
    """
    parts = []
    if accuracy is not None:
        held = accuracy[accuracy["split"] == "held_out"]
        held = held[~held["term"].str.match(UNANNOTATED)]  # dense factors have no name
        parts.append(_rows(METRICS[2], held.groupby(FIT)["accuracy"].max()))
        on = terms.loc[terms["active"] & terms["term"].isin(list(chosen)), [*FIT, "term"]]
        held = held.merge(on, on=[*FIT, "term"])
        of = terms[terms["term"].isin(list(chosen))].groupby("method")["term"].nunique()
        number = held.groupby(FIT)["term"].nunique().to_numpy()
        rows = _rows(METRICS[3], held.groupby(FIT)["accuracy"].mean())
        parts.append(rows.assign(n_terms=number, of_terms=rows["method"].map(of)))
    seeds = stability[stability["kind"] == "seeds"].set_index("term")
    for metric, name, unit in (
        (METRICS[4], "(median |r|)", 1), (METRICS[5], "(shared of the 10 most relevant)", 10)
    ):  # fmt: skip
        values = seeds.loc[seeds.index == name].set_index("method")["r"] / unit
        parts.append(_rows(metric, values))
    if recovery is not None:
        for metric, name in (
            (METRICS[6], "average precision of active terms"), (METRICS[7], "loadings |r|")
        ):  # fmt: skip
            found = recovery[recovery["metric"] == name]
            parts.append(_rows(metric, found.groupby(FIT)["value"].mean()))
    table = stack(parts).reset_index(drop=True)
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
