"""A fit on disk, and as everything after training reads it.

A fit is one model file, which its class's `load` reads, and `fit.json` beside it: what is known of
the run. The tables of costs read the JSON file alone.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd

from .base import FactorModel, class_named, name_of, saved_about
from .errors import IntaeError
from .io import whole_file

log = logging.getLogger(__name__)


@dataclass
class Fit:
    """What a fitted model says of the cells, and what is known of the run.

    Attributes
    ----------
    about
        What `fit.json` holds: dataset, method, seed, model, parameters, seconds, ...
    terms, history
        The model's `terms_` and `history_`.
    loadings
        cells x terms, float32. Those of a term that is off are zero, unless the model reads the
        genes of such terms as well (`reads_off_terms`): a network still makes numbers for it, but
        it has no weights through which they could act.
    weights
        genes x terms, float32.
    obs
        The labels of the cells, as in the prepared data.
    model
        The fitted model itself.
    """

    about: dict[str, Any]
    terms: pd.DataFrame
    history: pd.DataFrame
    loadings: pd.DataFrame
    weights: pd.DataFrame
    obs: pd.DataFrame = field(default_factory=pd.DataFrame)
    model: FactorModel | None = None

    @classmethod
    def of(cls, model: FactorModel, about: Mapping[str, Any], obs: pd.DataFrame) -> Fit:
        """Return the fit of a fitted model."""
        terms = model.terms_
        counts = terms["active"].to_numpy(bool) | model.reads_off_terms
        in_force = np.where(counts, model.loadings_.to_numpy(np.float32), 0)
        return cls(
            dict(about), terms, model.history_.reset_index(drop=True),
            pd.DataFrame(in_force, model.loadings_.index, terms.index),
            model.weights_.astype(np.float32), obs, model,
        )  # fmt: skip

    def has_loadings(self, term: str) -> bool:
        """Say whether a term's loadings say something: it is on, or off and read all the same."""
        return bool(self.terms.loc[term, "active"]) or np.ptp(self.loadings[term].to_numpy()) > 0

    @property
    def method(self) -> str:
        """Name of the method in the config."""
        return str(self.about["method"])


def about_fit(model: FactorModel, about: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of a run: `about`, and what the model itself tells."""
    return dict(about) | {
        "model": name_of(type(model)),
        "parameters": model.get_params(),
        "converged": bool(model.converged_),
        "iterations": int(model.n_iter_),
        "seconds": float(model.seconds_),
        "resumed": int(getattr(model, "resumed_", 0)),
        "projected": bool(getattr(model, "projected_", False)),
        "projected_seconds": float(getattr(model, "projected_seconds_", model.seconds_)),
    }


def write_fit(model: FactorModel, path: str | Path, about: Mapping[str, Any]) -> None:
    """Write a fitted model, and `fit.json` beside it, each whole or not at all.

    Parameters
    ----------
    model
        The fitted model.
    path
        The model's file.
    about
        What else to keep of the run: dataset, method, seed, device, versions, ...
    """
    model.save(path)
    with whole_file(facts_path(path)) as part:
        part.write_text(json.dumps(about_fit(model, about), indent=1) + "\n", encoding="utf-8")


def facts_path(path: str | Path) -> Path:
    """Return the path of the JSON file beside a model's file."""
    return Path(path).with_name("fit.json")


def read_facts(path: str | Path) -> dict[str, Any]:
    """Read `fit.json`.

    Raises
    ------
    IntaeError
        If the file is missing or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{path}: is not the facts of a fit ({error}); fit the method again"
        raise IntaeError(msg) from error


def load(path: str | Path) -> FactorModel:
    """Read a saved model of any class: the file names it.

    Parameters
    ----------
    path
        A file that the `save` of a model wrote. A class that is not of intae must be importable.

    Returns
    -------
    The fitted model.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IntaeError
        If the file is not a saved model, its class cannot be imported, or a newer version of intae
        saved it.
    """
    try:
        return class_named(saved_about(path)["class"]).load(path)
    except ImportError as error:
        msg = f"{path}: {error}"
        raise IntaeError(msg) from error


def read_labels(prepared: str | Path) -> pd.DataFrame:
    """Read the labels of the cells of prepared data, and nothing else of the file."""
    with h5py.File(prepared, "r") as file:
        return anndata.io.read_elem(file["obs"])


def read_fit(path: str | Path, obs: pd.DataFrame) -> Fit:
    """Read a fit by the path of its model; `obs` are the labels of its cells."""
    return Fit.of(load(path), read_facts(facts_path(path)), obs)


def is_finished(about: Mapping[str, Any]) -> bool:
    """Say whether more than the runtime of a fit can be used: no budget stopped it.

    A factor model after a few sweeps still is what it started from; its loadings would be taken
    for the method's.
    """
    return not about["projected"]


def read_finished_fits(paths: Iterable[str | Path], obs: pd.DataFrame) -> list[Fit]:
    """Read fits by the paths of their models, leaving out those that a budget stopped."""
    fits = []
    for path in paths:
        if is_finished(read_facts(facts_path(path))):
            fits.append(read_fit(path, obs))
        else:
            log.info("%s: stopped by its budget, used for runtimes only", path)
    return fits


def by_method(fits: Iterable[Fit]) -> dict[str, list[Fit]]:
    """Return method -> its fits, one per seed, in the order given."""
    found: dict[str, list[Fit]] = {}
    for fit in fits:
        found.setdefault(fit.method, []).append(fit)
    return found
