"""Scanpy's habits, `intae.tl`: results are written into the AnnData that was given.

`terms` prepares the cells, fits a model and writes what it found; `compare` tests its terms between
two conditions. What stands where, for `key_added="intae"`:

    obsm["X_intae"]    loadings, cells x terms
    varm["intae"]      weights, genes x terms; zero for genes that the model did not take
    uns["intae"]       model, params, prepare (how the cells were prepared), gene_sets (what became
                       of each), terms (the table of terms), top (names of the most relevant ones)
    uns["intae"]["compare"]    the table of `compare`
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData
from anndata.utils import make_index_unique

from . import __version__
from .autoencoder import Autoencoder
from .base import FactorModel
from .errors import IntaeError, suggest
from .preparation import prepare
from .progress import verbose as show_progress
from .replicates import between_conditions

if TYPE_CHECKING:
    from mudata import MuData

__all__ = ["compare", "terms"]

N_TOP = 10


def terms(
    adata: AnnData | MuData,
    gene_sets: Mapping[str, list[str]] | str | Path,
    model: FactorModel | None = None,
    layer: str | None = None,
    key_added: str = "intae",
    *,
    verbose: bool = False,
    **options: Any,
) -> FactorModel:
    """Prepare a copy of the cells, fit a model, and write its terms into `adata`.

    Parameters
    ----------
    adata
        cells x genes, raw counts in X or in `layer`: dense, sparse or backed; X itself stays as it
        is. Of a MuData, its modality `rna`.
    gene_sets
        Name -> genes, or the path of a file (:func:`intae.read_gene_sets`).
    model
        The model to fit, such as `intae.FSCLVM(n_dense=3)`; None takes `intae.Autoencoder()`.
    layer
        The layer to take instead of X.
    key_added
        Under which name results are written.
    verbose
        Whether to show how far the fit is.
    options
        Other arguments of :func:`intae.prepare`, such as `n_hvgs`, `min_genes` or `keep_sets`.

    Returns
    -------
    The fitted model, for what an AnnData cannot hold: `necessity`, `transform`, `save`. Written
    are: `obsm["X_{key_added}"]`, the loadings (cells x terms, float32); `varm[key_added]`, the
    weights (genes x terms, float32, zero for genes that the model did not take);
    `uns[key_added]`: `model`, `params`, `version`, `prepare`, `gene_sets` (what became of each),
    `terms` (the model's `terms_`, in the order of the columns) and `top` (names of the ten most
    relevant active gene sets).

    Raises
    ------
    IntaeError
        If the model is none, or the cells cannot be prepared; see :func:`intae.prepare`.
    """
    cells = rna_of(adata)
    model = Autoencoder() if model is None else _checked(model)
    with show_progress() if verbose else nullcontext():
        data = prepare(cells, gene_sets, layer=layer, **_known(options))
        model.fit(data)
    weights = np.zeros((cells.n_vars, len(model.terms_)), dtype=np.float32)
    names = cells.var_names.astype(str)  # doubled ones are named as `prepare` names them
    names = names if names.is_unique else make_index_unique(names)
    weights[names.get_indexer(model.weights_.index)] = model.weights_.to_numpy()
    cells.obsm[f"X_{key_added}"] = model.loadings_.to_numpy(np.float32)
    cells.varm[key_added] = weights
    cells.uns[key_added] = {
        "model": type(model).__name__,
        "params": {k: v for k, v in model.get_params().items() if v is not None},
        "version": __version__,
        "prepare": dict(data.uns["prepare"]),
        "gene_sets": data.uns["gene_sets"],
        "terms": model.terms_.copy(),
        "top": np.array(_top(model.terms_), dtype=object),
    }
    return model


def compare(
    adata: AnnData | MuData,
    groupby: str,
    sample: str,
    cell_type: str | None = None,
    *,
    groups: Sequence[str] | None = None,
    terms: Iterable[str] | None = None,
    min_cells: int = 10,
    key: str = "intae",
) -> pd.DataFrame:
    """Test terms between two conditions, in each cell type, with donors as replicates.

    The loadings of a term are averaged over the cells of each donor, so that a donor counts once
    and not once a cell. Where donors have both conditions, their differences are tested (paired t
    test), and donors with one condition are left out; where none has both, Welch's t test compares
    the donors. The tests are scipy's. The model never saw the conditions.

    Parameters
    ----------
    adata
        After :func:`intae.tl.terms`.
    groupby
        Column of obs with the conditions.
    sample
        Column of obs with the replicates: donors, not their samples, where each donor has both
        conditions.
    cell_type
        Column of obs with cell types, each compared by itself; None compares all cells together.
    groups
        The two conditions, the reference first; None takes those of a column that has just two.
    terms
        Names of the terms to test; None tests the active gene sets. Sets overlap, so a term that is
        off may differ only since one that is on does.
    min_cells
        A donor counts in a cell type and condition with at least so many cells.
    key
        The `key_added` of :func:`intae.tl.terms`.

    Returns
    -------
    DataFrame, one row per cell type and term, the smallest p value first, also written to
    `uns[key]["compare"]`: cell_type, term; effect, the difference of the means (the reference
    subtracted), in units of the loadings (of a gene set that is read, standard deviations over all
    cells), with its 95 % interval, low and high; t, p_value, p_adjusted (Benjamini-Hochberg, over
    all rows), mean_reference, mean_other, n_reference and n_other (donors), test (`paired` or
    `Welch`). A cell type with too few donors has no rows, and a warning says why.

    Raises
    ------
    IntaeError
        If a column, a condition or a term is not there, no gene set is active, or no cell type has
        three donors per condition (or three that have both, where some have): with two, a test
        knows hardly anything of how donors differ.
    """
    cells = rna_of(adata)
    loadings = loadings_of(cells, key, terms)
    if terms is None:
        table = cells.uns[key]["terms"]
        loadings = loadings.loc[:, _active(table)]
        if not loadings.shape[1]:
            msg = "no gene set is active, so there is none to compare; name some by terms="
            raise IntaeError(msg)
    columns = {"groupby": groupby, "sample": sample, "cell_type": cell_type}
    for option, column in columns.items():
        if column is not None and column not in cells.obs:
            msg = f"{option}: there is no column {column!r} in obs{suggest(column, cells.obs)}"
            raise IntaeError(msg)
    table = between_conditions(
        loadings,
        cells.obs[groupby],
        cells.obs[sample],
        None if cell_type is None else cells.obs[cell_type],
        groups=groups,
        min_cells=min_cells,
    )
    cells.uns[key]["compare"] = table
    return table


def rna_of(adata: AnnData | MuData) -> AnnData:
    """Return the AnnData itself, or the modality `rna` of a MuData, which need not be installed.

    Raises
    ------
    IntaeError
        If it is neither, or has no modality of that name.
    """
    if isinstance(adata, AnnData):
        return adata
    modalities = getattr(adata, "mod", None)
    if not isinstance(modalities, Mapping):
        msg = f"adata: give an AnnData or a MuData, not {type(adata).__name__}"
        raise IntaeError(msg)
    if "rna" not in modalities:
        msg = f"adata: this MuData has no modality 'rna'{suggest('rna', modalities)}"
        raise IntaeError(f"{msg}; give the modality with the counts itself")
    return modalities["rna"]


def loadings_of(adata: AnnData, key: str, terms: Iterable[str] | None = None) -> pd.DataFrame:
    """Return what :func:`terms` wrote: DataFrame, cells x terms (all of them, or these).

    Raises
    ------
    IntaeError
        If there are no results of that key, or no term of a name.
    """
    if f"X_{key}" not in adata.obsm or "terms" not in adata.uns.get(key, ()):
        written = [name for name in adata.uns if f"X_{name}" in adata.obsm]
        msg = f"there are no terms under the key {key!r}; run intae.tl.terms first"
        raise IntaeError(msg + (suggest(key, written) if written else ""))
    names = pd.Index(adata.uns[key]["terms"].index, name="term")
    table = pd.DataFrame(np.asarray(adata.obsm[f"X_{key}"]), adata.obs_names, names)
    if terms is None:
        return table
    if isinstance(terms, str):
        msg = f"terms: give a list of names, such as [{terms!r}]"
        raise IntaeError(msg)
    asked = list(dict.fromkeys(terms))
    for name in asked:
        if name not in names:
            near = suggest(name, names)
            few = near if near.startswith("; did") else f"; uns[{key!r}]['terms'] has the names"
            msg = f"terms: there is no term {name!r}{few}"
            raise IntaeError(msg)
    return table[asked]


def _checked(model: FactorModel) -> FactorModel:
    if isinstance(model, FactorModel):
        return model
    said = f"the class {model.__name__}" if isinstance(model, type) else repr(model)
    name = model.__name__ if isinstance(model, type) else "Autoencoder"
    msg = f"model: give a model to fit, such as intae.{name}(), not {said}"
    raise IntaeError(msg)


def _known(options: dict[str, Any]) -> dict[str, Any]:
    """Refuse what `prepare` has no argument for."""
    known = list(inspect.signature(prepare).parameters)[2:]
    for name in options:
        if name not in known:
            msg = f"terms() has no argument {name!r}, nor has intae.prepare{suggest(name, known)}"
            raise IntaeError(msg)
    return options


def _top(table: pd.DataFrame) -> list[str]:
    """Return the most relevant gene sets that are on."""
    return list(table.loc[_active(table), "relevance"].nlargest(N_TOP).index)


def _active(table: pd.DataFrame) -> np.ndarray:
    return ((table["kind"] == "annotated") & table["active"]).to_numpy(bool)
