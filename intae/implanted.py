"""Truth implanted in real counts by thinning them, and its null: the same cells without it.

Simulated data (:mod:`.simulation`) come from a factor model's own family. Here everything but the
implanted activity is as it was measured: noise, cell types, correlations of genes, depths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse
from scipy.stats import norm

from .errors import IntaeError, suggest
from .gene_sets import annotation_matrix
from .parameters import check_arguments

N_BINS = 25  # of genes alike in expression, as many as score_genes takes
WEIGHT_SD = 0.4  # of the weights of responding genes, around 1


def implant(
    counts: AnnData,
    gene_sets: Mapping[str, Sequence[str]] | pd.DataFrame,
    *,
    n_sets: int = 6,
    effect: float = 2.0,
    design: str = "groups",
    share: float = 0.8,
    opposite: float = 0.0,
    outside: int = 0,
    correlated: float = 0.0,
    confined_to: Mapping[str, str | Sequence[str]] | None = None,
    among: Sequence[str] | None = None,
    min_genes: int = 13,
    overlap: float = 0.1,
    seed: int = 0,
) -> AnnData:
    r"""Thin real counts so that some gene sets get an activity that is known.

    For set k, cell n and responding gene g, with activity a_nk in [0, 1] and weight w_gk > 0,

        y'_ng ~ Binomial(y_ng, q_ng),    log2 q_ng = - effect sum_k w_gk (1 - a_nk)

    where the sum is over the sets that g responds to, and a_nk stands in place of 1 - a_nk for
    genes that go the other way. So a gene keeps its counts where the activity is 1 and has
    2^-(effect w) times as many in the mean where it is 0. Weights are w = \|N(1, .4)\|. If y_ng is
    Poisson or negative binomial, so is y'_ng, with its mean times q_ng; no other gene is touched.

    Parameters
    ----------
    counts
        cells x genes, raw counts in X, dense or sparse; not modified.
    gene_sets
        Name -> genes, matched without regard to case; or annotations, genes x terms, 0/1.
    n_sets
        Number of sets with an activity, drawn among those that fit.
    effect
        log2 fold change between activity 0 and 1 of a gene with weight 1.
    design
        `groups`: a is 0 or 1, each in half of the cells; `graded`: a is uniform.
    share
        Share of the set's genes in the data that respond; the others are wrongly in the set.
    opposite
        Share of the responding genes that go the other way.
    outside
        Number of responding genes outside the set, per set; they are drawn from genes of other
        sets, since no others are kept by :func:`intae.prepare`.
    correlated
        Correlation of the normal variables behind the activities of any two sets:
        a = Phi(z) (graded) or z > its median (groups).
    confined_to
        Column of obs -> value, or values: the activity is 0 in all other cells; `groups` then are
        halves of these.
    among
        Names of the sets to draw from, such as the terms that `prepare` keeps; None: any.
    min_genes
        A set is drawn if more genes of it than this are in the data.
    overlap
        Two implanted sets share less than this share of the smaller one's genes.
    seed
        Everything random comes from it.

    Returns
    -------
    A copy with thinned counts in X (type and sparsity as they were), and the truth:

    - `obsm["true_activity"]`: cells x implanted sets, float32;
    - `varm["true_genes"]`: genes x implanted sets, float32: the log2 fold change of the gene from
      activity 0 to 1, negative where it goes the other way, 0 where it does not respond;
    - `uns["implanted"]`: one row per set, in this order: term (the index), design, effect, n_genes
      (of the set, in the data), genes, opposite, outside (names of genes that respond, with the
      activity and in the set; against it; outside the set), null (empty here).

    Raises
    ------
    IntaeError
        If X holds no counts, an argument is out of its range, or fewer sets than asked for fit.

    References
    ----------
    Gerard 2020, BMC Bioinformatics 21:206: data-based simulation by binomial thinning (seqgendiff).
    """
    check_arguments("implant", locals())
    _check_counts(counts)
    rng = np.random.default_rng(seed)
    annotations, terms = _annotations(gene_sets, counts.var_names)
    chosen = _choose(rng, annotations, terms, n_sets, among, min_genes, overlap)
    active = _cells(counts.obs, confined_to)
    activity = np.zeros((counts.n_obs, n_sets))
    activity[active] = _draw_activity(rng, int(active.sum()), n_sets, design, correlated)

    response, rows = np.zeros((counts.n_vars, n_sets)), []
    annotated = np.flatnonzero(annotations.any(1))
    for k, column in enumerate(chosen):
        members = np.flatnonzero(annotations[:, column])
        inside = rng.choice(members, max(1, round(share * len(members))), replace=False)
        elsewhere = np.setdiff1d(annotated, members)
        added = rng.choice(elsewhere, min(outside, len(elsewhere)), replace=False)
        responding = np.concatenate([inside, added])
        response[responding, k] = effect * np.abs(rng.normal(1, WEIGHT_SD, len(responding)))
        against = rng.choice(responding, round(opposite * len(responding)), replace=False)
        response[against, k] *= -1
        up = np.setdiff1d(inside, against)
        names = (" ".join(counts.var_names[np.sort(genes)]) for genes in (up, against, added))
        rows.append((terms[column], design, effect, len(members), *names))
    thinned = _copy(counts)
    thinned.X = _thin(counts.X, activity, response, rng)
    return _with_truth(thinned, activity, response, rows)


def implanted_null(
    counts: AnnData,
    kind: str = "labels",
    *,
    design: str = "groups",
    n_sets: int = 6,
    seed: int = 0,
) -> AnnData:
    """Return the same cells with nothing implanted, so that whatever is found is false.

    Parameters
    ----------
    counts
        As for :func:`implant`.
    kind
        - `labels`: the counts as they are, and activities that are drawn and act on nothing;
        - `sets`: as well, and every gene has the name of another one of like mean expression (of
          the same of 25 bins): all gene sets hold random genes, with their sizes, expression and
          overlaps as they were;
        - `depth`: in one half of the cells each count is thinned to half, Binomial(y, 1/2). The
          only label says which half kept its depth (1) and which did not (0); no set may follow.
    design
        Of the activities of the first two: see :func:`implant`.
    n_sets
        Number of activities; `depth` has one.
    seed
        Everything random comes from it.

    Returns
    -------
    As from :func:`implant`. The terms of `uns["implanted"]` are `random_1`, ... or `depth`, of no
    gene; null says which null it is; effect is 0 (of `depth` -1, since log2 of 1/2).

    Raises
    ------
    IntaeError
        If X holds no counts, or there is no such null or design.
    """
    check_arguments("implanted_null", locals())
    _check_counts(counts)
    rng = np.random.default_rng(seed)
    depth = kind == "depth"
    design, n_sets = ("groups", 1) if depth else (design, n_sets)
    activity = _draw_activity(rng, counts.n_obs, n_sets, design, 0.0)
    kept = _copy(counts)
    if depth:
        kept.X = _thin(counts.X, activity, np.ones((counts.n_vars, 1)), rng)
    if kind == "sets":
        kept.var_names = counts.var_names[_shuffle_within_bins(rng, counts.X)]
    names = ["depth"] if depth else [f"random_{k + 1}" for k in range(n_sets)]
    rows = [(name, design, -1.0 if depth else 0.0, 0, "", "", "") for name in names]
    return _with_truth(kept, activity, np.zeros((counts.n_vars, n_sets)), rows, kind)


def _check_counts(counts: AnnData) -> None:
    """Refuse what cannot be thinned: anything but whole numbers from 0 up."""
    values = counts.X.data if sparse.issparse(counts.X) else np.asarray(counts.X)
    if values.size and not (values.min() >= 0 and (values == np.round(values)).all()):
        msg = (
            f"X ({values.min():g} to {values.max():g}) holds negative values or values that are no "
            "integers; only raw counts can be thinned"
        )
        raise IntaeError(msg)


def _annotations(
    gene_sets: Mapping[str, Sequence[str]] | pd.DataFrame, genes: pd.Index
) -> tuple[np.ndarray, pd.Index]:
    """Return genes x sets, bool, of the data's genes, and the names of the sets."""
    if isinstance(gene_sets, pd.DataFrame):
        table = gene_sets
        gene_sets = {str(t): list(table.index[table[t].to_numpy() > 0]) for t in table.columns}
    annotations, terms = annotation_matrix(
        {name: list(members) for name, members in gene_sets.items()}, genes
    )
    return annotations.toarray() > 0, terms


