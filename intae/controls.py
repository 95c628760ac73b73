"""Controls: principal components, plain scores of gene sets, and shuffled gene sets.

PCA as a control: as many components as terms, matched to gene sets by nothing at all.

Plain scores of gene sets, cell by cell, by scanpy and decoupler: controls that learn nothing.

Gene sets of the same sizes and overlaps that mean nothing: what a name is worth by chance.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Self

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse
from sklearn.decomposition import PCA as SklearnPCA

from .base import FactorModel, limit_threads, match_genes
from .prepared import check_prepared, get_annotations, get_terms, iter_chunks
from .terms import signs, term_index, terms_table


class PCA(FactorModel):
    """Principal components, each a dense term: a control without gene sets.

    Parameters
    ----------
    n_dense
        Number of components; None takes as many as there are gene sets.
    seed
        Of the randomised solver, where scikit-learn chooses it.
    threads
        Threads to use; None leaves it to the libraries.
    """

    knows_gene_sets = False

    _saved = ("mean_",)

    def __init__(self, n_dense: int | None = None, seed: int = 0, threads: int | None = None):
        self.n_dense = n_dense
        self.seed = seed
        self.threads = threads

    def fit(self, adata: AnnData) -> Self:
        """Fit to prepared data; X is densified."""
        check_prepared(adata)
        n_components = self.n_dense or get_annotations(adata).shape[1]
        n_components = min(n_components, adata.n_obs - 1, adata.n_vars)
        start = time.perf_counter()
        with limit_threads(self.threads):
            Y = np.vstack([block for _, block in iter_chunks(adata.X)])
            pca = SklearnPCA(n_components, random_state=self.seed).fit(Y)
            loadings = pca.transform(Y)
        self.seconds_ = time.perf_counter() - start
        none = np.empty((adata.n_vars, 0), dtype=np.uint8)
        weights = pca.components_.T
        sign = signs(weights, none)
        terms, kinds = term_index(pd.Index([]), 0, n_components)
        self.mean_ = pca.mean_
        self.weights_ = pd.DataFrame(weights * sign, adata.var_names, terms)
        self.loadings_ = pd.DataFrame(loadings * sign, adata.obs_names, terms)
        self.terms_ = terms_table(
            kinds, none, adata.var_names,
            relevance=pca.explained_variance_,
            active=np.ones(n_components, dtype=bool),
            on=np.ones(weights.shape, dtype=bool),
        )  # fmt: skip
        self.terms_["genes_added"] = ""  # every gene is in every component: nothing was added
        self.history_ = pd.DataFrame({"iteration": [1], "seconds": [self.seconds_]})
        self.n_iter_, self.converged_ = 1, True
        return self

    def transform(self, adata: AnnData) -> pd.DataFrame:
        """Return loadings of cells, genes matched by name: DataFrame, cells x terms."""
        self._check_fitted()
        data = match_genes(adata, self.weights_.index)
        blocks = [(b - self.mean_) @ self.weights_.to_numpy() for _, b in iter_chunks(data.X)]
        return pd.DataFrame(np.vstack(blocks), adata.obs_names, self.weights_.columns)


SCORES = ("score_genes", "ulm", "aucell")


class GeneSetScore(FactorModel):
    """A plain score of each gene set in each cell: a control that learns no weights.

    Each set is scored by itself, as if no other existed. `loadings_` are the scores; `weights_` is
    the annotation itself, so no gene is added or removed and every term is active; `relevance` is
    the standard deviation of a term's score over the cells.

    Parameters
    ----------
    method
        `score_genes` (scanpy): the mean of the set's genes minus the mean of control genes of like
        expression. `ulm` (decoupler): the t value of the slope of a cell's expression on
        membership in the set. `aucell` (decoupler): how early the set's genes come among the 5%
        highest of a cell. decoupler is an optional dependency, the extra `intae[scores]`.
    seed
        Of the control genes that `score_genes` draws where a bin of expression holds more than 50.
    threads
        Threads to use; None leaves it to the libraries.

    Attributes
    ----------
    control_
        genes x terms, bool: the genes whose mean `score_genes` subtracts, those of the training
        cells for new cells too; none for the other methods. Where scanpy finds none, all genes
        outside the set.

    References
    ----------
    score_genes: Tirosh et al. 2016, Science 352:189. ULM and decoupler: Badia-i-Mompel et al. 2022,
    Bioinformatics Advances 2:vbac016. AUCell: Aibar et al. 2017, Nature Methods 14:1083.
    """

    reconstructs = False  # a score is no share of the expression

    _saved = ("control_",)

    def __init__(self, method: str = "score_genes", seed: int = 0, threads: int | None = None):
        self.method = method
        self.seed = seed
        self.threads = threads

    def fit(self, adata: AnnData) -> Self:
        """Score the cells of prepared data.

        Raises
        ------
        ValueError
            If there is no such method.
        ImportError
            If decoupler is needed and missing; says what to install.
        """
        if self.method not in SCORES:
            msg = f"method must be one of {', '.join(SCORES)}, not {self.method!r}"
            raise ValueError(msg)
        check_prepared(adata)
        annotations = get_annotations(adata)
        terms, kinds = term_index(get_terms(adata), 0, 0)
        self.weights_ = pd.DataFrame(annotations.astype(float), adata.var_names, terms)
        self.control_ = np.zeros(annotations.shape, dtype=bool)
        if self.method != "score_genes":
            # decoupler compiles on first use: once on a machine, and no part of the method's cost
            self._score(adata.X[:2])
        start = time.perf_counter()
        with limit_threads(self.threads):
            if self.method == "score_genes":
                self.control_ = control_genes(adata.X, self.weights_, self.seed)
            loadings = self._score(adata.X)
        self.seconds_ = time.perf_counter() - start
        self.loadings_ = pd.DataFrame(loadings, adata.obs_names, terms)
        self.terms_ = terms_table(
            kinds, annotations, adata.var_names,
            relevance=loadings.std(0),
            active=np.ones(len(terms), dtype=bool),
            on=annotations.astype(bool),
        )  # fmt: skip
        self.history_ = pd.DataFrame({"iteration": [1], "seconds": [self.seconds_]})
        self.n_iter_, self.converged_ = 1, True
        return self

    def transform(self, adata: AnnData) -> pd.DataFrame:
        """Return scores of cells, genes matched by name: DataFrame, cells x terms."""
        self._check_fitted()
        data = match_genes(adata, self.weights_.index)
        with limit_threads(self.threads):
            scores = self._score(data.X)
        return pd.DataFrame(scores, adata.obs_names, self.weights_.columns)

    def _score(self, X) -> np.ndarray:
        """Score cells x genes, in dense blocks: a cell's score depends on that cell alone."""
        if self.method == "score_genes":
            known, control = self.weights_.to_numpy(), self.control_.astype(float)
            contrast = known / known.sum(0) - control / np.maximum(1, control.sum(0))
            return np.vstack([block @ contrast for _, block in iter_chunks(X)])
        score = _decoupler_score(self.method, self.weights_)
        with _numba_threads(self.threads):
            return np.vstack([score(block) for _, block in iter_chunks(X)])


