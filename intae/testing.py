"""Whether a class follows the contract of a model: :func:`check_model`, for models of anyone's.

As scikit-learn's `check_estimator`: the model is fitted to small simulated data, and the first part
of the contract that does not hold is told of in one sentence.
"""

from __future__ import annotations

import inspect
import pickle
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from .base import FactorModel, name_of
from .benchmark.models import GIVEN, PLAIN, model_of
from .errors import ConfigError, ContractError, IntaeError
from .prepared import TERM_COLUMNS, get_annotations, get_terms
from .simulation import simulate
from .terms import signs

TABLES = ("loadings_", "weights_", "terms_", "history_")
KINDS = ("annotated", "sparse", "dense")


def check_model(model: FactorModel | type[FactorModel], adata: AnnData | None = None) -> None:
    """Hold a model against the contract, on small data; return where it keeps all of it.

    The model is fitted three times. What is checked: parameters (`get_params`, `clone`, `seed` and
    `threads` among them), `NotFittedError` before `fit`, `fit` itself (returns the model, changes
    neither data nor parameters, refuses data that are not prepared), the four tables (shapes,
    names, columns, signs), the same numbers from the same seed and from sparse data, `transform`
    (genes by name, a cell's loadings its own), `reconstruct`, and `save` and `load` without pickle.

    Parameters
    ----------
    model
        The class, or a model with arguments that make it quick.
    adata
        Prepared data, X dense; None simulates 150 cells x 60 genes with 6 terms.

    Raises
    ------
    ContractError
        At the first part of the contract that does not hold; says which and what to do.
    """
    kind = model if isinstance(model, type) else type(model)
    if not issubclass(kind, FactorModel):
        msg = f"{kind.__name__}: is no subclass of intae.FactorModel; derive it from that"
        raise ContractError(msg)
    if inspect.isabstract(kind):
        missing = ", ".join(sorted(kind.__abstractmethods__))
        msg = f"{kind.__name__}: defines no {missing}; every model needs both fit and transform"
        raise ContractError(msg)
    data = simulate(150, 60, 6, n_active=3, n_dense=1, seed=0) if adata is None else adata.copy()
    checked = _Checked(kind, kind() if isinstance(model, type) else clone(model), data)
    for step in (
        checked.class_itself, checked.parameters, checked.unfitted, checked.fit, checked.tables,
        checked.terms, checked.orientation, checked.repeated, checked.new_cells,
        checked.reconstruction, checked.file,
    ):  # fmt: skip
        step()


