"""The arguments of the autoencoder, checked before any work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .model import Autoencoder

SOLVERS = ("exact", "adam", "proximal")


def check_arguments(model: Autoencoder) -> None:
    """Refuse arguments that no solver could use.

    Raises
    ------
    ValueError
        Naming the argument and what it may be.
    """
    if model.solver not in SOLVERS:
        msg = f"solver={model.solver!r} is not known; use one of {', '.join(SOLVERS)}"
        raise ValueError(msg)
    if model.weighting not in ("auto", "paper", "sqrt-size"):
        msg = f"weighting={model.weighting!r} is not known; use auto, paper or sqrt-size"
        raise ValueError(msg)
    if isinstance(model.covariates, str):
        msg = f"covariates must be a list of columns of obs, such as [{model.covariates!r}]"
        raise ValueError(msg)
    for name, least in (
        ("n_sparse", 0), ("n_dense", 0), ("max_iter", 1), ("epochs", 1), ("batch_size", 2)
    ):  # fmt: skip
        value = getattr(model, name)
        if name == "n_dense" and value is None:
            continue  # chosen from the data
        if not isinstance(value, (int, np.integer)) or value < least:
            msg = f"{name} must be an integer of at least {least}, not {value!r}"
            raise ValueError(msg)
    if not 0 <= model.annotated_share < 1:  # at 1 the sets would mean nothing
        msg = f"annotated_share must lie in [0, 1), not {model.annotated_share!r}"
        raise ValueError(msg)
    for name in ("lambda0", "learning_rate", "tol"):
        value = getattr(model, name)
        if value is not None and not value > 0:
            msg = f"{name} must be above 0, not {value!r}"
            raise ValueError(msg)
