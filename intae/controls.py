"""Controls: principal components, plain scores of gene sets, and shuffled gene sets.

Each tells what a factor model's result is worth beside it: PCA explains the most variance and knows
no gene sets; the scores use the gene sets and learn nothing; a model of shuffled gene sets has
sets of the same sizes and overlaps that mean nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse
from scipy.linalg import eigh

from .base import FactorModel, check_loadings, limit_threads, match_genes
from .chunks import first_rows, iter_chunks, matrix_of, project
from .moments import second_moments
from .prepared import check_prepared, get_annotations, get_terms, naming_values
from .terms import signs, term_index, terms_table


class PCA(FactorModel):
    """Principal components, each a dense term: a control without gene sets.

    They are the leading eigenvectors of the genes' covariance, taken from the second moments of the
    data (:func:`intae.moments.second_moments`), so X may be dense, sparse or backed.

    Parameters
    ----------
    n_dense
        Number of components; None takes as many as there are gene sets.
    seed
        Has no effect, since nothing is random; every model of the benchmark takes one.
    threads
        Threads to use; None leaves it to the libraries.
    """

    knows_gene_sets: ClassVar[bool] = False
    revision: ClassVar[int] = 2  # 1: a randomised solver, not converged in the later components

    _saved: ClassVar[tuple[str, ...]] = ("mean_",)

    def __init__(self, n_dense: int | None = None, seed: int = 0, threads: int | None = 1):
        self.n_dense = n_dense
        self.seed = seed
        self.threads = threads

    def fit(self, adata: AnnData) -> Self:
        """Fit to prepared data.

        Raises
        ------
        IntaeError
            If an argument does not fit.
        ContractError
            If the data are not prepared.
        """
        self._check_arguments(adata)
        check_prepared(adata, values=False)  # the sums of the moments tell of broken values
        n_components = self.n_dense or get_annotations(adata).shape[1]
        n_components = min(n_components, adata.n_obs - 1, adata.n_vars)
        start = time.perf_counter()
        with limit_threads(self.threads), naming_values(adata):
            moments = second_moments(matrix_of(adata))
            leading = [adata.n_vars - n_components, adata.n_vars - 1]
            variance, weights = eigh(moments.covariance, subset_by_index=leading)
            variance, weights = np.maximum(variance[::-1], 0.0), weights[:, ::-1]
            none = np.empty((adata.n_vars, 0), dtype=np.uint8)
            terms, kinds = term_index(pd.Index([]), 0, n_components)
            self.mean_ = moments.mean
            self.weights_ = pd.DataFrame(weights * signs(weights, none), adata.var_names, terms)
            self.loadings_ = self._project(adata)
        self.seconds_ = time.perf_counter() - start
        self.terms_ = terms_table(
            kinds, none, adata.var_names,
            relevance=variance * adata.n_obs / (adata.n_obs - 1),
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
        with limit_threads(self.threads):
            return self._project(match_genes(adata, self.weights_.index))

    def _project(self, adata: AnnData) -> pd.DataFrame:
        weights = self.weights_.to_numpy()
        loadings = project(matrix_of(adata), weights, self.mean_)
        check_loadings(loadings, adata)
        return pd.DataFrame(loadings, adata.obs_names, self.weights_.columns)


SCORES = ("score_genes", "ulm", "aucell", "mean", "ucell")


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
        membership in the set. `aucell`: how early the set's genes come among the 5% highest of a
        cell (:func:`aucell`). `ulm` needs decoupler, the extra `intae[scores]`. `mean`: the mean
        of the set's genes, each centred and at unit variance,

            z_nk = 1 / |G_k| sum over g in G_k of (Y_ng - mean_g) / sd_g;

        a gene that does not vary adds 0.

        `ucell` (pyucell, the extra `intae[peers]`): 1 less the Mann-Whitney U of the set's ranks
        in the cell, scaled to [0, 1]. UCell counts ranks up to 1,500 of all genes; prepared data
        have some 1,000, so all genes are ranked, and what is not expressed has the last rank.
    seed
        Of the control genes that `score_genes` draws where a bin of expression holds more than 50
        (above some 1,250 genes); as in scanpy, the draw then follows the order of the genes.
        Otherwise no score depends on that order.
    threads
        Threads to use; None leaves it to the libraries.

    Attributes
    ----------
    control_
        genes x terms, bool: the genes whose mean `score_genes` subtracts, those of the training
        cells for new cells too; none for the other methods. Where scanpy finds none, all genes
        outside the set.
    mean_, scale_
        Of each gene: what `mean` subtracts, and what it divides by (infinite for a gene that does
        not vary), those of the training cells for new cells too; 0 and 1 for the other methods.

    References
    ----------
    score_genes: Tirosh et al. 2016, Science 352:189. ULM and decoupler: Badia-i-Mompel et al. 2022,
    Bioinformatics Advances 2:vbac016. AUCell: Aibar et al. 2017, Nature Methods 14:1083.
    UCell: Andreatta & Carmona 2021, Computational and Structural Biotechnology Journal 19:3796.
    """

    reconstructs: ClassVar[bool] = False  # a score is no share of the expression
    # 1: AUCell broke ties by the order of the genes in the file; 2: files without mean and scale
    revision: ClassVar[int] = 3

    _saved: ClassVar[tuple[str, ...]] = ("control_", "mean_", "scale_")

    def __init__(self, method: str = "score_genes", seed: int = 0, threads: int | None = 1):
        self.method = method
        self.seed = seed
        self.threads = threads

    def fit(self, adata: AnnData) -> Self:
        """Score the cells of prepared data.

        Raises
        ------
        IntaeError
            If there is no such method.
        ContractError
            If the data are not prepared.
        ImportError
            If decoupler is needed and missing; says what to install.
        """
        self._check_arguments(adata)
        check_prepared(adata)
        annotations = get_annotations(adata)
        terms, kinds = term_index(get_terms(adata), 0, 0)
        self.weights_ = pd.DataFrame(annotations.astype(float), adata.var_names, terms)
        self.control_ = np.zeros(annotations.shape, dtype=bool)
        if self.method == "ulm":
            # decoupler compiles on first use: once per machine, and no part of the method's cost
            self._score(first_rows(matrix_of(adata), 2))
        start = time.perf_counter()
        with limit_threads(self.threads):
            self.mean_, self.scale_ = np.zeros(adata.n_vars), np.ones(adata.n_vars)
            if self.method == "mean":
                self.mean_, self.scale_ = mean_and_scale(matrix_of(adata))
            elif self.method == "score_genes":
                self.control_ = control_genes(matrix_of(adata), self.weights_, self.seed)
            loadings = self._score(matrix_of(adata))
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
            scores = self._score(matrix_of(data))
        return pd.DataFrame(scores, adata.obs_names, self.weights_.columns)

    def _score(self, X) -> np.ndarray:
        """Score cells x genes, in dense blocks: a cell's score depends on that cell alone."""
        known = self.weights_.to_numpy()
        if self.method == "ulm":
            score = _decouplers_ulm(self.weights_)
            with _numba_threads(self.threads):
                return np.vstack([score(block) for _, block in iter_chunks(X)])
        if self.method == "ucell":
            return np.vstack([ucell(block, known) for _, block in iter_chunks(X)])
        if self.method == "aucell":
            return np.vstack([aucell(block, known) for _, block in iter_chunks(X)])
        control = self.control_.astype(float)
        contrast = known / known.sum(0) - control / np.maximum(1, control.sum(0))
        return np.vstack(
            [(block - self.mean_) / self.scale_ @ contrast for _, block in iter_chunks(X)]
        )


