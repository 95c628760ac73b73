"""The interpretable autoencoder for users: scikit-learn's habits around equation 3.

For centred cells y_n with covariates x_n it finds loadings z_n = f(y_n), weights W (genes x terms)
and effects Phi that minimise F + R:

    F = 1/N sum_n |y_n - W z_n - Phi x_n|^2 + l0/N sum_n |z_n|^2              (equations 2 and 3)
    R = l1 sum_k1 |W_k (1 - I_k)|_1 + l2 sum_k2 |W_k|_1 + l3 sum_k c_k |W_k|_2  (equations 4 to 6)

I (genes x annotated terms, 0/1) are the gene sets; k1 runs over annotated, k2 over sparse, k over
all terms; c_k is 1 in the paper. `exact` eliminates f, for which the best is linear; `adam` and
`proximal` train a network for it.

F + R says which terms the cells need, and corrects their genes. How far a gene set moves in a cell
is another question, with an answer for terms that are off as well; :mod:`intae.readout` reads it,
and those are the loadings of the exact solver unless `readout="encoder"`.

Where to find what in this package:

    model        the class: its arguments, how a fit goes, what a fitted one can be asked
    penalties    R: its value, its proximal map, the distance to its subdifferential
    lambdas      automatic lambdas, and lambdas as shares of the largest useful ones
    objective    F, F* (with the best f), both at one W (Problem, Point), the history of F + R
    data         cells in blocks, their second moments, covariates taken off
    exact        the exact solver: the order of its moves
    moves        terms let in, factors renamed, the second look; the evidence for each term
    descent      proximal descent on F* + R between the moves
    confounders  when dense terms are added, and when a user is warned
    necessity    what each term is needed for
    families     terms among which the data cannot decide
    path         solutions along the penalties
    network      the network, and its training by `adam` and `proximal`; needs torch, as do
                 feed (cells as tensors), training_step (gradients, Adam), replayed (CUDA graphs)
    together     several networks trained side by side
    checkpoint   the state of a training on disk, from which a killed fit goes on
    masked       the ablation with a masked first layer; its network is in masked_network
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import pandas as pd
from anndata import AnnData

from ..base import FactorModel, check_loadings, limit_threads, match_genes
from ..chunks import iter_chunks, matrix_of, project
from ..errors import IntaeError
from ..prepared import check_prepared, design_matrix, get_annotations, get_terms
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
from .checkpoint import Checkpoint
from .confounders import count_confounders, warn_of_confounders
from .data import Cells
from .exact import empty_start, minimise
from .families import alone, families
from .lambdas import choose_lambdas, weights_of_sets
from .moves import evidence
from .necessity import necessity
from .objective import History, Problem, annotation_start, best_encoder
from .path import FRACTIONS, path
from .penalties import Penalty, column_norms

if TYPE_CHECKING:
    from .feed import Feed

log = logging.getLogger(__name__)

ROUGH = 1e-2  # certificate that is enough to see which terms come on


class Autoencoder(FactorModel):
    """Interpretable autoencoder: Y is near f(Y) W', with W sparse as the gene sets say.

    Parameters
    ----------
    solver
        `exact`: the network eliminated, W solved from second moments; deterministic.
        `adam`: the published algorithm, for reproduction. `proximal`: the network, with a true
        proximal step for W.
    n_sparse
        Number of sparse terms, without annotation.
    n_dense
        Number of dense terms, for confounders. None: none, as in the paper, unless gene sets take
        up a confounder; then one per confounder (:mod:`.confounders`). `adam` does not choose:
        its bias leaves hardly a weight at zero, so it cannot be told what a gene set takes up.
    lambda0, lambda1, lambda2, lambda3
        Penalties of equations 3 to 6 in the paper's absolute units: on loadings, on genes outside
        their set, on sparse terms' genes, on terms as wholes. None: automatic, from the data
        (:mod:`intae.autoencoder.lambdas`); for `adam` the published 0.1, 0.93, 0.43, 0.57.
    annotated_share
        L1 penalty on genes inside their set as well, as a share of lambda1, so that wrong ones can
        be dropped; the paper has none. A twentieth drops most wrong genes and few right ones on
        simulated data; more costs terms (benchmarks/annotated_penalty.py).
    weighting
        Weight of each term's group penalty: `paper` (1), `sqrt-size` (square root of the set's
        size over the median size), or `auto`: `sqrt-size` with an automatic lambda3, else `paper`.
    covariates
        Columns of obs, categorical or numeric, that act additively (equation 2).
    readout
        What `loadings_` and `transform` give for annotated terms. `encoder`: f(y), as in the
        paper, zero for terms that are off. `sets`: the read-out of each gene set from genes at
        unit variance (:mod:`intae.readout`), on or off, of unit variance over the cells of the
        fit; on real counts it follows a gene set's activity where the encoder does not
        (benchmarks/real_counts.py). `auto`: `sets` with the exact solver, else `encoder`. Terms
        without annotation always have the encoder's.
    background
        Of `sets`: c, how much variance of a direction shared by many genes counts as background,
        in variances of a gene; infinity takes off none.
    mean_penalty
        Of `sets`: kappa, the penalty on directions that depart from the mean of the set's genes.
    max_iter
        Most iterations of `exact`.
    tol
        `exact` and `proximal` stop at this certificate: the distance of the gradient from the
        subdifferential of the penalty, as a share of the gradient's norm at the annotation start.
    epochs, learning_rate, batch_size
        Of the network's training.
    seed
        Of the network's start, dropout and batches, and of the sets of other genes that `q_value`
        compares with; `exact` draws nothing else.
    threads
        Threads to use. More than one is slower at the usual sizes (matrices are small, threads wait
        for each other); None leaves it to the libraries.
    device
        `auto`, `cpu` or `cuda`, for the network.

    Attributes
    ----------
    lambdas_
        All lambdas used, `lambda_annotated` (on genes inside their set) among them, and
        `lambda1_max` and `lambda3_max`, the largest useful ones.
    gap_
        F(encoder, W) - F*(W), never negative: what a better encoder could still gain.
    terms_
        Has more columns. `variance_explained`: the share of variance a term explains by itself.
        `q_value`: false discovery rate at which its genes move together more than other genes of
        like expression do (:func:`intae.readout.coherence`); `detected`: whether that is at most
        0.05 (a term without annotation: whether it is active). `active` says that the cells need
        the term beside the others, `detected` that its genes move together at all. `marker`:
        whether it is a marker set (:mod:`intae.readout`). `specific`: |correlation| of its
        loadings with those of `background=inf`; where it is low, the set is part of a larger
        variation, which its loadings leave out. `evidence`: how much F + R would at once
        rise if the term changed sides, negative for terms that are off; near zero the data hardly
        decide (:mod:`.moves`). Its scale is F + R, the last `objective` of `history_`: on Kang17,
        of terms on by more than .003 of it, 98% were also on in another half of the cells; of
        those off by more than .0003, 0.6% were (benchmarks/evidence.py). Empty for `adam`, which
        ends at no minimum. `family`: the most relevant active term among those
        that the data cannot tell from this one, its own name if there is none (and for `adam`);
        `family_r`: |correlation| of its encoder's loadings with those of the factor whose place it
        could take (:mod:`.families`).
    resumed_
        How many times the fit was killed and went on from its checkpoint.
    history_
        One row per epoch, or per some iterations: iteration, F, the parts of R, objective (F + R),
        certificate, n_deactivated, inactive_zero_share (of the penalised entries), seconds.

    References
    ----------
    Rybakov et al. 2020, Learning interpretable latent autoencoder representations with
    annotations of feature sets, ICML Workshop on Computational Biology.
    """

    # Raised whenever the same arguments give other numbers: the workflow then repeats old fits.
    revision: ClassVar[int] = 6  # 3: kappa 1; 4: longer steps in descent; 6: shorter second looks

    _saved: ClassVar[tuple[str, ...]] = (
        "mean_", "effects_", "covariate_mean_", "categories_", "lambdas_", "gap_", "encoder_",
        "readout_", "annotations_", "group_weights_", "scale_",
    )  # fmt: skip

    def __init__(
        self,
        solver: str = "exact",
        n_sparse: int = 0,
        n_dense: int | None = None,
        lambda0: float | None = None,
        lambda1: float | None = None,
        lambda2: float | None = None,
        lambda3: float | None = None,
        *,
        annotated_share: float = 0.0,
        weighting: str = "auto",
        covariates: Sequence[str] | None = None,
        readout: str = "auto",
        background: float = BACKGROUND,
        mean_penalty: float = MEAN_PENALTY,
        max_iter: int = 5000,
        tol: float = 1e-4,
        epochs: int = 30,
        learning_rate: float = 1e-3,
        batch_size: int = 62,
        seed: int = 0,
        threads: int | None = 1,
        device: str = "auto",
    ):
        self.solver = solver
        self.n_sparse = n_sparse
        self.n_dense = n_dense
        self.lambda0 = lambda0
        self.lambda1 = lambda1
        self.lambda2 = lambda2
        self.lambda3 = lambda3
        self.annotated_share = annotated_share
        self.weighting = weighting
        self.covariates = covariates
        self.readout = readout
        self.background = background
        self.mean_penalty = mean_penalty
        self.max_iter = max_iter
        self.tol = tol
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.seed = seed
        self.threads = threads
        self.device = device

    def fit(self, adata: AnnData, checkpoint: str | Path | None = None) -> Self:
        """Fit to prepared data (:func:`intae.prepare`) and return the model.

        `exact` passes over the cells twice: for their second moments and for their loadings.

        Parameters
        ----------
        adata
            Prepared data.
        checkpoint
            A file for the state of the network's training, written about every minute. Where the
            fit was killed, the same call goes on from it and ends at the same numbers; a file of
            other arguments, data or another kind of machine is ignored. It is removed at the end.
            The exact solver needs none.

        Raises
        ------
        ContractError
            If the data are not prepared.
        IntaeError
            If an argument or a covariate does not fit.
        """
        self._check_arguments(adata)
        check_prepared(adata, values=False)  # Cells looks at the values, in its pass over them
        kept = Checkpoint(checkpoint)
        with self._limited():
            for _ in self._parts(adata, kept, Cells(adata, self.covariates)):
                pass
        return self

    def _parts(
        self, adata: AnnData, kept: Checkpoint, cells: Cells, feed: Feed | None = None
    ) -> Iterator[None]:
        """Fit, and stop after each batch of a network: see :mod:`.together`."""
        self._set_lambdas(cells, get_annotations(adata).astype(float))
        if self.solver == "exact":
            W, effects = self._minimise(get_terms(adata), self.tol), cells.effects
            self.encoder_ = {"A": best_encoder(W, self.lambdas_["lambda0"])}
        else:
            W, effects = yield from self._train_network(cells, adata, kept, feed)
        self._finish(cells, adata, W, effects)
        self.seconds_, self.resumed_ = kept.seconds(), kept.resumed
        kept.remove()
        if self.solver == "exact" and not self.converged_:
            log.warning(
                "not converged after max_iter=%d iterations: certificate %.2g, tol=%.2g",
                self.max_iter, self.history_["certificate"].iloc[-1], self.tol,
            )  # fmt: skip
        log.info(
            "%s: F + R = %.4f, %d of %d terms active, gap %.3g, %.1f s",
            self.solver, self.history_["objective"].iloc[-1], self.terms_["active"].sum(),
            len(self.terms_), self.gap_, self.seconds_,
        )  # fmt: skip

    def transform(self, adata: AnnData) -> pd.DataFrame:
        """Return the loadings of cells, new or not, normalised as the training cells were.

        Parameters
        ----------
        adata
            cells x genes with all genes of the model, in any order; with covariates, the `exact`
            solver needs them in obs.

        Returns
        -------
        DataFrame, cells x terms; see `readout`.
        """
        return self._of_cells(adata, read=True)

    def encode(self, adata: AnnData) -> pd.DataFrame:
        """Return f(y) of cells, new or not: the loadings with which F + R is minimised.

        The same as :meth:`transform` with `readout="encoder"`. `reconstruct`, `gap_` and
        `necessity` rest on these.

        Parameters
        ----------
        adata
            As for `transform`.

        Returns
        -------
        DataFrame, cells x terms.
        """
        return self._of_cells(adata, read=False)

    def _of_cells(self, adata: AnnData, *, read: bool) -> pd.DataFrame:
        self._check_fitted()
        adata = match_genes(adata, self.weights_.index)
        with self._limited():
            A = self._coefficients(read=read)
            if A is None:
                give = self._read if read else self._encode
                loadings = np.vstack([give(Y, X) for Y, X in self._blocks(adata)])
            else:
                loadings = self._project(matrix_of(adata), A, self._design(adata))
        check_loadings(loadings, adata)
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

    @property
    def reads_off_terms(self) -> bool:
        """Whether gene sets are read, not encoded; see `readout`."""
        return self.readout_.shape[1] > 0

    def necessity(self, adata: AnnData | None = None) -> pd.DataFrame:
        """Tell what each active term is needed for.

        Each is forbidden in turn, and the others are refitted from where they stand.

        Parameters
        ----------
        adata
            The training data; needed by a model that was loaded, which keeps no moments.

        Returns
        -------
        DataFrame, one row per active term, the most necessary first: rise (of F + R without it;
        near zero means that the data do not decide for this name), carried (the rise before the
        others are refitted, so that rise / carried is the share that nothing replaces), stand_ins
        (up to three terms that grow most in its place, " | " between them), stand_in_growth (how
        much their norms grow, as shares of the term's own, separated by a space), stand_in_r
        (|correlation| of the first stand-in's loadings then with the term's now).
        """
        self._check_fitted()
        if adata is None and not hasattr(self, "_problem"):
            msg = "a loaded model keeps no moments of its data; call necessity(adata)"
            raise IntaeError(msg)
        used = self.lambdas_
        penalty = self._penalty_of(
            used["lambda1"], used["lambda2"], used["lambda3"], self.terms_["kind"]
        )
        with limit_threads(self.threads):
            if adata is None:
                problem = self._problem
            else:
                cells = Cells(match_genes(adata, self.weights_.index), self.covariates)
                problem = Problem(cells.covariance, used["lambda0"])
            return necessity(
                problem, penalty, self.weights_.to_numpy(), self.weights_.columns,
                scale=self.scale_, tol=max(self.tol, 1e-3), max_iter=self.max_iter,
            )  # fmt: skip

    def path(
        self,
        adata: AnnData,
        fractions: Sequence[float] = FRACTIONS,
        *,
        held_out: AnnData | None = None,
    ) -> pd.DataFrame:
        """Look along the penalties, from those that leave no term on downwards.

        lambda3 is each fraction of its largest useful value, lambda1 and lambda2 keep the
        proportion to it that the defaults have; the exact solver goes on from each solution to the
        next. The model itself stays as it is.

        Parameters
        ----------
        adata
            Prepared data.
        fractions
            Of lambda3_max, each in (0, 1].
        held_out
            Other cells of the same genes, to be reconstructed.

        Returns
        -------
        DataFrame, one row per fraction, from large to small: fraction, lambda1, lambda3, F,
        objective, n_active, n_added (genes outside their sets), variance_explained, held_out (the
        same of the other cells), certificate, converged, n_iter, seconds (since the start),
        entered and left (terms, separated by a space).
        """
        if not len(fractions) or min(fractions) <= 0 or max(fractions) > 1:
            msg = f"fractions must lie in (0, 1], not {list(fractions)}"
            raise IntaeError(msg)
        model = type(self)(**self.get_params() | {"solver": "exact"})
        model._check_arguments()
        check_prepared(adata, values=False)
        with limit_threads(self.threads):
            cells = Cells(adata, self.covariates)
            model._set_lambdas(cells, get_annotations(adata).astype(float))
            if self.n_dense is None:
                model._minimise(get_terms(adata), ROUGH)  # which chooses, at the default penalties
            else:
                model._set_terms(get_terms(adata), self.n_dense)
            other = None
            if held_out is not None:
                other = cells.second_moment(match_genes(held_out, adata.var_names), self.covariates)
            return path(
                model._problem, model.annotations_, model._kinds.index, model._penalty_of,
                fractions, largest=(model.lambdas_["lambda1_max"], model.lambdas_["lambda3_max"]),
                scale=model.scale_, tol=self.tol, max_iter=self.max_iter, held_out=other,
            )  # fmt: skip

    # ------------------------------------------------------------------ from cells to W

    def _set_lambdas(self, cells: Cells, annotations: np.ndarray) -> None:
        """Choose the lambdas and the gene sets' weights in the group penalty."""
        published = self.solver == "adam"
        self.annotations_ = annotations
        self._set_weights = weights_of_sets(
            annotations, self.weighting, automatic=self.lambda3 is None and not published
        )
        given = {name: getattr(self, name) for name in ("lambda0", "lambda1", "lambda2", "lambda3")}
        self.lambdas_ = choose_lambdas(
            cells.covariance, annotations, self._set_weights, cells.n_cells, given,
            annotated_share=self.annotated_share, published=published,
        )  # fmt: skip
        self._problem = Problem(cells.covariance, self.lambdas_["lambda0"])

    def _set_terms(self, terms: pd.Index, n_dense: int) -> None:
        """Lay out the terms, and R over them."""
        names, self._kinds = term_index(terms, self.n_sparse, n_dense)
        free = np.ones(len(names) - len(terms))
        self.group_weights_ = np.concatenate([self._set_weights, free])
        used = self.lambdas_
        self._penalty = self._penalty_of(used["lambda1"], used["lambda2"], used["lambda3"])
        start = annotation_start(self._problem.S, self.annotations_, len(names))
        self.scale_ = float(np.linalg.norm(self._problem.at(start).gradient()))

    def _penalty_of(
        self, lambda1: float, lambda2: float, lambda3: float, kinds: pd.Series | None = None
    ) -> Penalty:
        """Return R at other lambdas; `kinds` of the terms, where no fit has laid them out."""
        kinds = self._kinds if kinds is None else kinds
        return Penalty.build(
            self.annotations_, kinds.to_numpy(), lambda1, lambda2, lambda3,
            lambda_annotated=self.annotated_share * lambda1, group_weights=self.group_weights_,
        )  # fmt: skip

    def _minimise(self, terms: pd.Index, tol: float) -> np.ndarray:
        """Run the exact solver; if n_dense is None, again with dense terms for confounders."""
        W = self._minimise_with(terms, self.n_dense or 0, tol)
        if self.n_dense is None:
            n_dense = count_confounders(
                self._problem, W, self.annotations_, self._set_weights, self.lambdas_,
                tol=ROUGH, max_iter=self.max_iter,
            )  # fmt: skip
            if n_dense:
                W = self._minimise_with(terms, n_dense, tol)
        return W

    def _minimise_with(self, terms: pd.Index, n_dense: int, tol: float) -> np.ndarray:
        self._set_terms(terms, n_dense)
        history = History(self._penalty, self.scale_)
        W, self.converged_, self.n_iter_ = minimise(
            self._problem, self._penalty, empty_start(self._problem.S, self._penalty),
            tol=tol, max_iter=self.max_iter, history=history,
        )  # fmt: skip
        self.history_ = history.table()
        return W

    def _train_network(
        self, cells: Cells, adata: AnnData, checkpoint: Checkpoint, feed: Feed | None
    ) -> Generator[None, None, tuple[np.ndarray, np.ndarray]]:
        """Train by `adam` or `proximal`, set encoder_ and the history; return W and Phi."""
        from .feed import Feed
        from .network import arrays, choose_device, train

        start, terms, device = None, get_terms(adata), choose_device(self.device)
        checkpoint.belong_to(self, adata, cells, device)
        if self.solver == "proximal":
            # In training a term that goes off never returns, so the start decides what is on.
            start = self._minimise(terms, max(self.tol, ROUGH))
        else:
            self._set_terms(terms, self.n_dense or 0)
        trained = yield from train(
            feed or Feed(cells, device), self._penalty, self.lambdas_["lambda0"], start,
            learning_rate=self.learning_rate, batch_size=min(self.batch_size, cells.n_cells),
            epochs=self.epochs, seed=self.seed, tol=self.tol,
            history=History(self._penalty, self.scale_), checkpoint=checkpoint,
        )  # fmt: skip
        self.n_iter_, self.converged_ = len(trained.history), trained.converged
        self.history_ = trained.history
        self.encoder_ = arrays(trained.encoder)
        return trained.W, trained.effects

    def _finish(self, cells: Cells, adata: AnnData, W: np.ndarray, effects: np.ndarray) -> None:
        """Orient the signs, encode the cells, and make the tables."""
        self.mean_, self.effects_ = cells.mean, effects
        self.covariate_mean_, self.categories_ = cells.covariate_mean, cells.categories
        self._orient(W)
        genes, terms = pd.Index(adata.var_names.astype(str), name="gene"), self._kinds.index
        self.weights_ = pd.DataFrame(W, index=genes, columns=terms)

        q, marker, specific = self._read_out(cells)
        here, A = self._problem.at(W), self._coefficients(read=True)
        if self.solver == "exact":
            moments, total = here.best, self._problem.total
        else:
            loadings = np.empty((cells.n_cells, len(terms)))
            moments, total = cells.moments_of(self._encode, effects, loadings)
        if A is not None:
            loadings = self._project(cells.X, A, cells.design)
        elif self.reads_off_terms:
            for rows, Y, X in cells.blocks():
                loadings[rows] = self._read(Y, X)
        self.gap_ = moments.data_term(total, W, self.lambdas_["lambda0"]) - here.data_term
        cell_names = pd.Index(adata.obs_names.astype(str), name="cell")
        self.loadings_ = pd.DataFrame(loadings, index=cell_names, columns=terms)

        norms = column_norms(W)
        self.terms_ = terms_table(
            self._kinds, self.annotations_, genes, relevance=norms, active=norms > 0, on=W != 0
        )
        if self.solver != "adam":  # whose bias leaves hardly a weight at zero
            warn_of_confounders(W, self.annotations_, self._kinds)
        self.terms_["variance_explained"] = moments.explained(total, W)
        add_calls(self.terms_, q, specific)
        self.terms_["marker"] = np.append(marker, np.zeros(len(terms) - len(marker), dtype=bool))
        # Adam's W is no minimum of F + R, so what would lower it says nothing of the data.
        self.terms_["evidence"] = np.nan if self.solver == "adam" else evidence(here, self._penalty)
        together = alone(terms) if self.solver == "adam" else families(here, self._penalty, terms)
        self.terms_[list(together)] = together

    def _read_out(self, cells: Cells) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Set readout_; return the gene sets' q values, which are marker sets, and `specific`."""
        C, scale = unit_variance(cells.covariance)
        given = C, self.annotations_, cells.n_cells
        of = {"background": self.background, "common": Background(C)}
        q = coherence(*given, cells.mean, seed=self.seed, **of)
        if self.readout == "encoder" or (self.readout == "auto" and self.solver != "exact"):
            self.readout_ = np.zeros((len(C), 0))
            return q, np.zeros(len(q), dtype=bool), np.full(len(q), np.nan)
        read = read_sets(*given, mean_penalty=self.mean_penalty, **of)
        self.readout_ = read.weights / scale[:, None]
        return q, read.marker, read.specific

    def _orient(self, W: np.ndarray) -> None:
        """Turn terms, in W and in the encoder alike, to the sign of their annotated genes."""
        sign = signs(W, self.annotations_)
        W *= sign
        if self.solver == "exact":
            self.encoder_["A"] *= sign
        else:
            from .network import orient_encoder

            self.encoder_ = orient_encoder(self.encoder_, sign)
        self.__dict__.pop("_network", None)  # made of another encoder

    # ------------------------------------------------------------------ from cells to loadings

    def _limited(self) -> AbstractContextManager:
        """Limit the threads of all that this solver uses."""
        if self.solver != "exact":
            import torch  # noqa: F401  limit_threads limits torch only once it is imported
        return limit_threads(self.threads)

    def _blocks(
        self, adata: AnnData, *, need_covariates: bool = False
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield centred genes and centred covariates of cells, block by block."""
        design = self._design(adata, need_covariates=need_covariates)
        for start, block in iter_chunks(matrix_of(adata)):
            yield block - self.mean_, design[start : start + len(block)]

    def _design(self, adata: AnnData, *, need_covariates: bool = False) -> np.ndarray:
        """Return the centred covariates of cells; zeros where this solver does not look at them."""
        if self.covariates and (need_covariates or self.solver == "exact"):
            design, _, _ = design_matrix(adata.obs, self.covariates, self.categories_)
            return design - self.covariate_mean_
        return np.zeros((adata.n_obs, len(self.covariate_mean_)))

    def _coefficients(self, *, read: bool) -> np.ndarray | None:
        """Return the matrix that makes loadings of centred genes without what covariates explain.

        Parameters
        ----------
        read
            Gene sets read (:mod:`intae.readout`), or encoded like the other terms.

        Returns
        -------
        genes x terms; None if a network makes some of the loadings.
        """
        n_sets = self.readout_.shape[1] if read else 0
        if n_sets == len(self.weights_.columns):
            return self.readout_
        if self.solver != "exact":
            return None
        return np.hstack([self.readout_[:, :n_sets], self.encoder_["A"][:, n_sets:]])

    def _project(self, X, A: np.ndarray, design: np.ndarray) -> np.ndarray:
        """Return the loadings that coefficients make of cells."""
        return project(X, A, self.mean_, design, -self.effects_.T @ A)

    def _read(self, Y: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Return loadings of centred cells: the gene sets' read-out, or the encoder's."""
        n_sets = self.readout_.shape[1]
        if not n_sets:
            return self._encode(Y, X)
        sets = (Y - X @ self.effects_.T) @ self.readout_
        if n_sets == len(self.weights_.columns):
            return sets
        return np.hstack([sets, self._encode(Y, X)[:, n_sets:]])

    def _encode(self, Y: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Return f(y) of centred cells: A'(y - Phi x), or the network's."""
        if self.solver == "exact":
            return (Y - X @ self.effects_.T) @ self.encoder_["A"]
        from .network import choose_device, evaluate, load_encoder

        device = choose_device(self.device)
        if not hasattr(self, "_network"):
            self._network = load_encoder(self.encoder_, device)
        return evaluate(self._network, Y, device)
