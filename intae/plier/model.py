"""PLIER (Mao et al. 2019): factors whose genes are non-negative and near few gene sets.

With Y genes x cells, each gene centred and at unit variance, C genes x sets (0/1), s_j the root of
the number of genes of set j, minimise over Z >= 0, B and U >= 0 (at most 10 sets per factor)

    |Y - Z B|^2 + l1 |Z - C U|^2 + l2 |B|^2
        + l3 sum_jk [alpha s_j u_jk + (1 - alpha) / 2 (s_j u_jk)^2]

by rounds of three steps, each with the others held:

    B = (Z'Z + l2)^-1 Z'Y = A'Y
    U: the non-negative elastic net of each column of Z on its candidate sets
    Z = max(0, (Y B' + l1 C U) (B B' + l1)^-1)                          (published), or
    Z = argmin over Z >= 0, by passes of coordinate descent             (exact)

The data enter by K = Y Y' alone: Y B' = K A and B B' = A'K A. So after the one pass that makes K
(:func:`intae.moments.second_moments`), the cost does not depend on the number of cells. The
published step for Z sets what is negative to zero, which is no minimum unless B B' is diagonal: the
objective may rise in a round. The exact step never lets it.

l3 and the candidates follow the factors for 50 rounds and stay from there, so that what follows
has one objective; in PLIER they may keep moving.

Written from the objective and the manual of the R package, not from its code. The manual says:
l1, l2 and k, the number of factors, are automatic; `frac` .7 of the factors are to have a set,
which sets l3; `maxPath`: 10 sets per factor; `glm_alpha` .9; candidates are preselected by a ridge
inverse of C with penalty 5; genes of the sets are held out by default, to test factors
(`doCrossval`; a fifth here); factors are named by their largest coefficient (`nameB`); 350 rounds
at most. It calls the number of significant components, by an elbow or by permutation, the minimum
of k; here k is twice that, by the limit of the permutation, which needs no cells. glmnet, by which
the package fits U, penalises columns at unit variance by default: hence s_j; without it the largest
sets (IMMUNE_SYSTEM) name most factors. It also fits an intercept by default, which the objective
has not, nor has this.

Sources: Mao et al. 2019, Nature Methods 16:607; manual of PLIER at rdrr.io. Significant components:
Horn 1965, Psychometrika 30:179; the limit: Marchenko & Pastur 1967, Math. USSR-Sbornik 1:457.
"""

from __future__ import annotations

import logging
import time
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from anndata import AnnData

from ..base import FactorModel, check_loadings, limit_threads, match_genes
from ..chunks import matrix_of, project
from ..errors import IntaeError
from ..moments import second_moments
from ..prepared import (
    check_prepared,
    get_annotations,
    get_terms,
    naming_values,
)
from ..progress import Ticker
from ..terms import term_index, terms_table
from .sets import Sets, check_names, held_in, name_factors

log = logging.getLogger(__name__)

SETTLE = 50  # rounds in which l3 and the candidates follow the factors; later they stay
FDR = 0.05  # at which a named factor counts as detected
PASSES = 2  # of coordinate descent over Z, per round