class _Checked:
    """A model under check; each method is a part of the contract, in the order they are run."""

    def __init__(self, kind: type[FactorModel], model: FactorModel, data: AnnData):
        self.kind, self.model, self.data = kind, model, data
        self.name = kind.__name__

    def need(self, holds: Any, what: str) -> None:
        """Refuse the model where something does not hold; `what` says it and what to do."""
        if not holds:
            msg = f"{self.name}: {what}"
            raise ContractError(msg)

    def class_itself(self) -> None:
        """What the class says of itself is what its source says, which is all a config sees."""
        for name, plain in PLAIN.items():
            value = getattr(self.kind, name)
            self.need(type(value) is plain, f"{name} is {value!r}; it must be a {plain.__name__}")
        if "<locals>" in self.kind.__qualname__ or self.kind.__module__ == "__main__":
            return  # no config can name it
        try:
            row = model_of(name_of(self.kind))
        except ConfigError as error:
            self.need(False, f"a config cannot name it: {error}")
        for name in PLAIN:
            value = getattr(self.kind, name)
            self.need(
                getattr(row, name) == value,
                f"{name} is {value}, but its source says {getattr(row, name)}; set it in the "
                "class body, since a config reads the source alone",
            )

    def parameters(self) -> None:
        """`__init__` stores its arguments as they are and does nothing else."""
        signature = inspect.signature(self.kind.__init__).parameters
        for name in GIVEN:
            self.need(name in signature, f"__init__ takes no {name}=, which the workflow gives")
        for name in [n for n in signature if n != "self"]:
            self.need(
                name in vars(self.model),
                f"__init__ must store its argument {name} as self.{name}, unchanged",
            )
        params = self.model.get_params(deep=False)
        try:
            copy = clone(self.model)
        except (RuntimeError, TypeError) as error:
            self.need(False, f"scikit-learn cannot clone it ({error}); store arguments unchanged")
        self.need(
            copy.get_params(deep=False) == params, "a clone has other parameters; store them as is"
        )

    def unfitted(self) -> None:
        """Before `fit` there is nothing to read."""
        model = clone(self.model)
        uses = {name: lambda name=name: getattr(model, name) for name in TABLES}
        uses["reconstruct"] = lambda: model.reconstruct(self.data)
        uses["save"] = lambda: model.save(Path(tempfile.gettempdir()) / "unfitted.h5")
        if self.kind.infers_new_cells:
            uses["transform"] = lambda: model.transform(self.data)
        for what, use in uses.items():
            try:
                use()
            except NotFittedError:
                continue
            except Exception as error:  # whatever it is, it is not what users are to see
                self.need(False, f"{what} before fit raises {type(error).__name__}, not "
                          "NotFittedError; call self._check_fitted() first")  # fmt: skip
            self.need(False, f"{what} before fit gives something; set it in fit only")

    def fit(self) -> None:
        """`fit` returns the model and changes nothing that it was given."""
        bare = AnnData(self.data.X, self.data.obs, self.data.var)
        broken = self.data.copy()
        broken.X[3, 4] = np.nan
        for what, wrong in {"without annotations": bare, "with a nan in X": broken}.items():
            try:
                clone(self.model).fit(wrong)
            except IntaeError:
                continue
            except Exception as error:
                self.need(False, f"fit to data {what} raises {type(error).__name__}; call "
                          "intae.prepared.check_prepared(adata) first")  # fmt: skip
            self.need(False, f"fit takes data {what}; call intae.prepared.check_prepared(adata)")
        given, params = self.data.copy(), self.model.get_params()
        with _random_state(1):
            returned = self.model.fit(given)
        self.need(returned is self.model, "fit must return self")
        changed = _difference(given, self.data)
        self.need(not changed, f"fit changes the {changed} of the data; work on a copy")
        self.need(self.model.get_params() == params, "fit changes parameters; leave them alone")
        for name, types in {
            "n_iter_": (int, np.integer), "converged_": (bool, np.bool_),
            "seconds_": (float, np.floating),
        }.items():  # fmt: skip
            value = getattr(self.model, name, None)
            self.need(isinstance(value, types), f"{name} is {value!r}; fit must set a "
                      f"{types[0].__name__}")  # fmt: skip

    def tables(self) -> None:
        """The tables have the names of cells, genes and terms."""
        for name in TABLES:
            self.need(
                isinstance(getattr(self.model, name, None), pd.DataFrame),
                f"{name} must be a DataFrame after fit",
            )
        terms = self.model.terms_.index
        self.need(terms.is_unique, "terms_ names a term twice")
        rows = {"loadings_": self.data.obs_names, "weights_": self.data.var_names}
        for name, index in rows.items():
            table = getattr(self.model, name)
            what = "cells x terms" if name == "loadings_" else "genes x terms"
            self.need(
                table.index.equals(index) and table.columns.equals(terms),
                f"{name} must be {what}, with the names of the data and of terms_, in order",
            )
            self.need(np.isfinite(table.to_numpy()).all(), f"{name} holds values not finite")
        history = self.model.history_
        for column in ("iteration", "seconds"):
            self.need(column in history, f"history_ has no column {column!r}")
        self.need(
            len(history)
            and history["iteration"].is_monotonic_increasing
            and history["iteration"].iloc[-1] == self.model.n_iter_
            and history["seconds"].is_monotonic_increasing,
            "history_ must follow the iterations up to n_iter_, with the seconds since the start",
        )

    def terms(self) -> None:
        """The table of terms is what the benchmark reads."""
        table, known = self.model.terms_, get_terms(self.data)
        for column in TERM_COLUMNS:
            self.need(column in table, f"terms_ has no column {column!r}; use "
                      "intae.terms.terms_table")  # fmt: skip
        self.need(table["kind"].isin(KINDS).all(), f"terms_: kind must be one of {KINDS}")
        annotated = table.index[table["kind"] == "annotated"]
        if self.kind.knows_gene_sets:
            self.need(
                annotated.equals(table.index[: len(known)]) and list(annotated) == list(known),
                "terms_ must begin with the gene sets, all of them, in their order (those that it "
                "does not use are not active)",
            )
            sizes = get_annotations(self.data).sum(0)
            self.need(
                (table["n_genes"].to_numpy()[: len(known)] == sizes).all(),
                "terms_: n_genes of an annotated term must be that of its gene set",
            )
        else:
            self.need(not len(annotated), "knows_gene_sets is false, but it has annotated terms")
        relevance = table["relevance"].to_numpy(float)
        self.need(
            (np.isfinite(relevance) & (relevance >= 0)).all(),
            "terms_: relevance must be finite and not negative",
        )
        self.need(table["active"].dtype == bool, "terms_: active must hold bools")
        for column in ("genes_added", "genes_removed"):
            genes = {gene for field in table[column] for gene in str(field).split()}
            self.need(
                genes <= set(self.data.var_names),
                f"terms_: {column} must name genes of the data, separated by a space",
            )

    def orientation(self) -> None:
        """A term's weights over its genes do not sum below zero."""
        weights = self.model.weights_.to_numpy(float)
        known = get_annotations(self.data)
        known = known if self.kind.knows_gene_sets else known[:, :0]
        size = np.abs(weights).sum(0).max(initial=1e-300)
        wrong = signs(np.where(np.abs(weights) > 1e-9 * size, weights, 0.0), known) < 0
        self.need(
            not wrong.any(),
            f"the weights of {list(self.model.terms_.index[wrong])[:1]} over its genes sum below "
            "zero; multiply weights and loadings by intae.terms.signs",
        )

    def repeated(self) -> None:
        """The same seed gives the same numbers, whatever was drawn before, and X may be sparse."""
        thin = self.data.copy()
        thin.X = sparse.csr_matrix(thin.X)
        for data, why in (
            (self.data, "two fits from one seed differ; draw from `seed` alone, never from the "
             "global generators of NumPy or torch as they are"),
            (thin, "sparse data give other numbers than dense ones"),
        ):  # fmt: skip
            with _random_state(2) as changed:
                again = clone(self.model).fit(data.copy())
                moved = changed()
            for name in ("loadings_", "weights_"):
                one, other = getattr(self.model, name), getattr(again, name)
                self.need(_close(one, other, 1e-4), f"{name}: {why}")
            self.need(
                not moved,
                "fit leaves NumPy's global random state other than it was; put it back",
            )

    def new_cells(self) -> None:
        """`transform` goes by the names of genes and treats each cell by itself."""
        if not self.kind.infers_new_cells:
            try:
                self.model.transform(self.data)
            except NotImplementedError:
                return
            self.need(False, "infers_new_cells is false, so transform must raise "
                      "NotImplementedError")  # fmt: skip
        with _random_state(3):
            whole = self.model.transform(self.data)
        self.need(
            whole.index.equals(self.data.obs_names)
            and whole.columns.equals(self.model.terms_.index),
            "transform must return a DataFrame, cells x terms, with the names of both",
        )
        part = self.data[:20, ::-1].copy()
        with _random_state(4):
            self.need(
                _close(self.model.transform(part), whole.iloc[:20], 1e-4),
                "transform gives other loadings of a part of the cells with the genes in another "
                "order; match genes by intae.base.match_genes and treat each cell by itself",
            )
        fewer = self.data[:, 2:].copy()
        try:
            found = self.model.transform(fewer)
        except IntaeError:
            return
        except Exception as error:
            self.need(False, f"transform of cells without two of the genes raises "
                      f"{type(error).__name__}; use intae.base.match_genes")  # fmt: skip
        self.need(
            found.shape == whole.shape and np.isfinite(found.to_numpy()).all(),
            "transform of cells without two of the genes gives something broken; refuse them",
        )

    def reconstruction(self) -> None:
        """`reconstruct` makes expression, where the class says so."""
        if not self.kind.reconstructs:
            return  # the base class refuses
        try:
            made = self.model.reconstruct(self.data)
        except (AttributeError, NotImplementedError, TypeError) as error:
            self.need(False, f"reconstruct fails ({error}); set mean_ in fit, or say "
                      "reconstructs = False in the class body")  # fmt: skip
        self.need(
            made.index.equals(self.data.obs_names) and made.columns.equals(self.data.var_names),
            "reconstruct must return a DataFrame, cells x genes, with the names of the data",
        )
        self.need(np.isfinite(made.to_numpy()).all(), "reconstruct makes values not finite")

    def file(self) -> None:
        """A saved model is one HDF5 file that brings everything back, without pickle."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.h5"
            self.model.save(path)
            files = [file.name for file in Path(folder).iterdir()]
            self.need(files == ["model.h5"] and h5py.is_hdf5(path), "save must write one HDF5 file")
            self.kind.load(path)  # whatever it imports is there now
            with _no_pickle() as used:
                loaded = self.kind.load(path)
            self.need(not used, "load uses pickle; keep arrays, numbers and strings in _saved")
        self.need(
            loaded.get_params() == self.model.get_params(),
            "a loaded model has other parameters; they must be numbers, strings, lists or None",
        )
        for name in ("loadings_", "weights_"):
            self.need(
                _close(getattr(loaded, name), getattr(self.model, name), 1e-6),
                f"a loaded model has other {name}",
            )
        self.need(
            list(loaded.terms_.index) == list(self.model.terms_.index)
            and set(loaded.terms_) == set(self.model.terms_)
            and len(loaded.history_) == len(self.model.history_),
            "a loaded model has another terms_ or history_",
        )
        for name in ("transform", "reconstruct"):
            if not getattr(
                self.kind, "infers_new_cells" if name == "transform" else "reconstructs"
            ):
                continue
            with _random_state(5):
                before = getattr(self.model, name)(self.data)
            try:
                after = getattr(loaded, name)(self.data)
            except AttributeError as error:
                self.need(False, f"a loaded model cannot {name} ({error}); name in _saved all "
                          "that it needs")  # fmt: skip
            self.need(_close(before, after, 1e-4), f"a loaded model gives another {name}")


def _close(one: pd.DataFrame, other: pd.DataFrame, share: float) -> bool:
    """Say whether two tables have the same shape and values, up to a share of their size."""
    a, b = one.to_numpy(float), other.to_numpy(float)
    if a.shape != b.shape:
        return False
    return bool(np.abs(a - b).max(initial=0.0) <= share * max(np.abs(a).max(initial=0.0), 1e-12))


def _difference(one: AnnData, other: AnnData) -> str:
    """Return the first slot in which two data sets differ; '' where there is none."""
    if not np.array_equal(np.asarray(one.X), np.asarray(other.X)):
        return "X"
    for slot in ("obs", "var"):
        if not getattr(one, slot).equals(getattr(other, slot)):
            return slot
    for slot in ("varm", "obsm", "layers", "uns"):
        if set(getattr(one, slot)) != set(getattr(other, slot)):
            return slot
    same = np.array_equal(get_annotations(one), get_annotations(other))
    return "" if same else "varm"


@contextmanager
def _random_state(seed: int) -> Iterator[Any]:
    """Set the global generators to a state inside the block; give a function: did NumPy's move?"""
    state = np.random.get_state()  # noqa: NPY002
    torch = sys.modules.get("torch")
    before = torch.get_rng_state() if torch else None
    np.random.seed(seed)  # noqa: NPY002
    if torch:
        torch.manual_seed(seed)
    here = np.random.get_state()  # noqa: NPY002

    def changed() -> bool:
        now = np.random.get_state()  # noqa: NPY002
        return not (now[2] == here[2] and np.array_equal(now[1], here[1]))

    try:
        yield changed
    finally:
        np.random.set_state(state)  # noqa: NPY002
        if torch:
            torch.set_rng_state(before)


@contextmanager
def _no_pickle() -> Iterator[list[str]]:
    """Note what is unpickled inside the block."""
    used: list[str] = []
    names = ("load", "loads", "Unpickler")
    before = {name: getattr(pickle, name) for name in names}

    def noting(name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            used.append(name)
            return before[name](*args, **kwargs)

        return call

    for name in names:
        setattr(pickle, name, noting(name))
    try:
        yield used
    finally:
        for name, value in before.items():
            setattr(pickle, name, value)