def _choose(
    rng: np.random.Generator, annotations: np.ndarray, terms: pd.Index, n_sets: int,
    among: Sequence[str] | None, min_genes: int, overlap: float,
) -> list[int]:  # fmt: skip
    """Draw sets one after the other that hardly share genes with those drawn before."""
    sizes = annotations.sum(0)
    fits = sizes > min_genes
    if among is not None:
        fits &= terms.isin(list(among))
    chosen: list[int] = []
    for k in rng.permutation(np.flatnonzero(fits)):
        shared = [(annotations[:, k] & annotations[:, j]).sum() for j in chosen]
        if all(s < overlap * min(sizes[k], sizes[j]) for s, j in zip(shared, chosen, strict=True)):
            chosen.append(int(k))
        if len(chosen) == n_sets:
            return chosen
    msg = (
        f"only {len(chosen)} of {n_sets} sets could be drawn: {int(fits.sum())} sets have more "
        f"than min_genes={min_genes} genes in the data, and two may share less than {overlap:g} of "
        "the smaller one's genes; lower n_sets or min_genes, or raise overlap"
    )
    raise IntaeError(msg)


def _cells(obs: pd.DataFrame, confined_to: Mapping[str, str | Sequence[str]] | None) -> np.ndarray:
    """Say of each cell whether there may be activity in it."""
    active = np.ones(len(obs), dtype=bool)
    for column, values in (confined_to or {}).items():
        if column not in obs:
            msg = f"confined_to: there is no column {column!r} in obs"
            raise IntaeError(msg + suggest(column, obs.columns))
        values = [values] if isinstance(values, str) else list(values)
        active &= obs[column].astype(str).isin(map(str, values)).to_numpy()
    if active.sum() < 2:
        msg = f"confined_to: {dict(confined_to or {})} leaves fewer than two cells"
        raise IntaeError(msg)
    return active


