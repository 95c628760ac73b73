"""The fitted autoencoder and cells: loadings of new ones, what it makes of them, their signs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import numpy as np
import pandas as pd
from anndata import AnnData

from ..base import FactorModel, limit_threads, match_genes
from ..prepared import design_matrix, iter_chunks
from ..terms import signs


class Encoding(FactorModel):
    """What an autoencoder does with cells once it is fitted."""

    solver: str
    covariates: Sequence[str] | None
    threads: int | None
    device: str
    mean_: np.ndarray
    effects_: np.ndarray
    covariate_mean_: np.ndarray
    categories_: dict[str, list[str]]
    annotations_: np.ndarray
    encoder_: dict[str, np.ndarray]

    def transform(self, adata: AnnData) -> pd.DataFrame:
        """Return the loadings of cells, new or not, normalised as the training cells were.

        Parameters
        ----------
        adata
            cells x genes with all genes of the model, in any order; with covariates, the `exact`
            solver needs them in obs.

        Returns
        -------
        DataFrame, cells x terms.
        """
        self._check_fitted()
        adata = match_genes(adata, self.weights_.index)
        with self._limited():
            loadings = np.vstack([self._encode(Y, X) for Y, X in self._blocks(adata)])
        index = pd.Index(adata.obs_names, name="cell")
        return pd.DataFrame(loadings, index=index, columns=self.weights_.columns)

    def reconstruct(self, adata: AnnData) -> pd.DataFrame:
        """Return what the model makes of the cells: mean + f(Y) W' + X Phi', cells x genes."""
        self._check_fitted()
        adata = match_genes(adata, self.weights_.index)
        W = self.weights_.to_numpy()
        with self._limited():
            made = np.vstack([
                self.mean_ + self._encode(Y, X) @ W.T + X @ self.effects_.T
                for Y, X in self._blocks(adata, need_covariates=True)
            ])  # fmt: skip
        index = pd.Index(adata.obs_names, name="cell")
        return pd.DataFrame(made, index=index, columns=self.weights_.index)

    def _limited(self) -> AbstractContextManager:
        """Limit the threads of all that this solver uses."""
        if self.solver != "exact":
            import torch  # noqa: F401  limit_threads limits torch only once it is imported
        return limit_threads(self.threads)

    def _orient(self, W: np.ndarray) -> None:
        """Turn terms, in W and in the encoder alike, to the sign of their annotated genes."""
        sign = signs(W, self.annotations_)
        W *= sign
        if self.solver == "exact":
            self.encoder_["A"] *= sign
        else:
            last = max(name for name in self.encoder_ if name.endswith(".bias"))
            self.encoder_[last] = (self.encoder_[last] * sign).astype(np.float32)
            weight = last.replace("bias", "weight")
            self.encoder_[weight] = (self.encoder_[weight] * sign[:, None]).astype(np.float32)
        self.__dict__.pop("_network", None)

    def _blocks(
        self, adata: AnnData, *, need_covariates: bool = False
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield centred genes and centred covariates of cells, block by block."""
        design = np.zeros((adata.n_obs, len(self.covariate_mean_)))
        if self.covariates and (need_covariates or self.solver == "exact"):
            design, _, _ = design_matrix(adata.obs, self.covariates, self.categories_)
            design = design - self.covariate_mean_
        for start, block in iter_chunks(adata.X):
            yield block - self.mean_, design[start : start + len(block)]

    def _encode(self, Y: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Return loadings of centred cells: A'(y - Phi x), or the network's."""
        if self.solver == "exact":
            return (Y - X @ self.effects_.T) @ self.encoder_["A"]
        from .network import choose_device, encode, load_encoder

        device = choose_device(self.device)
        if not hasattr(self, "_network"):
            self._network = load_encoder(self.encoder_, device)
        return encode(self._network, Y, device)