class PLIER(FactorModel):
    """Factors with non-negative genes near few gene sets: |Y - ZB|^2 + l1 |Z - CU|^2 + l2 |B|^2.

    *How factors become terms.* Factors are not one to one with gene sets. As in PLIER, a factor is
    named by the set with its largest coefficient in U. The term of a set is the factor that it
    names; of several, the one with the largest coefficient. Sets that name no factor are off: their
    weights and loadings are zero. Factors without a set, and those whose set names another one, are
    dense terms, `dense_1` and on.

    *Is that fair to PLIER?* It seeks the factors of the data and says which sets these are like; it
    does not answer for every set. A comparison by set counts that against it: of overlapping sets
    one gets the name, while another may hold the truth, and no set has two factors. Its user reads
    the same names, so the comparison shows what a user gets who asks for a set; what factors hold
    beyond their names it does not show. `usage_` keeps the other sets of each factor, dense terms
    included; `reconstruct` takes all factors.

    Parameters
    ----------
    n_factors
        k; None: twice the number of significant components, those whose variance exceeds what
        independent genes would reach, (1 + sqrt(genes / cells))^2.
    l1, l2
        Of the objective; None: l2 is the k-th singular value of Y, l1 half of l2.
    named
        Share of the factors that get a set while l3 is chosen.
    max_sets
        Candidate sets per factor, so at most so many have a coefficient.
    alpha
        Of the elastic net, in (0, 1]; 1 is the lasso.
    step
        How Z is updated: `published` or `exact`, see the module.
    hold_out
        Leave every fifth gene, by name, out of each set in C, and test factors on these genes.
    max_iter, tol
        Rounds at most, and the relative change |dB|^2 / |B|^2 at which they end.
    seed
        Has no effect, since nothing is random (the start is the SVD of Y).
    threads
        Threads to use; None leaves it to the libraries.

    Attributes
    ----------
    weights_
        Z in units of the genes, so that mean + loadings W' is ZB.
    terms_
        relevance: the root of the variance (of genes at unit variance) that the set's part of the
        factor makes, sd(b_k) |c_j u_jk|; of a dense term, that the whole factor makes.
        genes_added: genes outside the set with a positive weight, often two fifths of all;
        genes_removed: genes of the set without. auc, q_value: how well the factor's weights tell
        the set's genes held out from the genes outside the set, and the false discovery rate of
        that (Mann-Whitney, over all sets with a coefficient). detected: q_value <= .05; where
        there is no test, whether the term is active.
    usage_
        U, annotated terms x terms: coefficients of the sets in each term's factor.
    lambdas_
        l1, l2, l3 and n_factors as used.
    certificate_
        How far U and Z would move, relative to their size, in one more step given the rest: U to
        its elastic net, Z to its projection (published) or in a pass of coordinate descent (exact).
        B is exactly optimal.
    history_
        Per round: iteration, objective, change, seconds.
    """

    _saved: ClassVar[tuple[str, ...]] = (
        "mean_", "encoder_", "usage_", "lambdas_", "certificate_",
    )  # fmt: skip

    def __init__(
        self,
        n_factors: int | None = None,
        *,
        l1: float | None = None,
        l2: float | None = None,
        named: float = 0.7,
        max_sets: int = 10,
        alpha: float = 0.9,
        step: str = "published",
        hold_out: bool = True,
        max_iter: int = 350,
        tol: float = 1e-6,
        seed: int = 0,
        threads: int | None = 1,
    ):
        self.n_factors = n_factors
        self.l1 = l1
        self.l2 = l2
        self.named = named
        self.max_sets = max_sets
        self.alpha = alpha
        self.step = step
        self.hold_out = hold_out
        self.max_iter = max_iter
        self.tol = tol
        self.seed = seed
        self.threads = threads

    def fit(self, adata: AnnData) -> Self:
        """Fit to prepared data (:func:`intae.prepare`) and return the model.

        Raises
        ------
        ContractError
            If the data are not prepared.
        IntaeError
            If an argument does not fit.
        """
        self._check_arguments(adata)
        check_prepared(adata, values=False)  # the sums of the moments tell of broken values
        clock = time.perf_counter()
        with limit_threads(self.threads), naming_values(adata):
            moments, scale = second_moments(matrix_of(adata)).at_unit_variance()
            known = get_annotations(adata).astype(float)
            seen = held_in(known, adata.var_names) if self.hold_out else known
            Z, U, A = self._minimise(moments.gram, moments.n_cells, seen)
            self.mean_ = moments.mean
            self._tabulate(adata, Z, U, A, scale, moments.gram / moments.n_cells, seen)
        self.seconds_ = time.perf_counter() - clock
        return self

    def _minimise(
        self, K: np.ndarray, n_cells: int, C: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Run the rounds; set lambdas_, history_ and the certificate; return Z, U and A."""
        start, rows = time.perf_counter(), []
        values, vectors = np.linalg.eigh(K)
        values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
        if not values[0] > 0:
            msg = "X: no gene varies, so there are no factors"
            raise IntaeError(msg)
        k = self.n_factors or 2 * significant_components(values / n_cells, n_cells)
        k = min(k, int((values > 1e-9 * values[0]).sum()))
        Z = svd_start(values[:k], vectors[:, :k])
        l2 = float(np.sqrt(values[k - 1])) if self.l2 is None else self.l2
        l1 = l2 / 2 if self.l1 is None else self.l1
        sets = Sets.of(C)
        chosen = np.empty((k, 0), dtype=int)
        V, A, KA, l3 = np.zeros((C.shape[1], k)), np.zeros_like(Z), np.zeros_like(Z), 0.0
        self.converged_, ticker = False, Ticker()
        for iteration in range(1, self.max_iter + 1):
            before, K_before = A, KA
            A = encoder(Z, l2)
            KA = K @ A
            BB = A.T @ KA
            moved = float(((A - before) * (KA - K_before)).sum())
            change = moved / max(float(np.trace(BB)), np.finfo(float).tiny)
            if iteration <= SETTLE:
                chosen = sets.candidates(Z, self.max_sets)
                l3 = sets.threshold(Z, chosen, self.named) * 2 * l1 / self.alpha
            V = sets.elastic_net(Z, V, chosen, l3 / (2 * l1), self.alpha)
            Z = self._step_of_Z(Z, KA + l1 * sets.unit @ V, BB + l1 * np.eye(k))
            gap = float(((Z - sets.unit @ V) ** 2).sum())
            fit = float(np.trace(K) - 2 * (Z * KA).sum() + ((Z.T @ Z) * BB).sum())
            net = self.alpha * V.sum() + (1 - self.alpha) / 2 * (V**2).sum()
            rows.append(
                {
                    "iteration": iteration,
                    "objective": fit + l1 * gap + l2 * float(np.trace(BB)) + l3 * float(net),
                    "change": change,
                    "seconds": time.perf_counter() - start,
                }
            )
            if ticker.due():
                log.info("round %d: change of B %.1e, to stop at %.1e", iteration, change, self.tol)
            if iteration > SETTLE and change <= self.tol:
                self.converged_ = True
                break
        A = encoder(Z, l2)
        KA = K @ A
        best_V = sets.elastic_net(Z, V, chosen, l3 / (2 * l1), self.alpha)
        best_Z = self._step_of_Z(Z, KA + l1 * sets.unit @ V, A.T @ KA + l1 * np.eye(k), passes=1)
        self.certificate_ = {"Z": _distance(Z, best_Z), "U": _distance(V, best_V)}
        self.lambdas_ = {"l1": l1, "l2": l2, "l3": float(l3), "n_factors": k}
        self.n_iter_, self.history_ = len(rows), pd.DataFrame(rows)
        log.info(
            "%d factors, %d rounds, change of B %.1e, distance of Z from its optimum %.1e",
            k, self.n_iter_, change, self.certificate_["Z"],
        )  # fmt: skip
        return Z, V / sets.size[:, None], A

    def _step_of_Z(
        self, Z: np.ndarray, target: np.ndarray, Q: np.ndarray, passes: int = PASSES
    ) -> np.ndarray:
        """Minimise tr(Z Q Z') - 2 tr(Z' target) over Z >= 0, or project its free minimum."""
        if self.step == "published":
            return np.maximum(0.0, np.linalg.solve(Q, target.T).T)
        Z = Z.copy()
        for _ in range(passes):
            for j in range(Z.shape[1]):
                Z[:, j] = np.maximum(0.0, Z[:, j] + (target[:, j] - Z @ Q[:, j]) / Q[j, j])
        return Z

    def _tabulate(
        self, adata: AnnData, Z: np.ndarray, U: np.ndarray, A: np.ndarray, scale: np.ndarray,
        S: np.ndarray, seen: np.ndarray,
    ) -> None:  # fmt: skip
        """Set what every model has, factors laid out as terms; S is the correlation of genes."""
        annotations, names = get_annotations(adata), get_terms(adata)
        n_sets, factor_of = len(names), name_factors(U)
        free = [k for k in range(U.shape[1]) if k not in factor_of.values()]
        index, kinds = term_index(names, 0, len(free))
        place = np.array([*factor_of, *range(n_sets, len(index))], dtype=int)
        factors = np.array([*factor_of.values(), *free], dtype=int)

        def laid_out(columns: np.ndarray) -> np.ndarray:
            table = np.zeros((len(columns), len(index)))
            table[:, place] = columns[:, factors]
            return table

        genes = pd.Index(adata.var_names.astype(str), name="gene")
        deviation = np.sqrt(np.maximum(np.einsum("gk,gk->k", A, S @ A), 0.0))
        self.usage_ = laid_out(U)
        size = laid_out(np.linalg.norm(Z, axis=0)[None])[0]
        active = size > 0
        size[:n_sets] = np.diag(self.usage_[:, :n_sets]) * np.linalg.norm(seen, axis=0)
        self.encoder_ = laid_out(A / scale[:, None])
        self.weights_ = pd.DataFrame(laid_out(Z * scale[:, None]), genes, index)
        self.loadings_ = self._encode(adata)
        self.terms_ = terms_table(
            kinds, annotations, genes,
            relevance=size * laid_out(deviation[None])[0], active=active, on=laid_out(Z) > 0,
        )  # fmt: skip
        hidden = (annotations > 0) & (seen == 0)
        auc, q = check_names(laid_out(Z), self.usage_, annotations > 0, hidden)
        self.terms_["auc"], self.terms_["q_value"] = auc, q
        self.terms_["detected"] = (q <= FDR) | (np.isnan(q) & active)

    def transform(self, adata: AnnData) -> pd.DataFrame:
        """Return the loadings of cells, new or not, B = (Z'Z + l2)^-1 Z'Y: cells x terms.

        Genes are matched by name, centred and scaled as the training cells' were.
        """
        self._check_fitted()
        with limit_threads(self.threads):
            return self._encode(match_genes(adata, self.weights_.index))

    def _encode(self, adata: AnnData) -> pd.DataFrame:
        loadings = project(matrix_of(adata), self.encoder_, self.mean_)
        check_loadings(loadings, adata)
        cells = pd.Index(adata.obs_names.astype(str), name="cell")
        return pd.DataFrame(loadings, cells, self.weights_.columns)


def significant_components(variances: np.ndarray, n_cells: int) -> int:
    """Count the components above (1 + sqrt(genes / cells))^2, at least one.

    That is where the largest eigenvalue of the correlations of independent genes lies, which
    permuting each gene's cells would estimate by chance.
    """
    edge = (1 + np.sqrt(len(variances) / n_cells)) ** 2
    return max(1, int((variances > edge).sum()))


def svd_start(values: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return the positive part of U D^(1/2) of the SVD Y = U D V', its heavier side up.

    Parameters
    ----------
    values, vectors
        Of K = Y Y', the leading ones; values are D^2.
    """
    heavier = (np.maximum(vectors, 0.0) ** 2).sum(0) >= 0.5
    return np.maximum(0.0, vectors * np.where(heavier, 1.0, -1.0)) * values**0.25


def encoder(Z: np.ndarray, l2: float) -> np.ndarray:
    """Return A = Z (Z'Z + l2)^-1, genes x factors: B = A'Y."""
    return np.linalg.solve(Z.T @ Z + l2 * np.eye(Z.shape[1]), Z.T).T


def _distance(here: np.ndarray, best: np.ndarray) -> float:
    """Return |here - best| / |best|, 0 where both are zero."""
    size = float(np.linalg.norm(best))
    off = float(np.linalg.norm(here - best))
    return off / size if size else off
