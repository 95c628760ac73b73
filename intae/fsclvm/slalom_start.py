"""slalom's own prior and start, draw by draw."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from sklearn.decomposition import PCA

from ..prepared import Moments, iter_chunks
from .layout import Layout

PI_ANNOTATED, PI_OTHER, PI_DENSE, PI_SPARSE = 0.99, 0.001, 0.99, 0.01
N_SCALE = 100.0  # slalom scales the log-odds of genes outside a set with N / 100
ON_SCALE = 10000.0  # and of those inside with N / 10,000, once that is above 1
SPARSE_POOL, SPARSE_GENES = 100, 20  # genes a sparse factor starts from, of the most variable


def prior_slalom(
    annotations: np.ndarray, sparse_genes: list[np.ndarray], layout: Layout
) -> np.ndarray:
    """Prior probability of membership as slalom sets it, G x K.

    Parameters
    ----------
    annotations
        G x annotated terms, 0/1.
    sparse_genes
        Genes that each sparse factor starts from.
    layout
        Of the factors.
    """
    G = len(annotations)
    wide = np.full((G, layout.n_known + layout.n_dense), PI_DENSE)
    thin = np.full((G, layout.n_sparse), PI_SPARSE)
    for k, genes in enumerate(sparse_genes):
        thin[genes, k] = PI_ANNOTATED
    return np.hstack([wide, thin, np.where(annotations > 0, PI_ANNOTATED, PI_OTHER)])


def draw_sparse_genes(
    variance: np.ndarray, layout: Layout, rng: np.random.RandomState
) -> list[np.ndarray]:
    """Draw 20 of the 100 most variable genes for each sparse factor, as slalom does."""
    pool = sparse_pool(variance, layout)
    return [rng.choice(pool, SPARSE_GENES, replace=False) for _ in range(layout.n_sparse)]


def sparse_pool(variance: np.ndarray, layout: Layout) -> np.ndarray:
    """Return the genes that sparse factors start from: the 100 most variable.

    Raises
    ------
    ValueError
        If there are sparse factors, but too few genes for one.
    """
    if layout.n_sparse and len(variance) < SPARSE_GENES:
        msg = (
            f"n_sparse={layout.n_sparse}: a sparse factor starts from {SPARSE_GENES} genes, but "
            f"there are only {len(variance)}; use n_sparse=0"
        )
        raise ValueError(msg)
    return np.argsort(-variance)[:SPARSE_POOL]


def scaled_log_odds(pi: np.ndarray, n_cells: int, first_annotated: int) -> np.ndarray:
    """log(pi / (1 - pi)), for annotated terms scaled with N as slalom does it: G x K."""
    log_odds = np.log(pi / (1.0 - pi))
    if n_cells > N_SCALE:
        known = log_odds[:, first_annotated:]
        known[known < 0] *= n_cells / N_SCALE
        known[known > 0] *= max(1.0, n_cells / ON_SCALE)
    return log_odds


def start_slalom(
    X,
    moments: Moments,
    pi: np.ndarray,
    covariates: np.ndarray,
    layout: Layout,
    rng: np.random.RandomState,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """slalom's start `pcaRand`, with the same draws in the same order.

    Parameters
    ----------
    X
        cells x genes, as in :func:`intae.prepared.second_moments`.
    moments
        Of X.
    pi
        Prior of membership, G x K.
    covariates
        cells x covariates, the observed factors.
    layout
        Of the factors.
    rng
        slalom's generator, already seeded again.

    Returns
    -------
    S0 (N x K), C (G x K), W (G x K).
    """
    N, (G, K) = X.shape[0], pi.shape
    n_known, n_dense = layout.n_known, layout.n_dense
    init = np.where(pi < 0.2, 0.01, pi)
    drawn = rng.rand(G, K) < init
    S0, W = np.empty((N, K)), np.empty((G, K))
    for k in range(n_known, K):
        genes = np.flatnonzero(drawn[:, k])
        if len(genes) <= 5:
            S0[:, k] = rng.randn(N)
        elif k < n_known + n_dense:  # slalom replaces this component; only its draws count
            _skip_pca(N, len(genes), rng)
        else:
            S0[:, k] = _first_component(centred_columns(X, moments.mean, genes), rng)
        W[:, k] = np.sqrt(1.0 / K) * rng.randn(G)
    for k in range(n_known):
        W[:, k] = np.sqrt(1.0 / K) * rng.randn(G)
    S0[:, :n_known] = covariates
    for k in range(n_known, n_known + n_dense):
        S0[:, k] = rng.randn(N)
    return S0, np.clip(init, 0.1, 0.9), W


def _pca(n_cells: int, rng: np.random.RandomState) -> PCA:
    if n_cells < 500:
        return PCA(n_components=1, random_state=rng)
    return PCA(n_components=1, iterated_power=2, svd_solver="randomized", random_state=rng)


def _first_component(Y: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # the share of no variance, which nobody asks for
        scores = _pca(len(Y), rng).fit_transform(Y)[:, 0]
    sd = scores.std()
    return scores / sd if sd > 0 else scores  # genes that do not vary; slalom divides by 0


def _skip_pca(n_cells: int, n_genes: int, rng: np.random.RandomState) -> None:
    """Draw what scikit-learn's randomised PCA would draw, without its work."""
    if n_cells < 500 and (max(n_cells, n_genes) <= 500 or min(n_cells, n_genes) < 2):
        return  # the full decomposition draws nothing
    rng.normal(size=(min(n_cells, n_genes), 11))  # one component and ten beside it


def centred_columns(X, mean: np.ndarray, genes: np.ndarray) -> np.ndarray:
    """Some genes of all cells, centred, dense: N x genes. A backed X is read once, in chunks."""
    if isinstance(X, np.ndarray) or sparse.issparse(X):
        columns = X[:, genes]
        columns = columns.toarray() if sparse.issparse(columns) else columns
        return np.asarray(columns, dtype=np.float64) - mean[genes]
    return np.vstack([block[:, genes] for _, block in iter_chunks(X)]) - mean[genes]
