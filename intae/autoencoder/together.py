"""Several networks trained at once, on one reading of the cells.

Of one training a GPU has little to do at a time: a batch of 62 cells keeps a few of its processors
busy. So trainings take turns, batch by batch, each on a stream of its own, and the GPU works on
them side by side. Each draws its own random numbers, so it ends where it would have ended alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

from anndata import AnnData

from ..errors import IntaeError
from ..prepared import check_prepared
from .checkpoint import Checkpoint
from .data import Cells

if TYPE_CHECKING:
    import torch

    from .model import Autoencoder

SHARED = ("covariates", "device", "threads")  # arguments that must be the same


def fit_together(models: Sequence[Autoencoder], adata: AnnData) -> list[Autoencoder]:
    """Fit several networks to the same data at once: seeds, penalties, batch sizes.

    Each ends at the numbers of its own :meth:`intae.Autoencoder.fit`. The cells are read once and
    are on the device once. On a GPU the trainings run side by side; on a CPU they take turns, which
    saves no more than the reading.

    Parameters
    ----------
    models
        Of the solvers `adam` and `proximal`, with the same covariates, device and threads.
    adata
        Prepared data.

    Returns
    -------
    The models. `seconds_` of each is the time from the start of all to its own end.

    Raises
    ------
    ContractError
        If the data are not prepared.
    IntaeError
        If an argument does not fit, a model comes twice, or one differs from the first in what all
        share.
    """
    models = list(models)
    _check(models)
    if not models:
        return models
    for model in models:
        model._check_arguments(adata)
    check_prepared(adata, values=False)  # Cells looks at the values, in its pass over them
    clocks = [Checkpoint(None) for _ in models]
    with models[0]._limited():
        from .feed import Feed
        from .network import choose_device

        cells = Cells(adata, models[0].covariates)
        feed = Feed(cells, choose_device(models[0].device))
        parts = [m._parts(adata, k, cells, feed) for m, k in zip(models, clocks, strict=True)]
        in_turn(parts, feed.device)
    return models


def _check(models: list[Autoencoder]) -> None:
    if len({id(model) for model in models}) < len(models):
        msg = "fit_together was given the same model twice; make one per fit"
        raise IntaeError(msg)
    for number, model in enumerate(models):
        if getattr(model, "solver", None) not in ("adam", "proximal"):
            msg = (
                f"model {number} of fit_together is no network: {model!r}; give models such as "
                "intae.Autoencoder('adam', seed=1)"
            )
            raise IntaeError(msg)
        for name in SHARED:
            first, own = getattr(models[0], name), getattr(model, name)
            if own != first:
                msg = (
                    f"models of fit_together share their {name}, and model {number} has {own!r}, "
                    f"the first {first!r}"
                )
                raise IntaeError(msg)


def in_turn(works: Sequence[Iterator[None]], device: torch.device) -> None:
    """Do works side by side: a part of each in turn, on a GPU each on a stream of its own."""
    import torch

    gpu = device.type == "cuda"
    if gpu:
        torch.cuda.synchronize(device)  # what they share was made on another stream
    left = [
        (work, torch.cuda.stream(torch.cuda.Stream(device)) if gpu else nullcontext())
        for work in works
    ]
    while left:
        for one in tuple(left):
            work, stream = one
            with stream:
                if next(work, left) is left:  # which no work yields: it has ended
                    left.remove(one)
    if gpu:
        torch.cuda.synchronize(device)
