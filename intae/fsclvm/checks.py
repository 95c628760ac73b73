"""What is refused before a fit, and what is warned of after it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pandas as pd
from anndata import AnnData

if TYPE_CHECKING:
    from .model import FSCLVM


def check_arguments(model: FSCLVM) -> None:
    """Refuse arguments that make no sense, by name.

    Raises
    ------
    ValueError
        Which argument it is, and what it may be.
    """
    if model.compat not in (None, "slalom"):
        msg = f'compat must be None or "slalom", not {model.compat!r}'
        raise ValueError(msg)
    if model.compat == "slalom" and model.n_init != 1:
        msg = (
            f'n_init={model.n_init}, but compat="slalom" has one start, that of its seed; fit '
            "once for each seed, or leave compat out"
        )
        raise ValueError(msg)
    for name, least in (("n_dense", 0), ("n_sparse", 0), ("n_init", 1), ("max_iter", 1)):
        if getattr(model, name) < least:
            msg = f"{name} must be at least {least}, not {getattr(model, name)}"
            raise ValueError(msg)
    if model.tol < 0:
        msg = f"tol must not be negative, and is {model.tol}"
        raise ValueError(msg)


def check_same_data(model: FSCLVM, adata: AnnData) -> None:
    """Refuse to go on with a fit on other cells or genes.

    Raises
    ------
    ValueError
        Which names differ.
    """
    for slot, names, fitted in (
        ("obs_names", adata.obs_names, model.loadings_.index),
        ("var_names", adata.var_names, model.weights_.index),
    ):
        if not names.equals(fitted):
            msg = (
                f"{slot}: are not those of the fit to go on with; give the same data, or fit "
                "without warm_start"
            )
            raise ValueError(msg)


def warn_of_changed(terms: pd.DataFrame) -> None:
    """Warn of terms that have turned into something else than their annotation."""
    table = terms[terms["active"] & (terms["kind"] == "annotated")]
    added = table["genes_added"].str.split().str.len()
    for term in table.index[added > table["n_genes"]]:
        warnings.warn(
            f"term {term!r}: {added[term]} genes were added to the {table['n_genes'][term]} of "
            "its gene set, so it no longer is what its name says; more unannotated factors "
            "(n_sparse, n_dense) may take up what it stands for now",
            stacklevel=3,
        )
