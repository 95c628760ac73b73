"""The network of equation 1: the authors' encoder, and the linear decoder beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from .data import Cells
from .objective import Loadings

HIDDEN = 400
DROPOUT = 0.2


def make_encoder(n_genes: int, n_terms: int, hidden: int = HIDDEN) -> nn.Sequential:
    """genes -> 400 -> 400 -> terms, each hidden layer Linear, BatchNorm, ELU, dropout 0.2."""
    layers: list[nn.Module] = []
    for n_in in (n_genes, hidden):
        layers += [nn.Linear(n_in, hidden), nn.BatchNorm1d(hidden), nn.ELU(), nn.Dropout(DROPOUT)]
    return nn.Sequential(*layers, nn.Linear(hidden, n_terms))


def random_decoder(n_genes: int, n_terms: int) -> torch.Tensor:
    """W at the published start: N(0, 1) / sqrt(terms), genes x terms."""
    return torch.randn(n_genes, n_terms) / n_terms**0.5


def choose_device(device: str) -> torch.device:
    """Return the device: `auto` is the GPU when there is one, and the CPU when not.

    Raises
    ------
    ValueError
        If the device is not known or not there.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        msg = f"device {device!r} is not known; use 'auto', 'cpu' or 'cuda'"
        raise ValueError(msg) from error
    if chosen.type == "cuda" and not torch.cuda.is_available():
        msg = "device='cuda', but torch sees no GPU here; use device='auto' or 'cpu'"
        raise ValueError(msg)
    return chosen


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Draw all of torch's random numbers inside from the seed, and leave its state as it was."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def batches(n_cells: int, size: int) -> Iterator[np.ndarray]:
    """Yield the cells of each batch of an epoch, in an order drawn anew, each batch sorted.

    A last batch of a single cell, on which BatchNorm is not defined, joins the one before.
    """
    order = torch.randperm(n_cells).numpy()
    starts = list(range(0, n_cells, size))
    if len(starts) > 1 and n_cells - starts[-1] == 1:
        starts.pop()
    for start, stop in zip(starts, [*starts[1:], n_cells], strict=True):
        yield np.sort(order[start:stop])


@torch.no_grad()
def encode(encoder: nn.Module, Y: np.ndarray, device: torch.device) -> np.ndarray:
    """Return the loadings of centred cells, in evaluation mode, float64."""
    encoder.eval()
    block = torch.as_tensor(Y.astype(np.float32), device=device)
    return encoder(block).cpu().numpy().astype(np.float64)


def network_loadings(
    encoder: nn.Module, cells: Cells, effects: np.ndarray, device: torch.device
) -> tuple[Loadings, float]:
    """Return the moments of the network's loadings over all cells, in evaluation mode.

    Parameters
    ----------
    effects
        Phi, genes x covariates; what it explains is taken off Y after encoding.

    Returns
    -------
    The moments, and the mean of |y_n - Phi x_n|^2.
    """
    YZ = ZZ = total = 0.0
    for _, Y, X in cells.blocks():
        Z = encode(encoder, Y, device)
        target = Y - X @ effects.T
        YZ, ZZ = YZ + target.T @ Z, ZZ + Z.T @ Z
        total += float((target**2).sum())
    return Loadings(YZ / cells.n_cells, ZZ / cells.n_cells), total / cells.n_cells


def load_encoder(state: dict[str, np.ndarray], device: torch.device) -> nn.Sequential:
    """Build the encoder that a state dict, as arrays, describes."""
    first, last = state["0.weight"], state["8.weight"]
    with seeded(0, torch.device("cpu")):  # the weights drawn here are replaced at once
        encoder = make_encoder(first.shape[1], last.shape[0], first.shape[0])
    encoder.load_state_dict({name: torch.as_tensor(np.asarray(v)) for name, v in state.items()})
    return encoder.to(device).eval()
