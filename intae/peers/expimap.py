"""expiMap (Lotfollahi et al. 2023): a variational autoencoder whose decoder is gene sets."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any, ClassVar, Self

import anndata
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.special import softmax

from ..base import match_genes
from ..counts import SIZE_FACTOR, restore_counts
from ..prepared import check_prepared, get_annotations, get_terms, iter_chunks
from ..terms import signs, term_index, terms_table
from .base import Peer, dense
from .package import BudgetOver, Watch, choose_device, import_peer


def import_scarches() -> ModuleType:
    """Import scarches 0.6.1, which asks anndata for `read`, the old name of `read_h5ad`."""
    had = hasattr(anndata, "read")
    if not had:
        anndata.read = anndata.read_h5ad
    try:
        return import_peer("scarches", "ExpiMap")
    finally:
        if not had:
            del anndata.read


class ExpiMap(Peer):
    """expiMap by the package scarches 0.6.1: latent variables are gene sets, masks are hard.

    With the package's defaults: the negative binomial of raw counts, restored from prepared data by
    the size factors that `prepare` keeps; two hidden layers of 256; 400 epochs; a group lasso on
    the decoder's columns (`alpha` .7 as in the authors' tutorial) that deactivates terms. One
    condition for all cells. Terms are one to one with gene sets; masks are hard, so no gene is
    added or removed.

    Parameters
    ----------
    alpha
        Coefficient of the group lasso.
    epochs
        Number of epochs.
    recon_loss
        `nb`, the negative binomial of counts; or `mse`, squared error of the prepared values, for
        data without counts.
    budget
        Seconds after which the fit ends; it then counts for its runtime only.
    seed, threads
        Of the package's generators; of torch.
    device
        `cpu` or `cuda`; None takes a GPU where there is one.

    Attributes
    ----------
    loadings_
        Means of the latent variables.
    mean_
        The decoder's part of the condition, what it makes of cells whose loadings are 0. The
        package's means are mean + loadings W' with `mse`; with `nb` its softmax over the genes,
        times the cell's total.
    terms_
        relevance: the norm of a term's column of the decoder.
    network_
        The weights of the package's network, name -> array.

    References
    ----------
    Lotfollahi et al. 2023, Nature Cell Biology 25:337.
    """

    revision: ClassVar[int] = 2  # 1: squared error of the prepared values
    _saved: ClassVar[tuple[str, ...]] = (
        *Peer._saved, "mean_", "mask_", "sign_", "network_", "device_",
    )  # fmt: skip

    def __init__(
        self,
        alpha: float = 0.7,
        epochs: int = 400,
        recon_loss: str = "nb",
        budget: float | None = None,
        device: str | None = None,
        seed: int = 0,
        threads: int | None = 1,
    ) -> None:
        super().__init__(budget, seed, threads)
        self.alpha = alpha
        self.epochs = epochs
        self.recon_loss = recon_loss
        self.device = device

    def fit(self, adata: AnnData) -> Self:
        """Fit to prepared data; they become dense.

        Raises
        ------
        ContractError
            If the data are not prepared.
        IntaeError
            If counts cannot be restored from them, with `nb`.
        ImportError
            If scarches is not installed.
        """
        check_prepared(adata)
        import_scarches()
        self.device_ = choose_device(self.device)
        self.mask_ = get_annotations(adata).astype(float).T
        data = self._as_expected(adata)
        with self._inside():
            made = self._make(data)
            watch = Watch("expiMap", self.budget, self.epochs)
            with _watched(watch, self.device_), contextlib.suppress(BudgetOver):
                made.train(n_epochs=self.epochs, alpha=self.alpha, seed=self.seed)
            made.model.to("cpu").eval()
        self._note(watch)
        self.network_ = {name: value.numpy() for name, value in made.model.state_dict().items()}
        weights = self.network_["decoder.L0.expr_L.weight"].astype(float) * self.mask_.T
        self.sign_ = signs(weights, self.mask_.T)
        self.mean_ = self.network_["decoder.L0.cond_L.weight"].astype(float)[:, 0]
        index, kinds = term_index(get_terms(adata), 0, 0)
        self.weights_ = pd.DataFrame(weights * self.sign_, adata.var_names, index)
        size = np.linalg.norm(weights, axis=0)
        self.terms_ = terms_table(
            kinds, self.mask_.T, adata.var_names, relevance=size, active=size > 0,
            on=self.mask_.T > 0,
        )  # fmt: skip
        self.loadings_ = self._encode(made, data)
        return self

    def transform(self, adata: AnnData) -> pd.DataFrame:
        """Return the means of the latent variables of cells, genes matched by name."""
        self._check_fitted()
        import torch

        data = self._as_expected(match_genes(adata, self.weights_.index))
        import_scarches()
        with self._inside():
            made = self._make(data)
            state = {name: torch.tensor(value) for name, value in self.network_.items()}
            made.model.load_state_dict(state)
            made.model.eval()
        return self._encode(made, data)

    def reconstruct(self, adata: AnnData) -> pd.DataFrame:
        """Return the decoder's means of cells, log-normalised as the data: cells x genes."""
        made = super().reconstruct(adata)
        if self.recon_loss == "nb":
            data = match_genes(adata, self.weights_.index)
            total = np.asarray(restore_counts(data, "ExpiMap").sum(1)).ravel()
            share = softmax(made.to_numpy(), axis=1)
            made[:] = np.log1p(share * (total / data.obs[SIZE_FACTOR].to_numpy())[:, None])
        return made

    def _as_expected(self, adata: AnnData) -> AnnData:
        """Return the data as the package takes them: dense, float32, with a condition."""
        if self.recon_loss == "nb":
            adata = AnnData(restore_counts(adata, "ExpiMap"), adata.obs[[]], adata.var[[]])
        data = dense(adata)
        data.obs["condition"] = "all"
        return data

    def _make(self, data: AnnData) -> Any:
        """Make the package's model, not trained."""
        scarches = import_scarches()
        return scarches.models.EXPIMAP(
            data, condition_key="condition", recon_loss=self.recon_loss, mask=self.mask_.tolist()
        )

    def _encode(self, made: Any, data: AnnData) -> pd.DataFrame:
        with self._inside():
            latent = [
                made.get_latent(block.astype(np.float32), np.full(len(block), "all"), mean=True)
                for _, block in iter_chunks(data.X)
            ]
        loadings = np.vstack(latent).astype(float) * self.sign_
        return pd.DataFrame(loadings, data.obs_names, self.weights_.columns)


@contextlib.contextmanager
def _watched(watch: Watch, device: str) -> Iterator[None]:
    """Watch the epochs of the package's trainer, and run it on a device of our choice."""
    home = import_peer("scarches.models.expimap.expimap_model", "ExpiMap")
    trainer = home.expiMapTrainer

    class Trainer(trainer):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.device = next(self.model.to(device).parameters()).device

        def on_epoch_end(self) -> None:
            """Leave the loop when the budget is over."""
            losses = [float(value) for value in self.iter_logs["loss"]]
            super().on_epoch_end()
            if watch.epoch(float(np.mean(losses)) if losses else np.nan):
                raise BudgetOver

    home.expiMapTrainer = Trainer
    try:
        yield
    finally:
        home.expiMapTrainer = trainer