def _draw_activity(
    rng: np.random.Generator, n_cells: int, n_sets: int, design: str, correlated: float
) -> np.ndarray:
    """Return activities of cells, cells x sets, in [0, 1]."""
    own = rng.standard_normal((n_cells, n_sets))
    common = rng.standard_normal((n_cells, 1))
    z = np.sqrt(correlated) * common + np.sqrt(1 - correlated) * own
    return (z > np.median(z, axis=0)).astype(float) if design == "groups" else norm.cdf(z)


def _thin(X, activity: np.ndarray, response: np.ndarray, rng: np.random.Generator):
    """Draw Binomial(X, q): each gene loses |response| log2 units at the far end of the activity."""
    thinned = sparse.csr_matrix(X, copy=True)
    thinned.sum_duplicates()  # sorts, so that the draw is the same for any storage
    values = thinned.tocoo()
    touched = np.flatnonzero((response != 0).any(1)[values.col])
    cell, gene = values.row[touched], values.col[touched]
    exponent = np.zeros(len(touched))
    for a, w in zip(activity.T, response.T, strict=True):
        exponent += np.where(w[gene] > 0, 1 - a[cell], a[cell]) * np.abs(w[gene])
    kept = rng.binomial(thinned.data[touched].astype(np.int64), 2.0**-exponent)
    thinned.data[touched] = kept.astype(thinned.dtype)
    thinned.eliminate_zeros()
    return type(X)(thinned) if sparse.issparse(X) else thinned.toarray()


def _shuffle_within_bins(rng: np.random.Generator, X) -> np.ndarray:
    """Return an order of the genes that exchanges genes of like mean expression."""
    mean = np.asarray(X.mean(0)).ravel()
    order = np.arange(len(mean))
    for members in np.array_split(np.argsort(mean, kind="stable"), min(N_BINS, len(mean))):
        order[members] = rng.permutation(members)
    return order


def _copy(counts: AnnData) -> AnnData:
    return AnnData(counts.X.copy(), obs=counts.obs.copy(), var=counts.var.copy())


def _with_truth(
    adata: AnnData, activity: np.ndarray, response: np.ndarray, rows: list[tuple], null: str = ""
) -> AnnData:
    columns = ["term", "design", "effect", "n_genes", "genes", "opposite", "outside"]
    adata.obsm["true_activity"] = activity.astype(np.float32)
    adata.varm["true_genes"] = response.astype(np.float32)
    adata.uns["implanted"] = pd.DataFrame(rows, columns=columns).set_index("term").assign(null=null)
    return adata
