"""The models that a config may name, and one training run of one of them."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from typing import Any

from anndata import AnnData

import intae

from ..base import FactorModel
from ..controls import permute_annotations, permuted
from .host import describe_host, peak_memory_mb

log = logging.getLogger(__name__)

MODELS = ("Autoencoder", "FSCLVM", "GeneSetScore", "MaskedAutoencoder", "PCA", "Slalom")


def make_model(model: str, params: Mapping[str, Any], *, seed: int, threads: int) -> FactorModel:
    """Make a model by its name, refusing parameters it does not have.

    Parameters
    ----------
    model
        Name of the class.
    params
        Its parameters; with `permute_annotations` true beside them, the model shuffles the
        annotations of any data it is fitted to (by `seed`).
    seed, threads
        Of the model.

    Raises
    ------
    ValueError
        If the model or a parameter is unknown; the message suggests the nearest.
    """
    from ..errors import suggest

    if model not in MODELS:
        msg = f"there is no model {model!r}{suggest(model, MODELS)}"
        raise ValueError(msg)
    params = dict(params)
    permute = params.pop("permute_annotations", False)
    kind = getattr(intae, model)
    known = inspect.signature(kind).parameters
    for name in params:
        if name not in known:
            msg = f"intae.{model} has no parameter {name!r}{suggest(name, known)}"
            raise ValueError(msg)
    made = kind(**params, seed=seed, threads=threads)
    return permuted(made, seed) if permute else made


def slalom_path(prepared: AnnData, made: FactorModel) -> dict[str, Any]:
    """Ask the exact f-scLVM which path slalom will take, so that its time can be projected.

    The exact engine follows slalom sweep by sweep, some hundred times faster, so it knows how many
    sweeps slalom needs and how many terms are on in each. Only for a slalom with a budget.

    Returns
    -------
    Arguments for `Slalom.fit`; none for other models.
    """
    params = made.get_params()
    if not isinstance(made, intae.Slalom) or params.pop("budget") is None:
        return {}
    exact = intae.FSCLVM(**params, compat="slalom").fit(prepared)
    log.info("slalom needs %d sweeps, by the exact f-scLVM that follows it", exact.n_iter_)
    return {
        "expected_iter": exact.n_iter_,
        "expected_active": exact.history_["n_active"].astype(int).tolist(),
    }


def train(
    prepared: AnnData, model: str, params: Mapping[str, Any], *, seed: int, threads: int
) -> tuple[FactorModel, dict[str, Any]]:
    """Fit a model to prepared data.

    Returns
    -------
    The fitted model, and what else to know of the run: seed, threads, whether the annotations were
    permuted, device, peak memory of this process so far (MB), size of the data, host and versions.
    """
    made = make_model(model, params, seed=seed, threads=threads)
    log.info("fitting %r to %d cells x %d genes", made, *prepared.shape)
    seen = prepared  # what the model will see, for who follows slalom's path
    if params.get("permute_annotations"):
        seen = permute_annotations(prepared, seed)
        log.info("the annotations are permuted: the sets' genes are no longer theirs")
    made.fit(prepared, **slalom_path(seen, getattr(made, "model", made)))
    made = getattr(made, "model_", made)  # of a Shuffled model, the one that was fitted
    log.info(
        "done: %.1f s, %d iterations, %s",
        made.seconds_, made.n_iter_, "converged" if made.converged_ else "not converged",
    )  # fmt: skip
    about = {
        "seed": seed,
        "threads": threads,
        "permute_annotations": bool(params.get("permute_annotations", False)),
        "device": str(getattr(made, "device_", "cpu")),
        "peak_mb": peak_memory_mb(),
        "n_cells": prepared.n_obs,
        "n_genes": prepared.n_vars,
        "n_terms": len(made.terms_),
        "host": describe_host(),
    }
    return made, about
