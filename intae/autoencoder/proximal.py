"""The network with a true proximal step for the decoder.

Adam rescales the gradient of W and the proximal map that follows does not know it, so the fixed
point of the published algorithm is no minimum of equation 3. Here Adam keeps the encoder, and W,
in which F is quadratic, takes proximal gradient steps of length 1/L on running averages of Z'Z and
Y'Z, with L = 2 x the largest eigenvalue of Z'Z. Each step lowers F + R at the averaged moments.
"""

from __future__ import annotations

import numpy as np
import torch

from .adam import Look, Trained
from .data import Cells
from .network import batches, make_encoder, network_loadings, seeded
from .objective import Loadings, data_term
from .penalties import Penalty

MEMORY = 0.99  # of the running averages, a batch: they span about a hundred batches
WARM_UP = 1  # epochs of the encoder alone, lest terms go off that it has not learned yet


def train_proximal(
    cells: Cells,
    penalty: Penalty,
    lambda0: float,
    start: np.ndarray,
    *,
    learning_rate: float,
    batch_size: int,
    epochs: int,
    seed: int,
    device: torch.device,
    look: Look,
) -> Trained:
    """Train the encoder by Adam and the decoder by proximal steps.

    Parameters
    ----------
    start
        W at the start, genes x terms; terms that are off there stay off.
    look
        As in :func:`intae.autoencoder.adam.train_adam`.
    """
    with seeded(seed, device):
        encoder = make_encoder(cells.n_genes, start.shape[1]).to(device)
        W = torch.as_tensor(start, dtype=torch.float32, device=device)
        effects = torch.as_tensor(cells.effects, dtype=W.dtype, device=device)
        penalty = penalty.to_torch(device, W.dtype)
        optimizer = torch.optim.Adam(encoder.parameters(), lr=learning_rate)
        average = RunningLoadings(MEMORY)
        for epoch in range(1, epochs + 1):
            encoder.train()
            for batch in batches(cells.n_cells, batch_size):
                Y = torch.as_tensor(cells.batch(batch), device=device)
                X = torch.as_tensor(cells.design[batch], dtype=W.dtype, device=device)
                target = Y - X @ effects.T
                Z = encoder(Y)
                F = data_term(target, Z, W, lambda0)
                optimizer.zero_grad()
                F.backward()
                optimizer.step()
                if epoch <= WARM_UP:
                    continue
                with torch.no_grad():
                    moments = average.add(target, Z)
                    step = 1 / (2 * torch.linalg.eigvalsh(moments.ZZ)[-1])
                    W = penalty.prox(W - step * moments.gradient(W), step)
            weights = W.cpu().numpy().astype(np.float64)
            moments, total = network_loadings(encoder, cells, cells.effects, device)
            if look(epoch, weights, moments, total):
                break
    encoder.eval()
    return Trained(encoder, weights, cells.effects)


class RunningLoadings:
    """Exponential averages of Y'Z/n and Z'Z/n over batches, without bias at the start."""

    def __init__(self, memory: float):
        self.memory, self.weight = memory, 0.0
        self.YZ = self.ZZ = 0.0

    def add(self, Y: torch.Tensor, Z: torch.Tensor) -> Loadings:
        """Take in a batch and return the averages."""
        new = (1 - self.memory) / len(Y)
        self.YZ = self.memory * self.YZ + new * (Y.T @ Z)
        self.ZZ = self.memory * self.ZZ + new * (Z.T @ Z)
        self.weight = self.memory * self.weight + 1 - self.memory
        return Loadings(self.YZ / self.weight, self.ZZ / self.weight)
