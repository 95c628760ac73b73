"""One training run of a method: its model made, fitted, and what is known of the run."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anndata import AnnData

import intae

from ..base import FactorModel, class_named
from ..controls import permute_annotations
from ..errors import IntaeError, suggest
from .host import describe_host, peak_memory_mb
from .models import model_of

log = logging.getLogger(__name__)


def make_model(model: str, params: Mapping[str, Any], *, seed: int, threads: int) -> FactorModel:
    """Make a model by its name, refusing parameters that it does not have.

    Parameters
    ----------
    model
        Name of the class, as a config gives it: see :func:`.models.model_of`.
    params
        Its parameters; `permute_annotations`, which may stand beside them, is for
        :func:`training_data`.
    seed, threads
        Of the model.

    Raises
    ------
    IntaeError
        If the model or a parameter is unknown; the message suggests the nearest.
    """
    known = model_of(model).parameters
    params = {name: value for name, value in params.items() if name != "permute_annotations"}
    for name in params:
        if name not in known:
            msg = f"{model} has no parameter {name!r}{suggest(name, known)}"
            raise IntaeError(msg)
    return class_named(model)(**params, seed=seed, threads=threads)


def training_data(prepared: AnnData, params: Mapping[str, Any], seed: int) -> AnnData:
    """Return what a method is fitted to: its gene sets are shuffled where the config says so."""
    if not params.get("permute_annotations"):
        return prepared
    log.info("the annotations are permuted: the sets' genes are no longer theirs")
    return permute_annotations(prepared, seed)


def fit(made: FactorModel, data: AnnData, checkpoint: Path | None = None) -> FactorModel:
    """Fit a model to prepared data; give it the checkpoint if its `fit` takes one."""
    keeps = checkpoint is not None and "checkpoint" in inspect.signature(made.fit).parameters
    return made.fit(data, **{"checkpoint": checkpoint} if keeps else {})


def project(prepared: AnnData, made: FactorModel) -> None:
    """Project the time of a slalom that its budget ended, along the path it would have taken.

    The exact f-scLVM follows slalom sweep by sweep, some hundred times faster, so it knows how many
    sweeps slalom needs and how many terms are on in each. Other fits are left alone.
    """
    if not getattr(made, "projected_", False) or not isinstance(made, intae.Slalom):
        return
    params = made.get_params()
    del params["budget"]
    exact = intae.FSCLVM(**params, compat="slalom").fit(prepared)
    log.info("slalom needs %d sweeps, by the exact f-scLVM that follows it", exact.n_iter_)
    made.project(exact.n_iter_, exact.history_["n_active"].astype(int).tolist())


def train(
    prepared: AnnData,
    model: str,
    params: Mapping[str, Any],
    *,
    seed: int,
    threads: int,
    checkpoint: Path | None = None,
) -> tuple[FactorModel, dict[str, Any]]:
    """Fit a model to prepared data.

    Parameters
    ----------
    prepared
        The data.
    model, params, seed, threads
        See :func:`make_model`.
    checkpoint
        For models whose `fit` takes one: a file for the state of the training, from which a killed
        fit goes on.

    Returns
    -------
    The fitted model, and what else to know of the run: seed, threads, whether the annotations were
    permuted, device, peak memory of this process so far (MB), size of the data, host and versions.
    """
    made = make_model(model, params, seed=seed, threads=threads)
    log.info("fitting %r to %d cells x %d genes", made, *prepared.shape)
    data = training_data(prepared, params, seed)
    fit(made, data, checkpoint)
    peak = peak_memory_mb()
    project(data, made)
    log.info(
        "done: %.1f s, %d iterations, %s",
        made.seconds_, made.n_iter_, "converged" if made.converged_ else "not converged",
    )  # fmt: skip
    about = {
        "seed": seed,
        "threads": threads,
        "permute_annotations": bool(params.get("permute_annotations", False)),
        "device": str(getattr(made, "device_", "cpu")),
        "peak_mb": peak,
        "n_cells": prepared.n_obs,
        "n_genes": prepared.n_vars,
        "n_terms": len(made.terms_),
        "host": describe_host(),
    }
    return made, about
