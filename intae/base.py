"""What every factor model shares: its interface, the cells it takes, saving and loading."""

from __future__ import annotations

import importlib
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

import anndata
import h5py
import numpy as np
import pandas as pd
from anndata import AnnData
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from threadpoolctl import threadpool_limits

from . import __version__
from .chunks import first_rows, is_in_memory, matrix_of, of_genes
from .errors import IntaeError
from .gene_sets import distinct_genes
from .io import whole_file, write_h5ad_in_chunks
from .parameters import PARAMETERS, check_arguments, check_factors
from .prepared import check_finite, is_integer


class FactorModel(BaseEstimator, ABC):
    """A factor model of cells x genes, with terms for factors.

    It has scikit-learn's habits: a subclass stores its arguments in `__init__` and does nothing
    else there, so that `clone`, `get_params` and `set_params` work. `fit` learns what ends in `_`;
    before it, reading any of that raises `NotFittedError`. Loadings and weights are oriented: the
    sum of a term's weights over its annotated genes (over all genes, where it has no annotation)
    is not negative.

    Attributes
    ----------
    knows_gene_sets, infers_new_cells, reconstructs
        Of the class: whether its terms are gene sets, whether `transform` takes cells that it was
        not fitted to, and whether `reconstruct` makes expression.
    revision
        Of the class: raised whenever the same arguments give other numbers, so that the workflow
        repeats old fits.
    loadings_
        DataFrame, cells x terms.
    weights_
        DataFrame, genes x terms.
    terms_
        DataFrame, one row per term: kind (annotated, sparse, dense), n_genes (in its gene set),
        relevance, active, genes_added, genes_removed (gene names, separated by a space).
    history_
        DataFrame, one row per epoch or sweep, with the seconds since the start of the fit.
    n_iter_, converged_, seconds_
        Epochs or sweeps done, whether the model's own rule of convergence stopped it, and the
        wall time of the fit alone.
    """

    knows_gene_sets: ClassVar[bool] = True
    infers_new_cells: ClassVar[bool] = True
    reconstructs: ClassVar[bool] = True
    revision: ClassVar[int] = 1

    # Fitted attributes beside the four tables that `save` keeps (arrays, numbers, strings).
    _saved: ClassVar[tuple[str, ...]] = ()

    loadings_: pd.DataFrame
    weights_: pd.DataFrame
    terms_: pd.DataFrame
    history_: pd.DataFrame
    n_iter_: int
    converged_: bool
    seconds_: float

    @property
    def reads_off_terms(self) -> bool:
        """Whether loadings of terms that are off say something: their genes are read all the same.

        Otherwise they are numbers without weights through which they could act.
        """
        return False

    @abstractmethod
    def fit(self, adata: AnnData) -> Self:
        """Fit the model to prepared data and return it."""

    @abstractmethod
    def transform(self, adata: AnnData) -> pd.DataFrame:
        """Return the loadings of cells, new or not: DataFrame, cells x terms.

        X must be log-normalised as the training data were.
        """

    def encode(self, adata: AnnData) -> pd.DataFrame:
        """Return the loadings that go with the weights: those that :meth:`reconstruct` takes.

        The same as :meth:`transform`, unless a model reads its terms in another way as well.
        """
        return self.transform(adata)

    def write_loadings(self, adata: AnnData, path: str | Path) -> None:
        """Write what :meth:`transform` gives to an h5ad, for more cells than the memory holds.

        Parameters
        ----------
        adata
            As for `transform`, backed or with an array of Dask: read in chunks of cells.
        path
            The file, whole or not at all: cells x terms, float32, the cells' obs and the terms'
            table beside it. An existing one is replaced.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        """
        self._check_fitted()
        starts = range(0, adata.n_obs, MANY_CELLS)
        parts = (self.transform(adata[start : start + MANY_CELLS]) for start in starts)
        table = AnnData(obs=adata.obs.copy(), var=self.terms_.copy())
        write_h5ad_in_chunks(table, (part.to_numpy(np.float32) for part in parts), path)

    def reconstruct(self, adata: AnnData) -> pd.DataFrame:
        """Return what the model makes of cells, new or not: mean + loadings W', cells x genes.

        Parameters
        ----------
        adata
            cells x genes, as for `transform`.

        Raises
        ------
        NotImplementedError
            If the model does not (`reconstructs` is false).
        NotFittedError
            If it is not fitted.
        """
        self._check_fitted()
        if not self.reconstructs:
            msg = f"{type(self).__name__} gives loadings only; it does not reconstruct expression"
            raise NotImplementedError(msg)
        loadings = self.encode(adata)
        made = self.mean_ + loadings.to_numpy() @ self.weights_.to_numpy().T
        return pd.DataFrame(made, index=loadings.index, columns=self.weights_.index)

    def __getattr__(self, name: str) -> Any:
        """Tell an unfitted model's user to fit it. Python asks here only for what is missing."""
        kind = type(self).__name__
        if name.endswith("_") and not name.startswith("_") and "weights_" not in self.__dict__:
            msg = f"this {kind} is not fitted yet, so it has no {name}; call fit(adata) first"
            raise NotFittedError(msg)
        msg = f"{kind!r} object has no attribute {name!r}"
        raise AttributeError(msg)

    def _check_arguments(self, adata: AnnData | None = None) -> None:
        """Refuse arguments that make no sense (:mod:`.parameters`), or that the data cannot meet.

        Raises
        ------
        IntaeError
            Naming the argument, its value and what it may be.
        """
        known = (kind.__name__ for kind in type(self).__mro__ if kind.__name__ in PARAMETERS)
        check_arguments(next(known, type(self).__name__), self.get_params())
        if isinstance(adata, AnnData):
            check_factors(self.get_params(), adata.n_vars)

    def _check_fitted(self) -> None:
        """Raise NotFittedError, with a plain sentence, unless `fit` or `load` was called."""
        _ = self.weights_

    def save(self, path: str | Path) -> None:
        """Write the fitted model to one HDF5 file, whole or not at all, without pickle.

        Parameters
        ----------
        path
            The file; an existing one is replaced.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        """
        self._check_fitted()
        state = {
            "loadings": self.loadings_.to_numpy(),
            "weights": self.weights_.to_numpy(),
            "cells": self.loadings_.index.to_numpy(str).astype(object),
            "genes": self.weights_.index.to_numpy(str).astype(object),
            "terms": self.terms_,
            "history": self.history_,
            "attributes": {name: getattr(self, name) for name in self._saved},
        }
        about = {
            "format": FORMAT,
            "version": __version__,
            "class": name_of(type(self)),
            "params": self.get_params(),
            "n_iter": int(self.n_iter_),
            "converged": bool(self.converged_),
            "seconds": float(self.seconds_),
        }
        with whole_file(path) as part, h5py.File(part, "w") as file:
            file.attrs["intae"] = json.dumps(about)
            anndata.io.write_elem(file, "state", state)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model of this class that `save` wrote; :func:`intae.load` reads one of any class.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        IntaeError
            If the file is not a saved model of this class, lacks a part, or was saved by a newer
            version of intae that writes another format.
        """
        with _opened(path) as file:
            about = json.loads(file.attrs["intae"])
            _check_file(path, about, file["state"])
            state = anndata.io.read_elem(file["state"])
        if about["class"] != name_of(cls):
            msg = f"{path}: holds a {about['class']}, not a {name_of(cls)}; intae.load reads any"
            raise IntaeError(msg)
        try:
            model = cls(**about["params"])
        except TypeError as error:
            msg = f"{path}: its {cls.__name__} has other arguments ({error}), as of intae "
            raise IntaeError(f"{msg}{about.get('version', 'of old')}; fit it again") from error
        terms = state["terms"]
        model.loadings_ = pd.DataFrame(
            state["loadings"], index=pd.Index(state["cells"], name="cell"), columns=terms.index
        )
        model.weights_ = pd.DataFrame(
            state["weights"], index=pd.Index(state["genes"], name="gene"), columns=terms.index
        )
        model.terms_, model.history_ = terms, state["history"]
        model.n_iter_, model.converged_ = about["n_iter"], about["converged"]
        model.seconds_ = about["seconds"]
        for name in cls._saved:
            if name not in state["attributes"]:
                raise IntaeError(_lacks(path, name, about))
            setattr(model, name, state["attributes"][name])
        return model


MANY_CELLS = 65_536  # whose loadings are written at a time

# Raised when a file of a model is laid out otherwise; older versions then refuse it.
FORMAT = 1


@contextmanager
def _opened(path: str | Path) -> Iterator[h5py.Group]:
    """Open the file of a model, and tell in one sentence of what is none."""
    if not Path(path).exists():
        msg = f"{path}: there is no such file"
        raise FileNotFoundError(msg)
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (KeyError, OSError, json.JSONDecodeError) as error:
        msg = f"{path}: is not a model saved by intae ({error})"
        raise IntaeError(msg) from error


def saved_about(path: str | Path) -> dict[str, Any]:
    """Return what the file of a model says of it: class, params, version, ...

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IntaeError
        If it is not a saved model, or lacks a part.
    """
    with _opened(path) as file:
        about = json.loads(file.attrs["intae"])
        _check_file(path, about, file["state"])
    return about


def _check_file(path: str | Path, about: dict[str, Any], state: h5py.Group) -> None:
    """Refuse the file of a model from a newer version, or without one of its parts."""
    if about.get("format", 1) > FORMAT:
        msg = f"{path}: was saved by intae {about['version']} (format {about['format']}), which is"
        raise IntaeError(f"{msg} newer than this one ({__version__}); update intae to read it")
    slots = ("loadings", "weights", "cells", "genes", "terms", "history", "attributes")
    lacking = [name for name in ("class", "params", "n_iter", "converged", "seconds")
               if name not in about]  # fmt: skip
    lacking += [name for name in slots if name not in state]
    if lacking:
        raise IntaeError(_lacks(path, lacking[0], about))


def _lacks(path: str | Path, part: str, about: dict[str, Any]) -> str:
    saved = about.get("version", "an older one")
    return (
        f"{path}: lacks {part!r}; it is damaged, or was saved by another version of intae "
        f"({saved}; this is {__version__}); fit the model again"
    )


def name_of(kind: type[FactorModel]) -> str:
    """Return the name of a model's class, as a config gives it.

    The bare name for a class of intae, `package.module:Class` for any other.
    """
    own = kind.__module__.partition(".")[0] == __package__
    return kind.__name__ if own else f"{kind.__module__}:{kind.__qualname__}"


def class_named(name: str) -> type[FactorModel]:
    """Import the class of a model by its name, of intae or `package.module:Class`.

    Raises
    ------
    ImportError
        If the class cannot be imported; says what failed.
    IntaeError
        If it is no model.
    """
    module, _, kind = name.rpartition(":")
    try:
        found = getattr(importlib.import_module(module or __package__), kind)
    except (ImportError, AttributeError) as error:
        msg = f"the model {name!r} cannot be imported ({error})"
        raise ImportError(msg) from error
    if not (isinstance(found, type) and issubclass(found, FactorModel)):
        msg = f"{name!r} is no subclass of intae.FactorModel; see docs/own_model.md"
        raise IntaeError(msg)
    return found


def match_genes(adata: AnnData, genes: pd.Index) -> AnnData:
    """Return the data with just these genes in this order, matched by name.

    X of a file or of Dask is not looked at as a whole here, but told of by :func:`check_loadings`.

    Raises
    ------
    IntaeError
        If there are no cells; if a gene of the model is missing, naming how many and some of
        them; or if X holds raw counts, since a model knows log-normalised values only, or values
        that are not finite.
    """
    X = matrix_of(adata)
    if not adata.n_obs:
        msg = "the data hold no cells; were they filtered to none?"
        raise IntaeError(msg)
    if is_integer(X) and first_rows(X, 200).max() > 1:
        msg = (
            "X holds integers, so these are counts; give new cells as the training cells were: "
            "each normalised to the same total, then log1p"
        )
        raise IntaeError(msg)
    if adata.var_names.equals(genes):
        if is_in_memory(X):
            check_finite(adata)
        return adata
    place = distinct_genes(adata.var_names, "var_names").get_indexer(genes)
    missing = genes[place < 0]
    if len(missing):
        msg = (
            f"{len(missing)} of the model's {len(genes)} genes are not in the data "
            f"({', '.join(missing[:5])}{', ...' if len(missing) > 5 else ''}); "
            "give new cells with the same gene names, normalised as the training data were"
        )
        raise IntaeError(msg)
    found = of_genes(adata, place)
    if is_in_memory(X):
        check_finite(found)
    return found


def check_loadings(loadings: np.ndarray, adata: AnnData) -> None:
    """Name the cell and the gene of X, if there is one, that made loadings that are not finite.

    Raises
    ------
    ContractError
        For the first such value.
    """
    if not np.isfinite(loadings).all():
        check_finite(adata)


@contextmanager
def limit_threads(threads: int | None) -> Iterator[None]:
    """Limit BLAS, OpenMP and torch to `threads` threads inside the block.

    Parameters
    ----------
    threads
        Number of threads; None leaves everything as it is.

    Raises
    ------
    IntaeError
        If it is less than 1.
    """
    if threads is None:
        yield
        return
    if threads < 1:
        msg = f"threads must be at least 1, not {threads}"
        raise IntaeError(msg)
    torch = sys.modules.get("torch")  # only if somebody already uses it
    before = torch.get_num_threads() if torch else None
    with threadpool_limits(limits=threads):
        if torch:
            torch.set_num_threads(threads)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(before)
