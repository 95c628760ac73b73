"""LinearSCVI (Svensson et al. 2020): a variational autoencoder of counts with a linear decoder."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from anndata import AnnData

from ..base import match_genes
from ..counts import restore_counts
from ..prepared import check_prepared
from ..terms import signs, term_index, terms_table
from .base import Peer, strength
from .package import Watch, choose_device, import_peer


class LinearSCVI(Peer):
    """LinearSCVI by the package scvi-tools 1.4.2: dense terms, a control without gene sets.

    Raw counts are restored from prepared data (:func:`intae.counts.restore_counts`). The package's
    defaults are taken: a negative binomial, 128 hidden units, 10 latent variables, and 400 epochs
    of up to 20,000 cells, fewer of more.

    Parameters
    ----------
    n_dense
        Number of latent variables.
    epochs
        Number of epochs; None: as the package has it.
    budget, seed, threads
        See :class:`intae.peers.base.Peer`.
    device
        `cpu` or `cuda`; None takes a GPU where there is one.

    Attributes
    ----------
    loadings_
        Means of the latent variables.
    weights_
        The package's own: the decoder's weights times those of its batch normalisation.
    terms_
        relevance: the standard deviation of a term's loadings times the norm of its weights.
    network_
        The weights of the package's network, name -> array.

    References
    ----------
    Svensson et al. 2020, Bioinformatics 36:3418.
    """

    knows_gene_sets: ClassVar[bool] = False
    reconstructs: ClassVar[bool] = False  # its means are of counts, not of the logarithm

    _saved: ClassVar[tuple[str, ...]] = (*Peer._saved, "device_", "sign_", "network_")

    def __init__(
        self,
        n_dense: int = 10,
        epochs: int | None = None,
        budget: float | None = None,
        device: str | None = None,
        seed: int = 0,
        threads: int | None = 1,
    ) -> None:
        super().__init__(budget, seed, threads)
        self.device = device
        self.n_dense = n_dense
        self.epochs = epochs

    def fit(self, adata: AnnData) -> Self:
        """Fit to prepared data.

        Raises
        ------
        ContractError
            If the data are not prepared.
        IntaeError
            If counts cannot be restored from them.
        ImportError
            If scvi-tools is not installed.
        """
        check_prepared(adata)
        scvi = import_peer("scvi", "LinearSCVI")
        data = _with_counts(adata)
        self.device_ = choose_device(self.device)
        heuristic = import_peer("scvi.model._utils", "LinearSCVI").get_max_epochs_heuristic
        epochs = self.epochs or heuristic(adata.n_obs)
        before = scvi.settings.seed
        try:
            with self._inside(), _quiet():
                scvi.settings.seed = self.seed  # of its split into training and validation cells
                made = self._make(data)
                watch = Watch("LinearSCVI", self.budget, epochs)
                made.train(
                    epochs, accelerator={"cuda": "gpu"}.get(self.device_, self.device_), devices=1,
                    enable_progress_bar=False, callbacks=[_callback(watch)],
                )  # fmt: skip
                made.module.to("cpu").eval()
        finally:
            scvi.settings._seed = before  # the setter would seed all generators
        self._note(watch)
        state = made.module.state_dict()
        self.network_ = {name: value.numpy() for name, value in state.items()}
        weights = np.asarray(made.module.get_loadings(), float)
        none = np.empty((adata.n_vars, 0), dtype=np.uint8)
        index, kinds = term_index(pd.Index([]), 0, self.n_dense)
        self.sign_ = signs(weights, none)
        self.weights_ = pd.DataFrame(weights * self.sign_, adata.var_names, index)
        self.loadings_ = self._encode(made, data)
        self.terms_ = terms_table(
            kinds, none, adata.var_names,
            relevance=strength(self.loadings_.to_numpy(), weights),
            active=np.ones(self.n_dense, dtype=bool), on=np.ones(weights.shape, dtype=bool),
        )  # fmt: skip
        self.terms_["genes_added"] = ""  # every gene is in every term: nothing was added
        return self

    def transform(self, adata: AnnData) -> pd.DataFrame:
        """Return the means of the latent variables of cells, genes matched by name."""
        self._check_fitted()
        import torch

        data = _with_counts(match_genes(adata, self.weights_.index))
        with self._inside():
            made = self._make(data)
            state = {name: torch.as_tensor(value) for name, value in self.network_.items()}
            made.module.load_state_dict(state)
            made.module.eval()
        return self._encode(made, data)

    def _make(self, data: AnnData) -> Any:
        kind = import_peer("scvi", "LinearSCVI").model.LinearSCVI
        kind.setup_anndata(data)
        return kind(data, n_latent=self.n_dense)

    def _encode(self, made: Any, data: AnnData) -> pd.DataFrame:
        with self._inside():
            made.is_trained_ = True
            latent = made.get_latent_representation(data).astype(float)
        return pd.DataFrame(latent * self.sign_, data.obs_names, self.weights_.columns)


def _with_counts(adata: AnnData) -> AnnData:
    counts = restore_counts(adata, "LinearSCVI")
    return AnnData(counts, pd.DataFrame(index=adata.obs_names), pd.DataFrame(index=adata.var_names))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the trainer from telling of processors and seeds on the screen."""
    loggers = [logging.getLogger(f"lightning.{name}") for name in ("fabric", "pytorch")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _callback(watch: Watch) -> Any:
    """Make the trainer's callback that watches its epochs."""
    callbacks = import_peer("lightning.pytorch.callbacks", "LinearSCVI")

    class Watching(callbacks.Callback):
        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            """Note the epoch; stop when the budget is over."""
            loss = trainer.callback_metrics.get("train_loss", np.nan)
            if watch.epoch(float(loss)):
                trainer.should_stop = True

    return Watching()
