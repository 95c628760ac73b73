"""Data simulated from f-scLVM's own generative model, with the truth kept beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData

from .errors import IntaeError
from .parameters import check_arguments
from .prepared import check_prepared


def simulate(
    n_cells: int = 1000,
    n_genes: int = 300,
    n_terms: int = 30,
    *,
    annotations: pd.DataFrame | None = None,
    n_active: int = 8,
    n_dense: int = 2,
    wrong: float = 0.1,
    missing: float = 0.1,
    strength: tuple[float, float] = (0.3, 1.0),
    dense_strength: float = 0.4,
    noise: tuple[float, float] = (0.5, 1.0),
    n_donors: int = 6,
    seed: int = 0,
) -> AnnData:
    """Draw cells from Y = mean + S W' + noise, with W sparse as the gene sets nearly say.

    The gene sets overlap as Reactome's do: some contain others whole, the rest share genes. Of
    the terms, `n_active` are active, and they differ in strength (the standard deviation of
    their weights, 1 / sqrt(alpha)). The first active term's loadings are bimodal and are the
    condition; the next two carry the cell types. Dense factors are confounders: they touch
    every gene, and the first follows the batch.

    Parameters
    ----------
    n_cells, n_genes, n_terms
        Sizes; the last two are ignored where `annotations` is given.
    annotations
        genes x terms, 0/1, such as a real data set's; None draws some.
    n_active
        Number of active annotated terms, at least 3.
    n_dense
        Number of dense confounders.
    wrong, missing
        Share of an active set's genes that do not truly belong to it, and number of genes that
        belong but are not in the set, as a share of its size.
    strength
        Smallest and largest standard deviation of an active term's weights.
    dense_strength
        Standard deviation of a dense factor's weights.
    noise
        Smallest and largest standard deviation of a gene's noise.
    n_donors
        Number of donors, each with cells of both conditions.
    seed
        Everything random comes from it.

    Returns
    -------
    Prepared data (:func:`intae.prepare`) on the log scale, with obs condition, cell_type, batch,
    donor, and the truth: `obsm["true_loadings"]` and `varm["true_weights"]` over
    `uns["true_terms"]`, a table with kind, active and strength of each term, the dense ones last.
    A gene truly belongs to a term where its true weight is not zero.

    Raises
    ------
    IntaeError
        If an argument is out of its range, or more terms are active than there are.

    References
    ----------
    Buettner et al. 2017, Genome Biology 18:212: the f-scLVM model.
    """
    check_arguments("simulate", locals())
    rng = np.random.default_rng(seed)
    if annotations is None:
        annotations = _draw_annotations(rng, n_genes, n_terms)
    genes, terms = annotations.index.astype(str), annotations.columns.astype(str)
    known = annotations.to_numpy() > 0
    (n_genes, n_terms), n_factors = known.shape, known.shape[1] + n_dense
    if n_active > n_terms:
        msg = f"n_active={n_active}, but there are only {n_terms} terms"
        raise IntaeError(msg)
    active = rng.choice(n_terms, n_active, replace=False)

    obs = _draw_labels(rng, n_cells, n_donors)
    loadings = rng.standard_normal((n_cells, n_factors))
    stimulated = (obs["condition"] == "stimulated").to_numpy()
    types = obs["cell_type"].cat.codes.to_numpy()
    loadings[:, active[0]] = np.where(stimulated, 1.0, -1.0) + 0.4 * loadings[:, active[0]]
    loadings[:, active[1]] = 1.6 * (types == 1) + 0.7 * loadings[:, active[1]]
    loadings[:, active[2]] = 1.2 * (types - 1.5) / 1.5 + 0.7 * loadings[:, active[2]]
    if n_dense:
        loadings[:, n_terms] += 1.0 * (obs["batch"] == "batch_2").to_numpy()

    weights = np.zeros((n_genes, n_factors))
    scales = np.zeros(n_factors)
    scales[active] = np.geomspace(strength[1], strength[0], n_active)
    scales[n_terms:] = dense_strength
    for k in active:
        member = _true_members(rng, known[:, k], wrong, missing)
        weights[member, k] = scales[k] * rng.standard_normal(member.sum())
    weights[:, n_terms:] = dense_strength * rng.standard_normal((n_genes, n_dense))

    sd = rng.uniform(*noise, n_genes)
    mean = rng.uniform(2.0, 4.0, n_genes)
    X = mean + loadings @ weights.T + sd * rng.standard_normal((n_cells, n_genes))
    adata = AnnData(X.astype(np.float32), obs=obs, var=pd.DataFrame(index=genes))
    adata.varm["annotations"] = known.astype(np.uint8)
    adata.uns["terms"] = terms.to_numpy(str).astype(object)
    adata.obsm["true_loadings"] = loadings.astype(np.float32)
    adata.varm["true_weights"] = weights.astype(np.float32)
    adata.uns["true_terms"] = pd.DataFrame(
        {
            "kind": ["annotated"] * n_terms + ["dense"] * n_dense,
            "active": scales > 0,
            "strength": scales,
        },
        index=pd.Index([*terms, *(f"true_dense_{i + 1}" for i in range(n_dense))], name="term"),
    )
    check_prepared(adata)
    return adata


def _draw_labels(rng: np.random.Generator, n_cells: int, n_donors: int) -> pd.DataFrame:
    """Draw condition, cell type (four, unequal), batch and donor of each cell."""
    types = [f"type_{i + 1}" for i in range(4)]
    labels = {
        "condition": rng.choice(["control", "stimulated"], n_cells),
        "cell_type": rng.choice(types, n_cells, p=[0.4, 0.3, 0.2, 0.1]),
        "batch": rng.choice(["batch_1", "batch_2"], n_cells),
        "donor": rng.choice([f"donor_{i + 1}" for i in range(n_donors)], n_cells),
    }
    cells = pd.Index([f"cell_{i + 1}" for i in range(n_cells)])
    obs = pd.DataFrame(labels, index=cells).astype("category")
    obs["cell_type"] = obs["cell_type"].cat.set_categories(types)
    return obs


def _draw_annotations(rng: np.random.Generator, n_genes: int, n_terms: int) -> pd.DataFrame:
    """Draw gene sets, a third of them inside a larger one, all sharing genes with others."""
    sizes = np.sort(np.exp(rng.normal(np.log(n_genes / 12), 0.5, n_terms)))[::-1]
    sizes = np.clip(sizes.round().astype(int), min(15, n_genes // 2), n_genes // 2)
    popular = rng.gamma(2.0, size=n_genes)  # some genes are in many sets, as in Reactome
    known = np.zeros((n_genes, n_terms), dtype=np.uint8)
    roots = []  # sets that are not drawn inside another
    for k, size in enumerate(sizes):
        pool = np.ones(n_genes)
        parents = [j for j in range(k) if known[:, j].sum() > 1.3 * size]
        if parents and rng.random() < 1 / 3:
            pool = known[:, rng.choice(parents)].astype(float)
        else:
            roots.append(k)
        chance = pool * popular
        known[rng.choice(n_genes, size, replace=False, p=chance / chance.sum()), k] = 1
    for gene in np.flatnonzero(known.sum(1) == 0):  # prepared genes are in at least one set
        known[gene, rng.choice(roots)] = 1
    return pd.DataFrame(
        known,
        index=[f"GENE{i + 1}" for i in range(n_genes)],
        columns=[f"SIMULATED_PATHWAY_{k + 1}" for k in range(n_terms)],
    )


def _true_members(
    rng: np.random.Generator, known: np.ndarray, wrong: float, missing: float
) -> np.ndarray:
    """Take some genes out of a set and put others in, and return who truly belongs."""
    inside, outside = np.flatnonzero(known), np.flatnonzero(~known)
    n_out = round(wrong * len(inside))
    n_in = min(round(missing * len(inside)), len(outside))
    member = known.copy()
    member[rng.choice(inside, n_out, replace=False)] = False
    member[rng.choice(outside, n_in, replace=False)] = True
    return member
