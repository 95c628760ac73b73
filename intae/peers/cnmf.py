"""cNMF (Kotliar et al. 2019): the consensus of many non-negative factorisations of counts."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse
from scipy.optimize import nnls

from ..base import limit_threads, match_genes
from ..controls import mean_and_scale
from ..counts import restore_counts
from ..errors import IntaeError
from ..prepared import check_prepared, iter_chunks
from ..terms import term_index, terms_table
from .base import Peer, strength
from .package import BudgetOver, Watch, import_peer


class CNMF(Peer):
    """cNMF by the package cnmf 1.7.1: dense terms that are not negative, without gene sets.

    Raw counts are restored from prepared data (:func:`intae.counts.restore_counts`), and all genes
    of the data are taken. The package's defaults are: 100 restarts, and restarts' components
    dropped whose neighbours are .5 away on average. Its users choose the number of components by a
    plot of stability; here it is an argument.

    Parameters
    ----------
    n_dense
        Number of components.
    restarts
        Number of factorisations, at least 4.
    density_threshold
        Mean distance to neighbours from which on a component of a restart is left out.
    budget, seed, threads
        See :class:`intae.peers.base.Peer`.

    Attributes
    ----------
    loadings_
        Usages: non-negative least squares of a cell's normalised values, genes at unit variance, on
        the spectra, as the package refits them (its own solver stops a little earlier).
    weights_
        The consensus spectra, genes at unit variance, each of length 1.
    scale_
        The standard deviation of each gene's normalised values.
    terms_
        relevance: the standard deviation of a term's loadings times the norm of its weights.

    References
    ----------
    Kotliar et al. 2019, eLife 8:e43803.
    """

    knows_gene_sets: ClassVar[bool] = False
    reconstructs: ClassVar[bool] = False  # of normalised values, not of their logarithm

    _saved: ClassVar[tuple[str, ...]] = (*Peer._saved, "scale_")

    def __init__(
        self,
        n_dense: int = 20,
        restarts: int = 100,
        density_threshold: float = 0.5,
        budget: float | None = None,
        seed: int = 0,
        threads: int | None = 1,
    ) -> None:
        super().__init__(budget, seed, threads)
        self.n_dense = n_dense
        self.restarts = restarts
        self.density_threshold = density_threshold

    def fit(self, adata: AnnData) -> Self:
        """Fit to prepared data; the package's files lie in a temporary folder meanwhile.

        Raises
        ------
        ContractError
            If the data are not prepared.
        IntaeError
            If counts cannot be restored, or no component comes back in enough restarts.
        ImportError
            If cnmf is not installed.
        """
        self._check_arguments(adata)
        check_prepared(adata)
        package = import_peer("cnmf", "CNMF")
        counts = restore_counts(adata, "CNMF")
        _, self.scale_ = mean_and_scale(_normalised(adata.X))
        with tempfile.TemporaryDirectory() as folder, self._inside():
            watch = Watch("cNMF", self.budget, self.restarts)
            spectra = self._factorize(package, adata, counts, Path(folder), watch)
            taken = time.perf_counter() - watch.start
        self._note(watch)
        if not watch.over:
            self.seconds_ = self.projected_seconds_ = taken  # with the consensus
        spectra /= np.maximum(np.linalg.norm(spectra, axis=1, keepdims=True), 1e-300)
        none = np.empty((adata.n_vars, 0), dtype=np.uint8)
        index, kinds = term_index(pd.Index([]), 0, len(spectra))
        self.weights_ = pd.DataFrame(spectra.T, adata.var_names, index)
        self.loadings_ = self._usages(adata)
        self.terms_ = terms_table(
            kinds, none, adata.var_names, relevance=strength(self.loadings_.to_numpy(), spectra.T),
            active=np.ones(len(index), dtype=bool), on=np.ones(spectra.T.shape, dtype=bool),
        )  # fmt: skip
        self.terms_["genes_added"] = ""  # every gene is in every term: nothing was added
        return self

    def _factorize(
        self, package: Any, adata: AnnData, counts: sparse.csr_matrix, folder: Path, watch: Watch
    ) -> np.ndarray:
        """Return the spectra, components x genes; those of one restart if the budget is over."""
        genes = [f"g{i}" for i in range(adata.n_vars)]  # any name is fine in the package's files
        cells = pd.DataFrame(index=[f"c{i}" for i in range(adata.n_obs)])
        values = {"counts": counts, "tpm": _normalised(adata.X)}
        for name, X in values.items():
            AnnData(X, cells.copy(), pd.DataFrame(index=genes)).write_h5ad(folder / f"{name}.h5ad")
        (folder / "genes.txt").write_text("\n".join(genes), encoding="utf-8")
        made = package.cNMF(str(folder), "run")
        made.prepare(
            str(folder / "counts.h5ad"), [self.n_dense], n_iter=self.restarts, seed=self.seed,
            tpm_fn=str(folder / "tpm.h5ad"), genes_file=str(folder / "genes.txt"),
        )  # fmt: skip
        with _watched(made, watch) as last:
            made.factorize()
        if watch.over:
            return last["spectra"]
        made.combine()
        try:
            made.consensus(
                self.n_dense, self.density_threshold, show_clustering=False, build_ref=False
            )
        except (RuntimeError, ValueError) as error:  # none, or fewer than n_dense, are left
            msg = f"density_threshold={self.density_threshold}: too few components come back in "
            raise IntaeError(f"{msg}the restarts ({error}); raise it, or restarts") from error
        tpm = made.load_results(self.n_dense, self.density_threshold)[2].loc[genes]
        return (tpm.to_numpy(float) / self.scale_[:, None]).T

    def transform(self, adata: AnnData) -> pd.DataFrame:
        """Return usages of cells, genes matched by name: DataFrame, cells x terms."""
        self._check_fitted()
        return self._usages(match_genes(adata, self.weights_.index))

    def _usages(self, adata: AnnData) -> pd.DataFrame:
        # min |y - W u| over u >= 0 depends on W'W and W'y alone
        W = self.weights_.to_numpy()
        root = np.linalg.cholesky(W.T @ W + 1e-9 * np.eye(W.shape[1]))
        usages = []
        with limit_threads(self.threads):
            for _, block in iter_chunks(adata.X):
                right = np.linalg.solve(root, W.T @ (np.expm1(block) / self.scale_).T).T
                usages += [nnls(root.T, y)[0] for y in right]
        return pd.DataFrame(np.vstack(usages), adata.obs_names, self.weights_.columns)


def _normalised(X: Any) -> sparse.csr_matrix:
    """Return log-normalised values without their logarithm."""
    return sparse.csr_matrix(X, dtype=np.float64).expm1()


@contextlib.contextmanager
def _watched(made: Any, watch: Watch) -> Iterator[dict[str, np.ndarray]]:
    """Watch the restarts; give the last one's spectra."""
    factorise, last = made._nmf, {}

    def restart(X: Any, nmf_kwargs: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        spectra, usages = factorise(X, nmf_kwargs)
        last["spectra"] = np.asarray(spectra, float)
        rest = X - usages @ spectra
        if watch.epoch(float(np.mean(np.square(rest)))):
            raise BudgetOver
        return spectra, usages

    made._nmf = restart
    try:
        with contextlib.suppress(BudgetOver):
            yield last
    finally:
        made._nmf = factorise
