"""Spectra (Kunes et al. 2024): factors of log counts near a graph of genes that gene sets make."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from anndata import AnnData

from ..errors import IntaeError
from ..prepared import annotation_table, check_prepared, get_annotations, get_terms
from ..terms import term_index, terms_table
from .base import Peer, dense, strength
from .package import Watch, import_peer

N_MARKERS, THRESHOLD = 50, 0.2  # the package's own, for naming a factor
MIN_GENES = 3  # the package drops smaller sets


class Spectra(Peer):
    """Spectra by the package scSpectra 0.2.1, without cell types: one factor more than gene sets.

    The package's defaults are taken (lam .01, its schedule of learning rates), sets as they are
    (`filter_sets=False`), all genes. It minimises a likelihood of log counts, so X must not be
    negative. The package's CPU class is run; it infers no loadings of new cells.

    *How factors become terms.* Factors are not one to one with gene sets. By the package's own
    rule, a factor has the name of the set with the largest overlap coefficient with its 50 highest
    genes, |markers and set| / min(|markers|, |set|), if that is at least .2. The term of a set is
    the factor that it names; of several, the one with the largest coefficient. Sets that name no
    factor are off; factors without a set, and those whose set names another one, are dense terms.
    A comparison by set counts against it what its factors hold beyond their names, as with PLIER.

    Parameters
    ----------
    lam
        Weight of the expression's loss against the graph's.
    max_iter
        Epochs at most; the package stops when the loss has risen 18 times.
    budget
        Seconds after which the fit ends; it then counts for its runtime only.
    seed, threads
        Of the package's generators; of torch.

    Attributes
    ----------
    weights_
        The package's factors, genes x terms, not negative.
    terms_
        relevance: the standard deviation of a factor's cell scores times the norm of its weights.
        genes_added: markers outside the set; genes_removed: genes of the set that are no markers.
    overlap_
        The overlap coefficient by which each term got its factor; 0 for those without.

    References
    ----------
    Kunes et al. 2024, Nature Biotechnology 42:1084.
    """

    infers_new_cells: ClassVar[bool] = False
    reconstructs: ClassVar[bool] = False

    package: ClassVar[str] = "scSpectra"

    _saved: ClassVar[tuple[str, ...]] = (*Peer._saved, "overlap_")

    def __init__(
        self,
        lam: float = 0.01,
        max_iter: int = 10_000,
        budget: float | None = None,
        seed: int = 0,
        threads: int | None = 1,
    ) -> None:
        super().__init__(budget, seed, threads)
        self.lam = lam
        self.max_iter = max_iter

    def fit(self, adata: AnnData) -> Self:
        """Fit to prepared data; X becomes dense.

        Raises
        ------
        ContractError
            If the data are not prepared.
        IntaeError
            If X holds negative values, or no set has 3 genes.
        ImportError
            If scSpectra is not installed.
        """
        check_prepared(adata)
        data = dense(adata)
        if data.X.min() < 0:
            msg = "X: holds negative values, and Spectra needs log counts; run intae.prepare"
            raise IntaeError(msg)
        known = annotation_table(adata).astype(bool)
        sets = {term: list(known.index[known[term]]) for term in known}
        sets = {term: genes for term, genes in sets.items() if len(genes) >= MIN_GENES}
        if not sets:
            msg = f"no gene set has {MIN_GENES} genes, the fewest that Spectra takes"
            raise IntaeError(msg)
        package = import_peer("Spectra", "Spectra")
        watch = Watch("Spectra", self.budget, self.max_iter)
        with self._inside(), _watched(watch):
            made = package.est_spectra(
                data, sets, use_highly_variable=False, cell_type_key=None, use_cell_types=False,
                lam=self.lam, filter_sets=False, label_factors=False, num_epochs=self.max_iter,
            )  # fmt: skip
        self._note(watch, converged=len(watch.rows) < self.max_iter)
        self._tabulate(adata, np.asarray(made.factors, float), np.asarray(made.cell_scores, float))
        return self

    def _tabulate(self, adata: AnnData, factors: np.ndarray, scores: np.ndarray) -> None:
        """Lay factors (factors x genes) and scores (cells x factors) out as terms."""
        annotations = get_annotations(adata).astype(bool)
        markers = top_genes(factors, N_MARKERS)
        named, overlap = name_factors(markers, annotations)
        free = [k for k in range(len(factors)) if k not in named.values()]
        index, kinds = term_index(get_terms(adata), 0, len(free))
        n_sets = annotations.shape[1]
        place = [*named, *range(n_sets, len(index))]
        source = [*named.values(), *free]
        weights, loadings = (
            np.zeros((adata.n_vars, len(index))),
            np.zeros((adata.n_obs, len(index))),
        )
        on = np.zeros(weights.shape, dtype=bool)
        weights[:, place], loadings[:, place] = factors[source].T, scores[:, source]
        on[:, place] = markers[source].T
        self.overlap_ = np.zeros(len(index))
        self.overlap_[list(named)] = [overlap[k, j] for j, k in named.items()]
        self.weights_ = pd.DataFrame(weights, adata.var_names, index)
        self.loadings_ = pd.DataFrame(loadings, adata.obs_names, index)
        self.terms_ = terms_table(
            kinds, annotations, adata.var_names,
            relevance=strength(loadings, weights),
            active=np.abs(weights).sum(0) > 0, on=on,
        )  # fmt: skip


def top_genes(factors: np.ndarray, n: int) -> np.ndarray:
    """Return which genes are among the n highest of each factor: factors x genes, bool."""
    order = np.argsort(-factors, axis=1, kind="stable")[:, :n]
    top = np.zeros(factors.shape, dtype=bool)
    np.put_along_axis(top, order, True, axis=1)
    return top


def name_factors(markers: np.ndarray, sets: np.ndarray) -> tuple[dict[int, int], np.ndarray]:
    """Name factors by gene sets as the package does: see :class:`Spectra`.

    Parameters
    ----------
    markers
        factors x genes, bool.
    sets
        genes x sets, bool.

    Returns
    -------
    Set -> the factor that is its term, and the overlap coefficients, factors x sets.
    """
    shared = markers.astype(float) @ sets
    overlap = shared / np.minimum(markers.sum(1)[:, None], sets.sum(0)[None])
    named: dict[int, int] = {}
    for k, j in enumerate(overlap.argmax(1)):
        if overlap[k, j] >= THRESHOLD and (j not in named or overlap[k, j] > overlap[named[j], j]):
            named[int(j)] = k
    return dict(sorted(named.items())), overlap


@contextlib.contextmanager
def _watched(watch: Watch) -> Iterator[None]:
    """Watch the package's epochs: the loss that it computes, and the range it counts them by."""
    home = import_peer("Spectra.Spectra", "Spectra")
    loss_of, counter = home.SPECTRA.loss_no_cell_types, home.tqdm
    last = {"loss": np.nan}

    def loss_no_cell_types(model: Any, X: Any) -> Any:
        loss = loss_of(model, X)
        last["loss"] = loss.item()
        return loss

    def epochs(numbers: range) -> Iterator[int]:
        try:
            for i in numbers:
                if i and watch.epoch(last["loss"]):
                    return
                yield i
            watch.epoch(last["loss"])
        except GeneratorExit:  # the package's own rule ended the loop
            watch.epoch(last["loss"])
            watch.over = False

    home.SPECTRA.loss_no_cell_types, home.tqdm = loss_no_cell_types, epochs
    try:
        yield
    finally:
        home.SPECTRA.loss_no_cell_types, home.tqdm = loss_of, counter