def mean_and_scale(X) -> tuple[np.ndarray, np.ndarray]:
    """Return each gene's mean and standard deviation; infinite where the gene does not vary.

    Parameters
    ----------
    X
        cells x genes: array, sparse matrix, or the X of a backed AnnData.
    """
    n_cells = X.shape[0]
    mean = sum(block.sum(0) for _, block in iter_chunks(X)) / n_cells
    square = sum(((block - mean) ** 2).sum(0) for _, block in iter_chunks(X)) / n_cells
    varies = square > (1e-6 * np.abs(mean)) ** 2  # float32 leaves no exact zero
    return mean, np.where(varies, np.sqrt(np.where(varies, square, 1.0)), np.inf)


def aucell(block: np.ndarray, annotations: np.ndarray) -> np.ndarray:
    """Score gene sets in cells by AUCell: the area under the recovery curve of the top 5%.

    With n the number of top genes and r a gene's rank in the cell from the highest,

        score = sum over the set's genes of max(0, n - r) / the largest sum that a set can have,

    which is what decoupler computes where no two genes are equal. Among equal genes (in most cells
    the zeros reach into the top 5%) decoupler ranks by the order of the genes in the file, so that
    another order gives another score. Here max(0, n - r) is averaged over the ranks that equal
    genes share: the exact mean of the score over all orders of the genes.

    Parameters
    ----------
    block
        cells x genes, dense.
    annotations
        genes x terms, 0/1.

    Returns
    -------
    cells x terms, each score from 0 to 1.
    """
    from scipy.stats import rankdata  # takes a second to import

    n_genes = block.shape[1]
    n_top = int(np.clip(np.ceil(0.05 * n_genes), 2, n_genes))
    first = rankdata(-block, method="min", axis=1)  # of the ranks that equal genes share
    last = rankdata(-block, method="max", axis=1)
    counted = np.clip(n_top - first + 1, 0, last - first + 1)  # of these, how many reach n_top
    points = counted * (n_top - first - (counted - 1) / 2) / (last - first + 1)
    reached = np.minimum(annotations.sum(0), n_top - 1)
    return points @ annotations / (reached * (n_top - (reached + 1) / 2))


