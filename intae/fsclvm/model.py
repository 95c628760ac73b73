"""The exact f-scLVM for users: its arguments, its fit, its tables, and what it says of cells."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from anndata import AnnData

from ..base import FactorModel, check_loadings, limit_threads, match_genes
from ..chunks import matrix_of
from ..errors import IntaeError
from ..prepared import check_prepared, design_matrix, get_annotations, get_terms, naming_values
from ..readout import (
    BACKGROUND,
    MEAN_PENALTY,
    Background,
    add_calls,
    coherence,
    read_sets,
    unit_variance,
)
from ..terms import signs, term_index, terms_table
from .compare import compare_starts
from .engine import Layout, SlalomRule, climb, iterate
from .starts import Start, annotation_starts, resumed_start, slalom_start, state_of
from .updates import joint_factors, loadings, mean_absolute_residual

log = logging.getLogger(__name__)


class FSCLVM(FactorModel):
    """f-scLVM with Gaussian noise, exactly, at a cost per sweep that does not grow with the cells.

    Factor analysis of log-normalised expression in which a spike-and-slab prior lets each factor
    touch the genes of its gene set, and few others. The posterior is that of the slalom package;
    it is found from the second moments of the data, which take one pass over the cells.

    Parameters
    ----------
    n_dense, n_sparse
        Number of unannotated dense and sparse factors beside the annotated terms.
    covariates
        Columns of obs that are observed factors; they are not among the terms.
    max_iter
        Largest number of sweeps of a fit.
    tol
        The fit has converged when the bound rises by less than this part of itself per sweep. Not
        used with `compat="slalom"`.
    n_init
        Number of starts; the one that ends with the highest bound is kept, and `starts_` tells
        how far they agree. The first is the start from the annotation, the others are random.
    seed
        Of everything random: the further starts, or with `compat="slalom"` the only one.
    compat
        "slalom" follows slalom 1.0.0.dev11 number by number: its start, its order of updates, its
        rule of convergence (which needs a pass over the cells every 100 sweeps). `Slalom(seed=s)`
        then ends with the same posterior. None starts from the annotation instead.
    gene_scale
        `unit`: each gene at unit variance, so that strongly expressed genes do not decide alone;
        weights, means and noise are told in the genes' own units all the same. `none`: genes as
        they are, as in the paper. `auto`: `unit`, but `none` with `compat="slalom"`.
    readout
        What `loadings_` and `transform` give for annotated terms. `posterior`: the posterior mean,
        as in the paper. `sets`: the read-out of each gene set against a background
        (:mod:`intae.readout`), the same as :class:`intae.Autoencoder`'s, so the two agree whatever
        their factors; the factors decide on `active`, relevance and genes. The posterior
        names the wrong set more often (benchmarks/real_counts.py). `auto`: `sets`, but
        `posterior` with `compat="slalom"`. Terms without annotation always have the posterior
        mean.
    background
        Of `sets`: c, how much variance of a direction shared by many genes counts as background,
        in variances of a gene; infinity takes off none.
    mean_penalty
        Of `sets`: kappa, how much the set's mean counts beside its leading direction.
    threads
        Threads to use. More than one is slower at the usual sizes (matrices are small, threads wait
        for each other); None leaves it to the libraries.

    Attributes
    ----------
    membership_
        DataFrame, genes x terms: probability that the gene belongs to the term, q(Z = 1).
    loadings_sd_
        Series, one per term: posterior standard deviation of its loadings, the same for every cell.
    weights_sd_
        DataFrame, genes x terms: posterior standard deviation of a weight, given that the gene
        belongs to the term.
    alpha_, eps_
        ARD precision of each term (its relevance is 1 / alpha) and noise precision of each gene.
    mean_
        Mean of each gene in the cells of the fit.
    covariate_weights_
        DataFrame, genes x covariates; no column without them.
    elbo_
        Evidence lower bound at the end, in nats, up to a constant that depends on nothing.
    starts_
        DataFrame, one row per start, best first: elbo, n_iter, converged, n_active, and its
        agreement with the best one, `median_r` (of |correlation| of the loadings of terms active
        in both), `jaccard` (of the active terms) and `shared_top10` (of the ten most relevant).
    terms_
        As for every model, and `variance_explained`: the variance of the term's own part of the
        data over that of the data (both of scaled genes). A term may be active and explain next to
        nothing. `q_value`: false discovery rate at which its genes move together more than other
        genes of like expression do (:func:`intae.readout.coherence`); `detected`: whether that is
        at most 0.05 (a term without annotation: whether it is active). `specific`: as of
        :class:`intae.Autoencoder`.

    Notes
    -----
    The prior of membership is slalom's: 0.99 for genes of the set, 0.001 for others, with the
    log-odds of the latter multiplied by N / 100 (of the former by N / 10,000, above 10,000 cells).
    Without that, terms take in genes by the hundred and no longer are their gene sets. What
    departs from slalom without `compat`: the start and the order of updates, both from the
    annotation and not random; genes' noise starts at their variance; covariates are centred and
    have no variance; a term switched off stays in the model as it is; and where the bound no longer
    rises, factors may change their names (:mod:`intae.fsclvm.moves`) before it goes on. With these
    every update raises the bound.

    References
    ----------
    Buettner et al. 2017, Genome Biology 18:212.
    """

    # `_state` is what is saved of the posterior: `starts.state_of`, and of the covariates their
    # columns (`names`), the categories of each (`levels`) and what was taken off each column
    # (`shift`), and the `sign` that orients each term.
    _saved: ClassVar[tuple[str, ...]] = ("elbo_", "starts_", "_state", "_read")

    # Raised whenever the same arguments give other numbers: the workflow then repeats old fits.
    # 1: genes as they are, loadings the posterior's; 2: no moves, sets read by the model's weights
    revision: ClassVar[int] = 5  # 3: kappa was 1; 4: a start from cells, with compat="slalom"

    def __init__(
        self,
        n_dense: int = 3,
        n_sparse: int = 0,
        covariates: Sequence[str] | None = None,
        max_iter: int = 2000,
        tol: float = 1e-7,
        n_init: int = 1,
        seed: int = 0,
        compat: str | None = None,
        gene_scale: str = "auto",
        readout: str = "auto",
        background: float = BACKGROUND,
        mean_penalty: float = MEAN_PENALTY,
        threads: int | None = 1,
    ) -> None:
        self.n_dense = n_dense
        self.n_sparse = n_sparse
        self.covariates = covariates
        self.max_iter = max_iter
        self.tol = tol
        self.n_init = n_init
        self.seed = seed
        self.compat = compat
        self.gene_scale = gene_scale
        self.readout = readout
        self.background = background
        self.mean_penalty = mean_penalty
        self.threads = threads

    def fit(self, adata: AnnData, *, warm_start: bool = False) -> Self:
        """Fit the model to prepared data.

        Parameters
        ----------
        adata
            Prepared data, cells x genes; X may be dense, sparse or backed and is read in chunks.
        warm_start
            Go on from where this model's last fit ended, for at most `max_iter` further sweeps,
            on the same cells; also after `load`.

        Raises
        ------
        ContractError
            If the data are not prepared.
        IntaeError
            If an argument makes no sense, or the cells to go on with are not those of the fit.
        """
        self._check_arguments(adata)
        check_prepared(adata, values=False)  # the sums of the moments tell of broken values
        with limit_threads(self.threads), naming_values(adata):
            begin = time.perf_counter()
            if warm_start:
                self._check_fitted()
                self._check_same_data(adata)
            known, names, categories = design_matrix(adata.obs, list(self.covariates or ()))
            if self.compat is None:  # the genes are centred, so the covariates should be
                shift = known.mean(0)
            else:
                shift = np.zeros(len(names))
            layout = Layout(len(names), self.n_dense, self.n_sparse, len(get_terms(adata)))
            candidates = []
            for start in self._starts(adata, known - shift, layout, warm_start):
                before = time.perf_counter() - begin
                history, converged = self._climb(adata, start, layout)
                history["seconds"] += before
                candidates.append((start, history, converged))
                log.info(
                    "start %d: %d sweeps, bound %.6g, %d terms on", len(candidates), len(history),
                    history["elbo"].iloc[-1], history["n_active"].iloc[-1],
                )  # fmt: skip
            bounds = [history["elbo"].iloc[-1] for _, history, _ in candidates]
            start, history, self.converged_ = candidates[int(np.argmax(bounds))]
            self.elbo_ = float(max(bounds))
            if not warm_start:
                self.starts_ = compare_starts(candidates, layout)
            else:
                history["seconds"] += self.seconds_
                history = pd.concat([self.history_, history], ignore_index=True)
            self.history_, self.n_iter_ = history, start.q.n_sweeps
            self._state = state_of(start) | {
                "shift": shift,
                "names": np.array(names, dtype=object),
                "levels": {k: np.array(v, dtype=object) for k, v in categories.items()},
            }
            self._tabulate(adata, start)
            self._expose()
            seconds = time.perf_counter() - begin
            self.seconds_ = seconds + (self.seconds_ if warm_start else 0.0)
        warn_of_changed(self.terms_)
        return self

    def transform(self, adata: AnnData) -> pd.DataFrame:
        """Return the loadings of cells, new or not; see `readout`.

        Parameters
        ----------
        adata
            cells x genes, normalised as the training data were; genes are matched by name. X may
            be dense, sparse or backed. Covariates of the model are taken from obs.

        Returns
        -------
        DataFrame, cells x terms.

        Raises
        ------
        IntaeError
            If a gene of the model is missing, or a covariate is.
        """
        self._check_fitted()
        A = self._posterior_coefficients()
        if self.reads_off_terms:  # gene sets come first
            A[:, : self._read.shape[1]] = self._read
        return self._loadings_by(adata, A)

    def encode(self, adata: AnnData) -> pd.DataFrame:
        """Return the posterior mean of the loadings of cells, new or not.

        All factors of a cell follow from its genes by one matrix, the same for every cell
        (:func:`intae.fsclvm.updates.joint_factors`). With `readout="posterior"` they are, for the
        cells of the fit, `loadings_`; with `compat="slalom"` nearly, since there a term that was
        switched off keeps the factor it had then.

        Parameters
        ----------
        adata
            As for :meth:`transform`.

        Returns
        -------
        DataFrame, cells x terms.
        """
        self._check_fitted()
        return self._loadings_by(adata, self._posterior_coefficients())

    def reconstruct(self, adata: AnnData) -> pd.DataFrame:
        """Return the posterior mean of the cells' expression: mean + S CW', cells x genes.

        Covariates of the model are among the factors; they are taken from obs.
        """
        made = super().reconstruct(adata)
        made += self._design(adata) @ self.covariate_weights_.to_numpy().T
        return made

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model that `save` wrote; it can be asked and continued like the one saved.

        Raises
        ------
        IntaeError
            If the file is not a saved model of this class.
        """
        model = super().load(path)
        model._expose()
        return model

    def _check_same_data(self, adata: AnnData) -> None:
        """Refuse to go on with a fit on other cells or genes, by the names that differ."""
        for slot, names, fitted in (
            ("obs_names", adata.obs_names, self.loadings_.index),
            ("var_names", adata.var_names, self.weights_.index),
        ):
            if not names.equals(fitted):
                msg = (
                    f"{slot}: are not those of the fit to go on with; give the same data, or fit "
                    "without warm_start"
                )
                raise IntaeError(msg)

    def _starts(
        self, adata: AnnData, known: np.ndarray, layout: Layout, warm: bool
    ) -> Iterable[Start]:
        given = matrix_of(adata), get_annotations(adata), known, layout
        if warm:
            S = np.empty(self.loadings_.shape)
            ended = self.encode(adata) if self.reads_off_terms else self.loadings_
            S[:, layout.table - layout.n_known] = ended.to_numpy() * self._state["sign"]
            return [resumed_start(matrix_of(adata), known, layout, self._state, S)]
        if self.compat == "slalom":
            return [slalom_start(*given, self.seed)]
        return annotation_starts(*given, self.n_init, self.seed, unit=self.gene_scale != "none")

    def _climb(self, adata: AnnData, start: Start, layout: Layout) -> tuple[pd.DataFrame, bool]:
        """Fit from one start, in place; return its history and whether it converged."""
        given = start.problem, start.q, start.orders
        if self.compat is None:
            return climb(*given, self.tol, self.max_iter, layout.first_annotated)
        rule = SlalomRule(
            lambda q: mean_absolute_residual(matrix_of(adata), start.mean, start.extra, q.A, q.CW)
        )
        return iterate(*given, rule, self.max_iter)

    def _tabulate(self, adata: AnnData, start: Start) -> None:
        """Set the tables every model has, and how gene sets are read."""
        s, annotations = self._state, get_annotations(adata)
        index, kinds = term_index(get_terms(adata), self.n_sparse, self.n_dense)
        n_known, G = len(s["names"]), adata.n_vars
        k = Layout(n_known, self.n_dense, self.n_sparse, annotations.shape[1]).table
        genes = pd.Index(adata.var_names.astype(str), name="gene")
        cells = pd.Index(adata.obs_names.astype(str), name="cell")
        weights = (s["C"] * s["W"])[:, k]
        s["sign"] = signs(weights, annotations)
        self.weights_ = pd.DataFrame(weights * s["sign"] * s["scale"][:, None], genes, index)
        A = start.q.A[:, k] * s["sign"]
        A[:G] /= s["scale"][:, None]
        variance = np.einsum("gk,gk->k", start.q.A[:, k], start.q.XS[:, k]) / adata.n_obs
        variance -= (start.problem.extra_mean @ start.q.A[G:, k]) ** 2
        q, specific = self._read_out(start, annotations.astype(float))
        if self.reads_off_terms:
            A[:, : annotations.shape[1]] = 0.0
            A[: G + n_known, : annotations.shape[1]] = self._read
        S = loadings(matrix_of(adata), start.mean, start.extra, A)
        self.loadings_ = pd.DataFrame(S, cells, index)
        self.terms_ = terms_table(
            kinds, annotations, genes, relevance=1 / s["alpha"][k], active=s["on"][k],
            on=s["C"][:, k] > 0.5,
        )  # fmt: skip
        total = np.diag(start.problem.gamma)[:G].sum() / adata.n_obs
        explained = (weights**2).sum(0) * variance
        self.terms_["variance_explained"] = explained / max(total, np.finfo(float).tiny)
        add_calls(self.terms_, q, specific)

    def _read_out(self, start: Start, annotations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Set what reads gene sets from [Y, covariates]; return q values and `specific`."""
        G, N, n_known = start.problem.n_genes, start.problem.n_cells, start.problem.n_known
        gram = start.problem.gamma[: G + n_known, : G + n_known] / N
        effects = np.linalg.lstsq(gram[G:, G:], gram[G:, :G], rcond=None)[0]  # known x genes
        C, scale = unit_variance(gram[:G, :G] - effects.T @ gram[G:, :G])
        given = {"background": self.background, "common": Background(C)}
        q = coherence(C, annotations, N, start.mean, seed=self.seed, **given)
        self._read = np.zeros((G + n_known, 0))  # (G + known) x sets
        specific = np.full(len(q), np.nan)
        if self.reads_off_terms:
            read = read_sets(C, annotations, N, mean_penalty=self.mean_penalty, **given)
            by_gene = read.weights / scale[:, None]
            self._read = np.vstack([by_gene / start.scale[:, None], -effects @ by_gene])
            specific = read.specific
        return q, specific

    @property
    def reads_off_terms(self) -> bool:
        """Whether gene sets are read against a background; see `readout`."""
        return self.readout == "sets" or (self.readout == "auto" and self.compat is None)

    def _posterior_coefficients(self) -> np.ndarray:
        """Return the matrix that makes posterior loadings of [Y, covariates], oriented."""
        s = self._state
        n_known = len(s["names"])
        A = joint_factors(s["C"], s["W"], s["E2"], s["eps"], n_known)
        A = A[:, self._layout().table - n_known] * s["sign"]
        A[: len(s["scale"])] /= s["scale"][:, None]
        return A

    def _loadings_by(self, adata: AnnData, A: np.ndarray) -> pd.DataFrame:
        """Return loadings of cells from their genes and covariates: [Y, covariates] A."""
        adata = match_genes(adata, self.weights_.index)
        with limit_threads(self.threads):
            S = loadings(matrix_of(adata), self._state["mean"], self._design(adata), A)
        check_loadings(S, adata)
        cells = pd.Index(adata.obs_names.astype(str), name="cell")
        return pd.DataFrame(S, cells, self.weights_.columns)

    def _expose(self) -> None:
        """Set the attributes that follow from the saved state."""
        s, k = self._state, self._layout().table
        genes, terms = self.weights_.index, self.weights_.columns
        n_known, scale = len(s["names"]), s["scale"][:, None]
        self.membership_ = pd.DataFrame(s["C"][:, k], genes, terms)
        sd = np.sqrt(np.maximum(s["E2"] - s["W"] ** 2, 0.0)) * scale
        self.weights_sd_ = pd.DataFrame(sd[:, k], genes, terms)
        self.loadings_sd_ = pd.Series(np.sqrt(s["d"][k]), terms, name="sd")
        self.alpha_, self.eps_ = s["alpha"][k], s["eps"] / s["scale"] ** 2
        self.mean_ = s["mean"]
        known = (s["C"] * s["W"])[:, :n_known] * scale
        self.covariate_weights_ = pd.DataFrame(known, genes, list(s["names"]))

    def _design(self, adata: AnnData) -> np.ndarray:
        """Return the covariates of cells as they entered the fit: cells x covariates."""
        levels = {k: list(v) for k, v in self._state["levels"].items()}
        known, _, _ = design_matrix(adata.obs, list(self.covariates or ()), levels)
        return known - self._state["shift"]

    def _layout(self) -> Layout:
        n_annotated = int((self.terms_["kind"] == "annotated").sum())
        return Layout(len(self._state["names"]), self.n_dense, self.n_sparse, n_annotated)


def warn_of_changed(terms: pd.DataFrame) -> None:
    """Warn of terms that have turned into something else than their annotation."""
    table = terms[terms["active"] & (terms["kind"] == "annotated")]
    added = table["genes_added"].str.split().str.len()
    for term in table.index[added > table["n_genes"]]:
        warnings.warn(
            f"term {term!r}: {added[term]} genes were added to the {table['n_genes'][term]} of "
            "its gene set, so it no longer is what its name says; more unannotated factors "
            "(n_sparse, n_dense) may take up what it stands for now",
            stacklevel=3,
        )
