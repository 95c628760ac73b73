"""Centred cells as tensors, batch by batch, where the network is; needs torch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from ..chunks import ahead, is_in_memory
from .data import Cells, in_batches
from .objective import Loadings

RESIDENT = 2**30  # bytes of cells that are held in memory as they are trained on
BLOCK = 4096  # cells of which all moments are taken at a time


class Feed:
    """Centred cells as float32 tensors: all on the device where they fit, else read as needed.

    Parameters
    ----------
    cells
        The cells, their genes and covariates.
    device
        Where the network is.
    room
        Bytes that the cells may take there. Default: :data:`RESIDENT`; on a GPU half of what is
        free.
    """

    def __init__(self, cells: Cells, device: torch.device, room: int | None = None):
        if room is None:
            room = RESIDENT if device.type == "cpu" else torch.cuda.mem_get_info(device)[0] // 2
        self.cells, self.device = cells, device
        self.design = torch.as_tensor(cells.design, dtype=torch.float32, device=device)
        self.total: float | None = None  # of |y|^2, which only covariates change
        self.resident = None
        if 4 * cells.n_cells * cells.n_genes <= room:
            # Block by block, since a GPU may have room for what this machine has not.
            self.resident = torch.empty(cells.n_cells, cells.n_genes, device=device)
            for rows in in_batches(cells.n_cells, BLOCK):
                self.resident[rows].copy_(torch.from_numpy(cells.batch(rows)))

    def epoch(self, size: int, random: torch.Generator) -> Iterator[tuple[torch.Tensor, ...]]:
        """Yield what :meth:`take` needs of each batch of an epoch, in an order drawn anew.

        Parameters
        ----------
        size
            Cells per batch.
        random
            Generator of the CPU, from which the order is drawn.
        """
        if self.resident is None and not is_in_memory(self.cells.X):
            seed = int(torch.randint(2**31, (1,), generator=random))
            batches = self.cells.shuffled(size, np.random.default_rng(seed))
        else:
            order = torch.randperm(self.cells.n_cells, generator=random).numpy()
            drawn = [np.sort(order[some]) for some in in_batches(len(order), size)]
            if self.resident is not None:
                # To the device at once: a transfer per batch would take longer than the batch.
                every = torch.from_numpy(np.concatenate(drawn)).to(self.device)
                for at in every.split([len(some) for some in drawn]):
                    yield (at,)
                return
            batches = ((some, self.cells.batch(some)) for some in drawn)
        for some, Y in ahead((some, self._ready(Y)) for some, Y in batches):
            at = torch.from_numpy(some).to(self.device)
            yield at, Y.to(self.device, non_blocking=True)

    def take(self, at: torch.Tensor, Y: torch.Tensor | None = None) -> tuple[torch.Tensor, ...]:
        """Return the genes and the covariates of a batch; nothing here asks a GPU for a value.

        Parameters
        ----------
        at
            Numbers of the cells, on the device.
        Y
            Their genes, where they were read for this batch.
        """
        Y = self.resident.index_select(0, at) if Y is None else Y
        return Y, self.design.index_select(0, at)

    def _ready(self, Y: np.ndarray) -> torch.Tensor:
        """Return cells as a tensor that a GPU takes while it works on others."""
        Y = torch.from_numpy(Y)
        return Y.pin_memory() if self.device.type == "cuda" else Y

    def blocks(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield the genes and the covariates of all cells, in order."""
        if self.resident is None:
            for rows, Y, _ in self.cells.blocks():
                Y = self._ready(Y.astype(np.float32)).to(self.device, non_blocking=True)
                yield Y, self.design[rows]
            return
        for rows in in_batches(self.cells.n_cells, BLOCK):
            yield self.resident[rows], self.design[rows]

    @torch.no_grad()
    def moments(self, encoder: nn.Module, effects: torch.Tensor) -> tuple[Loadings, float]:
        """Return the moments of the loadings that an encoder gives in evaluation mode.

        Products are in single precision, and their sums over blocks in double, on the device.

        Parameters
        ----------
        encoder
            Function of centred genes, gives loadings.
        effects
            Phi, genes x covariates; what it explains is taken off Y after encoding.

        Returns
        -------
        The moments, and the mean of |y_n - Phi x_n|^2.
        """
        encoder.eval()
        n, YZ, ZZ, squares = self.cells.n_cells, 0.0, 0.0, 0.0
        for Y, X in self.blocks():
            Z, left = encoder(Y), without(effects, Y, X)
            YZ, ZZ = YZ + (left.T @ Z).double(), ZZ + (Z.T @ Z).double()
            if self.total is None:
                squares = squares + (left**2).sum(dtype=torch.float64)
        total = float(squares) if self.total is None else self.total
        if not effects.shape[1]:
            self.total = total
        return Loadings(YZ.cpu().numpy() / n, ZZ.cpu().numpy() / n), total / n


def without(effects: torch.Tensor, Y: torch.Tensor, X: torch.Tensor) -> torch.Tensor:
    """Take off Y what covariates explain; there are few or none.

    Parameters
    ----------
    effects, Y, X
        genes x covariates, cells x genes, cells x covariates.
    """
    return Y - X @ effects.T if effects.shape[1] else Y