def ucell(block: np.ndarray, annotations: np.ndarray) -> np.ndarray:
    """Score gene sets in cells by UCell (Andreatta & Carmona 2021) as pyucell does.

    Parameters
    ----------
    block
        cells x genes, dense; all genes are ranked (`max_rank` is their number).
    annotations
        genes x terms, 0/1.

    Returns
    -------
    cells x terms, each score from 0 to 1.

    Raises
    ------
    ImportError
        If pyucell is not installed; says what to install.
    """
    from .peers.package import import_peer

    package = import_peer("pyucell", "GeneSetScore(method='ucell')")
    n_genes, n_terms = annotations.shape
    # names of our own: the package reads a sign off the end of a gene's name
    genes = np.array([f"g{i}" for i in range(n_genes)])
    sets = {f"s{k}": list(genes[annotations[:, k] > 0]) for k in range(n_terms)}
    data = AnnData(block, var=pd.DataFrame(index=genes))
    package.compute_ucell_scores(data, sets, max_rank=n_genes, suffix="", n_jobs=1)
    return data.obs[list(sets)].to_numpy(float)


def control_genes(X, annotations: pd.DataFrame, seed: int) -> np.ndarray:
    """Find the genes that scanpy's `score_genes` takes as each set's control.

    Its score is linear in a cell once the control genes are chosen, and it chooses them by the
    ranks of the genes' means. So cells of one gene each, and one more that puts the means in the
    order that they have in X, tell the control genes without a pass over the cells for each set.

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


def _decouplers_ulm(annotations: pd.DataFrame) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that scores a dense block, cells x genes, by decoupler's ULM."""
    ulm = _import_decoupler().mt.ulm
    known = annotations.to_numpy() > 0
    # There is no slope on a set of all genes, nor in a cell whose genes are all equal; decoupler
    # refuses both. Their t value is taken as 0.
    sets = ~known.all(0)
    gene, term = np.nonzero(known & sets)
    net = pd.DataFrame(
        {"source": annotations.columns[term], "target": annotations.index[gene], "weight": 1.0}
    )

    def score(block: np.ndarray) -> np.ndarray:
        cells = np.ptp(block, axis=1) > 0
        scores = np.zeros((len(block), known.shape[1]))
        if cells.any() and sets.any():
            data = pd.DataFrame(block[cells], columns=annotations.index)
            # empty=True would drop what is empty here, so that a cell's score depended on others
            found, _ = ulm(data, net, tmin=0, empty=False)
            scores[np.ix_(cells, sets)] = found[annotations.columns[sets]].to_numpy()
        return scores

    return score


def _import_decoupler() -> ModuleType:
    try:
        import decoupler
    except ImportError as error:
        msg = (
            f"GeneSetScore(method='ulm') needs decoupler, which cannot be imported ({error}); "
            "install decoupler>=2.2 (the extra intae[scores] does), or use method='score_genes' or "
            "'aucell', which do not need it"
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