def control_genes(X, annotations: pd.DataFrame, seed: int) -> np.ndarray:
    """Find the genes that scanpy's `score_genes` takes as each set's control.

    Its score is linear in a cell once the control genes are chosen, and it chooses them by the
    ranks of the genes' means. So cells of one gene each, and one more that puts the means in the
    order that they have in X, tell the control genes without a pass over the cells a set.

    Parameters
    ----------
    X
        cells x genes: array, sparse matrix, or the X of a backed AnnData.
    annotations
        genes x terms, 0/1.
    seed
        Of the draw from bins with more than 50 genes.

    Returns
    -------
    genes x terms, bool.
    """
    import scanpy as sc

    n_genes = X.shape[1]
    mean = sum(block.sum(0) for _, block in iter_chunks(X)) / X.shape[0]
    rank = pd.Series(mean).rank(method="min").to_numpy()
    probe = AnnData(
        sparse.vstack([sparse.identity(n_genes), sparse.csr_matrix(rank)], format="csr"),
        var=pd.DataFrame(index=annotations.index),
    )
    known = annotations.to_numpy() > 0
    control = np.zeros(known.shape, dtype=bool)
    state = np.random.get_state()  # noqa: NPY002  (scanpy seeds the global generator)
    try:
        for k in range(known.shape[1]):
            try:
                sc.tl.score_genes(
                    probe, annotations.index[known[:, k]], score_name="score",
                    n_bins=min(25, n_genes), random_state=seed, use_raw=False,
                )  # fmt: skip
                control[:, k] = probe.obs["score"].to_numpy()[:n_genes] < 0
            except RuntimeError:  # the set holds every gene of its bins
                control[:, k] = ~known[:, k]
    finally:
        np.random.set_state(state)  # noqa: NPY002
    return control


