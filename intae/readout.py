"""Reading gene sets: how far each set moves by itself in a cell, given all else that varies there.

The columns of W answer what the cells need to be explained; a set whose genes move together may
still be off, since a relative explains them. This answers for every set, on or off. Genes are at
unit variance: y is a cell, C holds the correlations of the genes, and m_k is the mean of the n_k
genes of set k (1 / sqrt(n_k) each). Everything follows from C, so no cost grows with the cells.

*Depth.* What all genes share follows the depth of a cell, also after normalisation, so each gene's
regression on the sum over all genes is taken off first, and C from here on is of what is left:

    y <- T y,    T = I - b 1',    b = C 1 / (1'C 1),    C <- T C T'

*Background.* Equation 3 with a dense W, W W' = C, and l0 = c leaves of each cell the residual

    y - W z = P y,    P = c (C + c I)^-1,    E = P C P        (E: the residual's second moments)

so what many genes share (cell types) is taken off, the more the larger its variance.

*Direction* of set k, on its own genes (E_k is E within the set, s_k the mean of its diagonal):

    u_k = argmin over |u| = 1 of  E|P_k y - u u'P_k y|^2 + kappa s_k |u - (m_k'u) m_k|^2

the leading direction of the residual with a penalty towards the set's mean: the leading
eigenvector of E_k + kappa s_k m_k m_k', a global minimum. The certificate is its residual as an
eigenvector, over the eigenvalue.

*Read-out*: z_k = u_k'P T y, generalised least squares with all other variation as noise, scaled to
unit variance over the cells of the fit.

*Marker sets* are read otherwise. Some sets name what is taken off: B cell receptor signalling holds
the genes that make B cells B cells. Let v be the leading eigenvector of C (before depth is taken
off) within a set, and f the loadings of all genes on v'y, each gene's own part left out. A set
names that variation if its genes are among those with the largest f^2 (p is hypergeometric, the
smallest for the first 5 to 50), not more than one other set has a larger mean of f^2, and noise
does not explain it (v's eigenvalue rises above 1 twice as far as noise alone would take it, to
(1 + sqrt(n_k / N))^2). Then

    p < 1e-8, .55 <= v'm < .85    is read as above, but less is taken off: c = 200, kappa = 1
    p < 1e-4, .4 <= v'm < .55     is read by z_k = v'y, with nothing taken off

Where v is the mean (v'm > .85) the first way is as good; where v'y splits a set into genes that
rise and genes that fall (v'm < .4), as T cell receptor sets that hold the MHC genes of other cells,
it is no activity of the set.

*Does a set move together at all?* :func:`coherence` compares the correlations of P y between a
set's genes with those of sets of other genes of like expression.

Sources: the residual is that of Rybakov et al. 2020, equation 3. What each part adds is measured by
benchmarks/real_counts.py, on truth implanted in real counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.linalg import eigh
from scipy.stats import false_discovery_control, hypergeom

BACKGROUND = 15.0  # c, in variances of a gene
MEAN_PENALTY = 2.0  # kappa
FDR = 0.05  # at which a set counts as detected

TOPS = (5, 10, 20, 30, 50)  # of the most loaded genes, in which a marker set's are sought
MARKER_P, MARKER_MEAN = 1e-8, (0.55, 0.85)  # p, and v'm, of sets from which less is taken off
MARKER_BACKGROUND = 200.0  # c of these, or `background` if that is larger
MARKER_PENALTY = 1.0  # kappa of these, or `mean_penalty` if that is smaller
LEADING_P, LEADING_MEAN = 1e-4, (0.4, 0.55)  # of those that are read by v
TOWARDS_MEAN = 0.1  # kappa of a marker set's direction: it only settles ties

SETS = 50  # of other genes, per gene set
BINS = 10  # of mean expression, within which genes are exchanged
CLIP = 4.0  # standard errors of a correlation, so that no pair of genes decides


@dataclass(frozen=True)
class Readout:
    """How each gene set is read from genes at unit variance.

    Attributes
    ----------
    weights
        genes x terms: z = weights' y, of unit variance over the cells of the fit.
    directions
        genes x terms: u_k, or v of a marker set, of unit length.
    marker
        Whether a set is a marker set, of either kind, one bool per term.
    certificate
        Per term, |H u - (u'H u) u| / u'H u of the matrix H whose leading eigenvector u is.
    specific
        Per term, |correlation| over the cells of z_k with what it would be if nothing but depth
        were taken off (c infinite). Below about .9 the set is part of a larger variation.
    """

    weights: np.ndarray
    directions: np.ndarray
    marker: np.ndarray
    certificate: np.ndarray
    specific: np.ndarray


def unit_variance(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the correlations of the genes and what to divide each gene by.

    A gene that does not vary is divided by infinity, and correlates with no other.
    """
    variance = np.diag(covariance)
    varies = variance > 1e-12 * variance.max(initial=0.0)
    scale = np.where(varies, np.sqrt(np.where(varies, variance, 1.0)), np.inf)
    C = covariance / scale / scale[:, None]
    np.fill_diagonal(C, 1.0)
    return C, scale


class Background:
    """What all genes share and what else counts as background, to be taken off the genes.

    Parameters
    ----------
    C
        Correlations, genes x genes.
    """

    def __init__(self, C: np.ndarray):
        shared = C.sum(0)
        total = shared.sum()  # variance of the sum over all genes; 0 only where they cancel
        b = self.b = shared / total if total > 1e-9 * len(C) else np.zeros(len(C))
        across = np.outer(b, shared)  # T C T' without a product of matrices: T = I - b 1'
        self.left = C - across - across.T + total * np.outer(b, b)
        self._taken_off: dict[float, tuple[np.ndarray, np.ndarray]] = {}

    @cached_property
    def _decomposed(self) -> tuple[np.ndarray, np.ndarray]:
        return np.linalg.eigh(self.left)

    def taken_off(self, background: float) -> tuple[np.ndarray, np.ndarray]:
        """Return P T and E of the module's docstring.

        Parameters
        ----------
        background
            c. The larger, the less is taken off; infinity takes off depth alone.
        """
        if np.isinf(background):
            return np.eye(len(self.b)) - self.b[:, None], self.left
        if background not in self._taken_off:
            values, V = self._decomposed
            p = background / (np.maximum(values, 0) + background)
            P = (V * p) @ V.T
            E = (V * (values * p**2)) @ V.T
            self._taken_off[background] = P - (P @ self.b)[:, None], E
        return self._taken_off[background]


def read_sets(
    C: np.ndarray,
    annotations: np.ndarray,
    n_cells: int,
    *,
    background: float = BACKGROUND,
    mean_penalty: float = MEAN_PENALTY,
    common: Background | None = None,
) -> Readout:
    """Find the direction of each gene set and the weights that read it.

    Parameters
    ----------
    C
        Correlations, genes x genes.
    annotations
        genes x terms, 0/1.
    n_cells
        N, number of cells that the correlations are from.
    background
        c: how much of a direction's variance counts as background, in variances of a gene.
    mean_penalty
        kappa: the penalty on departing from the set's mean.
    common
        `Background(C)`, where it is at hand.
    """
    common = common or Background(C)
    PT, E = common.taken_off(background)
    n_sets = annotations.shape[1]
    directions, certificate = np.zeros(annotations.shape), np.zeros(n_sets)
    sets = _genes_of(annotations)
    leading = np.zeros(annotations.shape)
    for k, genes in enumerate(sets):
        directions[genes, k], certificate[k] = _direction(E, genes, mean_penalty)
        leading[genes, k], _ = _direction(C, genes, TOWARDS_MEAN)
    weights = PT.T @ directions
    less, by_leading = _marker_sets(C, annotations, leading, n_cells)
    if less.any():
        PT, E = common.taken_off(max(background, MARKER_BACKGROUND))
        for k in np.flatnonzero(less):
            towards = min(mean_penalty, MARKER_PENALTY)
            directions[sets[k], k], certificate[k] = _direction(E, sets[k], towards)
        weights[:, less] = PT.T @ directions[:, less]
    directions[:, by_leading] = weights[:, by_leading] = leading[:, by_leading]
    variance = np.einsum("gk,gk->k", weights, C @ weights)
    nothing = variance < 1e-9  # a set of all genes, of which depth is all: read it as it is
    weights[:, nothing] = directions[:, nothing]
    variance[nothing] = np.einsum("gk,gk->k", weights, C @ weights)[nothing]
    weights /= np.sqrt(variance)
    specific = _agreement(C, weights, _with_all_but_depth(common, sets, mean_penalty))
    return Readout(weights, directions, less | by_leading, certificate, specific)


def _with_all_but_depth(
    common: Background, sets: list[np.ndarray], mean_penalty: float
) -> np.ndarray:
    """Return the weights, genes x terms, that read each set with only depth taken off."""
    PT, E = common.taken_off(np.inf)
    directions = np.zeros((len(E), len(sets)))
    for k, genes in enumerate(sets):
        directions[genes, k], _ = _direction(E, genes, mean_penalty)
    return PT.T @ directions


def _agreement(C: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """|Correlation| over the cells of two readings of each set; `ours` have unit variance."""
    both = C @ theirs
    variance = np.maximum(np.einsum("gk,gk->k", theirs, both), np.finfo(float).tiny)
    return np.minimum(abs(np.einsum("gk,gk->k", ours, both)) / np.sqrt(variance), 1.0)


def coherence(
    C: np.ndarray,
    annotations: np.ndarray,
    n_cells: int,
    expression: np.ndarray,
    *,
    background: float = BACKGROUND,
    seed: int = 0,
    common: Background | None = None,
) -> np.ndarray:
    """Test whether the genes of each set move together more than other genes of like expression do.

    The statistic is the sum, over the pairs of a set's genes, of the correlations of P y (in
    standard errors, none counted as more than 4), and that of their squares, for sets in which
    some genes rise while others fall. Each is held against 50 sets of other genes: genes are
    exchanged within bins of mean expression, so that sizes and overlaps of sets stay as they are.
    A set's statistic is centred and scaled by its own 50; the p value is then taken from those of
    all sets together. The smaller p of the two statistics counts, doubled.

    Parameters
    ----------
    C
        Correlations, genes x genes.
    annotations
        genes x terms, 0/1.
    n_cells
        N, number of cells that the correlations are from.
    expression
        Mean of each gene.
    background
        c.
    seed
        Of the exchanged genes.
    common
        `Background(C)`, where it is at hand.

    Returns
    -------
    One q value per term (Benjamini and Hochberg): the share of false ones among the sets that
    would be called with it.
    """
    _, E = (common or Background(C)).taken_off(background)
    size = np.sqrt(np.maximum(np.diag(E), np.finfo(float).tiny))
    r = E / size / size[:, None] * np.sqrt(n_cells)
    np.fill_diagonal(r, 0)
    pairs, starts = _pairs_of(annotations)
    rng = np.random.default_rng(seed)
    sums = []  # exchange x statistic x set
    for to in [np.arange(len(C)), *(_exchange(expression, rng) for _ in range(SETS))]:
        of_pair = r.ravel().take(to[pairs[0]] * len(r) + to[pairs[1]])
        both = np.clip(of_pair, -CLIP, CLIP), of_pair * of_pair
        sums.append([2 * np.add.reduceat(values, starts) for values in both])
    p = []
    for own, *null in np.moveaxis(sums, 1, 0):
        centre, spread = np.mean(null, 0), np.maximum(np.std(null, 0), np.finfo(float).tiny)
        others = np.sort(((null - centre) / spread).ravel())
        above = len(others) - np.searchsorted(others, (own - centre) / spread, side="left")
        p.append((1 + above) / (1 + len(others)))
    return false_discovery_control(np.minimum(1, 2 * np.minimum(*p)))


def add_calls(terms: pd.DataFrame, q_values: np.ndarray, specific: np.ndarray) -> None:
    """Add `q_value`, `detected` and `specific` to a table of terms, whose first are the gene sets.

    A term without annotation has no q value, and is detected if it is active. `specific` is NaN
    for such terms, and for all where no set is read against a background.
    """
    terms["q_value"] = np.append(q_values, np.full(len(terms) - len(q_values), np.nan))
    terms["detected"] = (terms["q_value"] <= FDR) | (terms["q_value"].isna() & terms["active"])
    terms["specific"] = np.append(specific, np.full(len(terms) - len(specific), np.nan))


def _genes_of(annotations: np.ndarray) -> list[np.ndarray]:
    return [np.flatnonzero(column) for column in np.asarray(annotations).T]


def _pairs_of(annotations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs of genes within each set, 2 x pairs, set after set, and where each starts.

    Two genes that do not differ close each set's pairs, so that none is without.
    """
    parts = [
        np.hstack([genes[np.vstack(np.triu_indices(len(genes), 1))], genes[[[0], [0]]]])
        for genes in _genes_of(annotations)
    ]
    starts = np.cumsum([0, *(part.shape[1] for part in parts[:-1])])
    return np.hstack(parts), starts


def _direction(moments: np.ndarray, genes: np.ndarray, towards: float) -> tuple[np.ndarray, float]:
    """Return a set's leading direction, penalised towards its mean, and the certificate."""
    n = len(genes)
    within = moments[np.ix_(genes, genes)]
    return _leading(within + towards * np.trace(within) / n / n)  # s m m': each entry is s / n


def _leading(H: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the leading eigenvector, its sum not negative, and its certificate."""
    n = len(H)
    value, vector = eigh(H, subset_by_index=[n - 1, n - 1])
    u = vector[:, 0] if vector[:, 0].sum() >= 0 else -vector[:, 0]
    return u, float(np.linalg.norm(H @ u - value[0] * u) / value[0])


def _marker_sets(
    C: np.ndarray, annotations: np.ndarray, leading: np.ndarray, n_cells: int
) -> tuple[np.ndarray, np.ndarray]:
    """Say from which sets less is taken off, and which are read by their leading direction."""
    n_genes, sizes = len(C), annotations.sum(0)
    variance = np.einsum("gk,gk->k", leading, C @ leading)
    of_noise = (1 + np.sqrt(sizes / n_cells)) ** 2 - 1
    f = (C @ leading - leading) / np.sqrt(variance) / np.maximum(1 - leading**2, 0.2)
    hits = np.cumsum(np.take_along_axis(annotations, np.argsort(-abs(f), axis=0), axis=0), axis=0)
    p = np.min(
        [hypergeom.sf(hits[top - 1] - 1, n_genes, sizes, top) for top in TOPS if top <= n_genes],
        axis=0, initial=1.0,
    )  # fmt: skip
    # in standard errors, so that small sets do not win by chance
    loaded = annotations.T @ (f**2 - (f**2).mean(0)) / np.sqrt(sizes)[:, None]  # set x direction
    better = (loaded > np.diag(loaded)).sum(0)
    like_mean = (leading * annotations).sum(0) / np.sqrt(sizes)  # v'm
    names = (better <= 1) & (variance - 1 > 2 * of_noise)
    return tuple(
        names & (p < least) & (like_mean >= low) & (like_mean < high)
        for least, (low, high) in ((MARKER_P, MARKER_MEAN), (LEADING_P, LEADING_MEAN))
    )


def _exchange(expression: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return for each gene another one of the same bin of expression, each used once."""
    other = np.empty(len(expression), dtype=int)
    for genes in np.array_split(np.argsort(expression, kind="stable"), BINS):
        other[genes] = rng.permutation(genes)
    return other
