"""The published algorithm: Adam on everything, then the proximal step on W, batch by batch."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from .data import Cells
from .network import batches, make_encoder, network_loadings, random_decoder, seeded
from .objective import Loadings, data_term
from .penalties import Penalty

log = logging.getLogger(__name__)


@dataclass
class Trained:
    """What training a network leaves.

    Attributes
    ----------
    encoder
        In evaluation mode.
    W
        genes x terms, float64.
    effects
        Phi, genes x covariates.
    """

    encoder: nn.Sequential
    W: np.ndarray
    effects: np.ndarray


Look = Callable[[int, np.ndarray, Loadings, float], bool]


def train_adam(
    cells: Cells,
    penalty: Penalty,
    lambda0: float,
    *,
    learning_rate: float,
    batch_size: int,
    epochs: int,
    seed: int,
    device: torch.device,
    look: Look,
) -> Trained:
    """Train encoder and decoder as published (equation 7, with Adam in the gradient's place).

    Parameters
    ----------
    cells, penalty, lambda0
        Equation 3.
    look
        Called after every epoch with (epoch, W, moments of the loadings, mean |y|^2);
        training ends where it returns True.
    """
    n_terms = len(penalty.kinds)
    with seeded(seed, device):
        encoder = make_encoder(cells.n_genes, n_terms).to(device)
        W = nn.Parameter(random_decoder(cells.n_genes, n_terms).to(device))
        effects = nn.Parameter(torch.as_tensor(cells.effects, dtype=W.dtype, device=device))
        penalty = penalty.to_torch(device, W.dtype)
        optimizer = torch.optim.Adam([*encoder.parameters(), W, effects], lr=learning_rate)
        for epoch in range(1, epochs + 1):
            encoder.train()
            for batch in batches(cells.n_cells, batch_size):
                Y = torch.as_tensor(cells.batch(batch), device=device)
                X = torch.as_tensor(cells.design[batch], dtype=W.dtype, device=device)
                Z = encoder(Y)
                F = data_term(Y - X @ effects.T, Z, W, lambda0)
                optimizer.zero_grad()
                F.backward()
                optimizer.step()
                with torch.no_grad():
                    W.copy_(penalty.prox(W, learning_rate))
            trained = Trained(encoder, _array(W), _array(effects))
            moments, total = network_loadings(encoder, cells, trained.effects, device)
            if look(epoch, trained.W, moments, total):
                break
    encoder.eval()
    return trained


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)
