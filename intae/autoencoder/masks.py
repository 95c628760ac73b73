"""An autoencoder whose first layer is masked by the annotation, and its training.

    z = (W o M)' y,   y near g(z)

M is the annotation I itself, or drawn anew for each batch with the probabilities theta, near I. The
rest, g, is free, and nothing in the loss knows of gene sets.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from .data import Cells
from .network import batches, make_encoder, seeded


class MaskedNetwork(nn.Module):
    """The masked first layer, whose units are terms, and the decoder after it.

    Parameters
    ----------
    theta
        genes x terms: the probability that a weight is open. Only 0 and 1: a hard mask.
    """

    def __init__(self, theta: np.ndarray):
        super().__init__()
        n_genes, n_terms = theta.shape
        self.register_buffer("theta", torch.as_tensor(theta, dtype=torch.float32))
        self.hard = bool(np.isin(theta, (0, 1)).all())
        spread = self.theta.sum(0).clip(1) ** -0.5
        self.W = nn.Parameter(torch.randn(n_genes, n_terms) * spread)
        self.decoder = make_encoder(n_terms, n_genes)

    def weights(self) -> torch.Tensor:
        """Return the weights in force: W o M in training, W o E[M] in evaluation."""
        if self.hard or not self.training:
            return self.W * self.theta
        return self.W * torch.bernoulli(self.theta)

    def forward(self, Y: torch.Tensor) -> torch.Tensor:
        """Return what the network makes of centred cells."""
        return self.decoder(Y @ self.weights())


def train_masked(
    cells: Cells,
    theta: np.ndarray,
    *,
    learning_rate: float,
    batch_size: int,
    epochs: int,
    seed: int,
    device: torch.device,
    look: Callable[[int, float], None],
) -> MaskedNetwork:
    """Minimise the mean of |y - g(z)|^2 by Adam; no penalty.

    Parameters
    ----------
    look
        Called after every epoch with (epoch, mean of |y - g(z)|^2 over all cells, in evaluation).

    Returns
    -------
    The network, in evaluation mode.
    """
    with seeded(seed, device):
        network = MaskedNetwork(theta).to(device)
        optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
        for epoch in range(1, epochs + 1):
            network.train()
            for batch in batches(cells.n_cells, batch_size):
                Y = torch.as_tensor(cells.batch(batch), device=device)
                loss = ((Y - network(Y)) ** 2).sum() / len(Y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            network.eval()
            error = sum(
                float(((Y - decode(network.decoder, Y @ weights_of(network), device)) ** 2).sum())
                for _, Y, _ in cells.blocks()
            )
            look(epoch, error / cells.n_cells)
    return network


def weights_of(network: MaskedNetwork) -> np.ndarray:
    """Return the weights in force in evaluation, genes x terms, float64."""
    return network.weights().detach().cpu().numpy().astype(np.float64)


@torch.no_grad()
def decode(decoder: nn.Module, Z: np.ndarray, device: torch.device) -> np.ndarray:
    """Return the centred genes that the decoder, in evaluation mode, makes of loadings."""
    decoder.eval()
    block = torch.as_tensor(Z.astype(np.float32), device=device)
    return decoder(block).cpu().numpy().astype(np.float64)


def use_of_units(
    decoder: nn.Module, Y: np.ndarray, Z: np.ndarray, device: torch.device
) -> np.ndarray:
    """Return how much the mean of |y - g(z)|^2 rises when each unit is held at its mean.

    The size of a unit's weights says nothing where the decoder can scale it at will; this does.

    Parameters
    ----------
    Y, Z
        Centred genes and loadings of some cells.
    """
    whole = ((Y - decode(decoder, Z, device)) ** 2).sum()
    rises = np.empty(Z.shape[1])
    for k, mean in enumerate(Z.mean(0)):
        held = Z.copy()
        held[:, k] = mean
        rises[k] = ((Y - decode(decoder, held, device)) ** 2).sum() - whole
    return rises / len(Y)
