"""An autoencoder with a masked first layer: an ablation, the talk's two ideas that do not work.

    z_n = (W o M)' y_n,   minimise 1/N sum_n |y_n - g(z_n)|^2

M is the annotation I itself, or drawn anew for each batch with the probabilities theta, near I. The
rest, the network g, is free, and nothing in the loss knows of gene sets. The network and its
training are in :mod:`.network`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import pandas as pd
from anndata import AnnData

from ..base import FactorModel, limit_threads, match_genes
from ..prepared import check_prepared, get_annotations, get_terms, iter_chunks
from ..terms import signs, term_index, terms_table
from .checkpoint import Checkpoint
from .data import Cells

if TYPE_CHECKING:
    from torch import nn

CELLS_LOOKED_AT = 300  # evenly spaced, to tell the units' use


class MaskedAutoencoder(FactorModel):
    """An autoencoder whose first layer is masked by the annotation: z = (W o M)' y, y near g(z).

    The talk lists it under what does not work; it is here to see in which sense. The first layer's
    units are the terms, and their outputs the loadings. After them comes the published encoder
    turned round (terms -> 400 -> 400 -> genes): the talk puts the masks right after undercomplete
    autoencoders with a free decoder, and so this model and the published one differ in one thing,
    the side on which the annotation stands. The decoder has no penalty, so no term is ever off.

    Parameters
    ----------
    mask
        `hard`: M = I, a unit sees the genes of its set alone. `stochastic`: M is drawn anew for
        each batch, Bernoulli with `inside` or `outside`; afterwards weights count by these
        probabilities.
    inside, outside
        Probability that a weight is open for a gene of the set, and for another.
    epochs, learning_rate, batch_size
        Of the training, by Adam; the published ones.
    seed
        Of the start, the masks, dropout and batches.
    threads
        Threads to use; None leaves it to the libraries.
    device
        `auto`, `cpu` or `cuda`.

    Attributes
    ----------
    weights_
        The first layer's weights in force; with the stochastic mask W o E[M].
    terms_
        relevance: how much the mean of |y - g(z)|^2 rises when the term is held at its mean.
        genes_added: with the stochastic mask, genes outside the set whose |weight| reaches the
        median within it.
    resumed_
        How many times the fit was killed and went on from its checkpoint.
    history_
        One row per epoch: iteration, F (the mean of |y - g(z)|^2), seconds.
    """

    # Raised whenever the same arguments give other numbers: the workflow then repeats old fits.
    revision: ClassVar[int] = 2  # 1: another Adam step

    _saved: ClassVar[tuple[str, ...]] = ("mean_", "decoder_")

    mean_: np.ndarray
    decoder_: dict[str, np.ndarray]

    def __init__(
        self,
        mask: str = "hard",
        *,
        inside: float = 0.95,
        outside: float = 0.01,
        epochs: int = 30,
        learning_rate: float = 1e-3,
        batch_size: int = 62,
        seed: int = 0,
        threads: int | None = 1,
        device: str = "auto",
    ):
        self.mask = mask
        self.inside = inside
        self.outside = outside
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.seed = seed
        self.threads = threads
        self.device = device

    def fit(self, adata: AnnData, checkpoint: str | Path | None = None) -> Self:
        """Fit to prepared data (:func:`intae.prepare`) and return the model.

        Parameters
        ----------
        adata
            Prepared data.
        checkpoint
            A file for the state of the training, as in :meth:`intae.Autoencoder.fit`.

        Raises
        ------
        ContractError
            If the data are not prepared.
        IntaeError
            If an argument does not fit.
        """
        self._check_arguments(adata)
        check_prepared(adata, values=False)  # Cells looks at the values, in its pass over them
        import torch  # noqa: F401  limit_threads limits torch only once it is imported

        kept = Checkpoint(checkpoint)
        with limit_threads(self.threads):
            self._train(Cells(adata, None), adata, kept)
        self.seconds_, self.resumed_ = kept.seconds(), kept.resumed
        kept.remove()
        return self

    def _train(self, cells: Cells, adata: AnnData, checkpoint: Checkpoint) -> None:
        from .masked_network import train_masked, use_of_units, weights_of
        from .network import arrays, choose_device

        annotations = get_annotations(adata).astype(float)
        device = choose_device(self.device)
        checkpoint.belong_to(self, adata, cells, device)
        network, self.history_ = train_masked(
            cells, self._theta(annotations),
            learning_rate=self.learning_rate, batch_size=min(self.batch_size, cells.n_cells),
            epochs=self.epochs, seed=self.seed, device=device, checkpoint=checkpoint,
        )  # fmt: skip
        W = weights_of(network)
        sign = signs(W, annotations)
        W = W * sign
        state = arrays(network.decoder)
        self.decoder_ = state | {"0.weight": (state["0.weight"] * sign).astype(np.float32)}
        self.__dict__.pop("_network", None)
        self.mean_ = cells.mean
        self.n_iter_, self.converged_ = self.epochs, False  # it stops when the epochs are over
        genes = pd.Index(adata.var_names.astype(str), name="gene")
        terms, kinds = term_index(get_terms(adata), 0, 0)
        self.weights_ = pd.DataFrame(W, index=genes, columns=terms)
        self.loadings_ = self.transform(adata)
        some = np.unique(np.linspace(0, cells.n_cells - 1, CELLS_LOOKED_AT).astype(int))
        Y, Z = cells.batch(some).astype(float), self.loadings_.to_numpy()[some]
        use = use_of_units(self._decoder(), Y, Z, device)
        self.terms_ = terms_table(
            kinds, annotations, genes, relevance=use.clip(0),
            active=np.ones(len(terms), dtype=bool), on=self._on(W, annotations),
        )  # fmt: skip

    def _theta(self, annotations: np.ndarray) -> np.ndarray:
        """Return the probability that each weight is open, genes x terms."""
        if self.mask == "hard":
            return annotations
        return np.where(annotations > 0, self.inside, self.outside)

    def _on(self, W: np.ndarray, annotations: np.ndarray) -> np.ndarray:
        """Return which genes take part in which term; no weight is zero where a mask may open."""
        if self.mask == "hard":
            return annotations > 0
        within = np.where(annotations > 0, abs(W), np.nan)
        return (annotations > 0) | (abs(W) >= np.nanmedian(within, axis=0))

    def transform(self, adata: AnnData) -> pd.DataFrame:
        """Return the loadings of cells, new or not, normalised as the training cells were.

        Parameters
        ----------
        adata
            cells x genes with all genes of the model, in any order.

        Returns
        -------
        DataFrame, cells x terms.
        """
        self._check_fitted()
        W = self.weights_.to_numpy()
        with limit_threads(self.threads):
            loadings = np.vstack([Y @ W for Y in self._blocks(adata)])
        index = pd.Index(adata.obs_names.astype(str), name="cell")
        return pd.DataFrame(loadings, index=index, columns=self.weights_.columns)

    def reconstruct(self, adata: AnnData) -> pd.DataFrame:
        """Return what the network makes of the cells, mean + g(z), cells x genes."""
        self._check_fitted()
        import torch  # noqa: F401  as in fit

        from .network import choose_device, evaluate

        device, W = choose_device(self.device), self.weights_.to_numpy()
        with limit_threads(self.threads):
            made = np.vstack([
                self.mean_ + evaluate(self._decoder(), Y @ W, device) for Y in self._blocks(adata)
            ])  # fmt: skip
        index = pd.Index(adata.obs_names.astype(str), name="cell")
        return pd.DataFrame(made, index=index, columns=self.weights_.index)

    def _blocks(self, adata: AnnData) -> Iterator[np.ndarray]:
        for _, block in iter_chunks(match_genes(adata, self.weights_.index).X):
            yield block - self.mean_

    def _decoder(self) -> nn.Module:
        """Return the decoder as a network, made once."""
        from .network import choose_device, load_encoder

        if not hasattr(self, "_network"):
            self._network = load_encoder(self.decoder_, choose_device(self.device))
        return self._network