def _decoupler_score(method: str, annotations: pd.DataFrame) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that scores a dense block, cells x genes, by one of decoupler's methods."""
    run = getattr(_import_decoupler(method).mt, method)
    known = annotations.to_numpy() > 0
    # There is no slope on a set of all genes, nor in a cell whose genes are all equal; decoupler
    # refuses both. Their t value is taken as 0.
    sets = ~known.all(0) if method == "ulm" else np.ones(known.shape[1], dtype=bool)
    gene, term = np.nonzero(known & sets)
    net = pd.DataFrame(
        {"source": annotations.columns[term], "target": annotations.index[gene], "weight": 1.0}
    )

    def score(block: np.ndarray) -> np.ndarray:
        cells = np.ptp(block, axis=1) > 0 if method == "ulm" else np.ones(len(block), dtype=bool)
        scores = np.zeros((len(block), known.shape[1]))
        if cells.any() and sets.any():
            data = pd.DataFrame(block[cells], columns=annotations.index)
            # empty=True would drop what is empty here, so that a cell's score depended on others
            found, _ = run(data, net, tmin=0, empty=False)
            scores[np.ix_(cells, sets)] = found[annotations.columns[sets]].to_numpy()
        return scores

    return score


def _import_decoupler(method: str) -> ModuleType:
    try:
        import decoupler
    except ImportError as error:
        msg = (
            f"GeneSetScore(method={method!r}) needs decoupler, which cannot be imported ({error}); "
            "install decoupler>=2.2 (the extra intae[scores] does), or use method='score_genes', "
            "which needs scanpy only"
        )
        raise ImportError(msg) from error
    return decoupler


@contextmanager
def _numba_threads(threads: int | None) -> Iterator[None]:
    """Limit numba, in which decoupler is written, to so many threads inside the block."""
    import numba

    before = numba.get_num_threads()
    if threads is not None:
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    try:
        yield
    finally:
        numba.set_num_threads(before)


def permute_annotations(prepared: AnnData, seed: int) -> AnnData:
    """Shuffle which gene has which row of the annotation.

    Parameters
    ----------
    prepared
        Prepared data; not changed. X is shared, not copied.
    seed
        Of the shuffle.

    Returns
    -------
    Prepared data whose terms have their names and sizes and share as many genes as before, but
    hold other genes.
    """
    order = np.random.default_rng(seed).permutation(prepared.n_vars)
    varm = dict(prepared.varm) | {"annotations": get_annotations(prepared)[order]}
    return AnnData(
        prepared.X, obs=prepared.obs, var=prepared.var, obsm=dict(prepared.obsm), varm=varm,
        uns=dict(prepared.uns),
    )  # fmt: skip


def permuted(model: FactorModel, seed: int) -> FactorModel:
    """Make a model fit whatever data it is given with their annotations permuted by this seed."""
    fit = model.fit

    def fit_permuted(adata: AnnData, **kwargs: Any) -> FactorModel:
        return fit(permute_annotations(adata, seed), **kwargs)

    model.fit = fit_permuted
    return model
