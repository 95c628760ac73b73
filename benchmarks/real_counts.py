"""Which way of reading a gene set from second moments follows a truth implanted in real counts?

Draws are made by `intae.implant` in control cells of Kang17, then prepared with the defaults. With
unit-variance genes, C their correlations, m_k the mean of set k's genes (unit length) and

    P = c (C + c I)^-1,   E = P C P

(equation 3's residual y - W z after a dense W with W W' = C at l0 = c, and its second moments), a
set is read by

    mean         z = m_k'y
    eigenvector  z = u_k'y, u_k the leading eigenvector of C within the set
    background   z = m_k'P y: generalised least squares, all other variation taken as noise
    shrunk       z = u_k'P y, u_k the leading eigenvector of E + kappa s_k m_k m_k' within the set:
                 the minimum over |u| = 1 of E|y - u u'y|^2 + kappa s_k |u - (m_k'u) m_k|^2 of the
                 residual y, a penalty towards the mean; s_k is the mean variance of its genes

and, beside them, by the models. `top1`: of all terms, that of an implanted set correlates most with
its activity. `r`: |correlation|. `far`: mean |r| of terms that share no gene with the set.

    INTAE_MIRROR=folder python benchmarks/real_counts.py [--draws 10] [--first-seed 100]
        [--design groups] [--effect 2] [--models]
"""

from __future__ import annotations

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import anndata
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.linalg import eigh

import intae
from intae.gene_sets import read_gene_sets
from intae.prepared import get_annotations, second_moments
from intae.sources.downloads import find_in_mirror

BACKGROUND, KAPPA = 10.0, 1.0


def leading(matrix: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return the leading eigenvector, its sign that of the mean."""
    vector = eigh(matrix, subset_by_index=[len(matrix) - 1] * 2)[1][:, 0]
    return vector if vector @ mean >= 0 else -vector


def read_outs(prepared: AnnData) -> dict[str, np.ndarray]:
    """Return the loadings of each way of reading, cells x terms."""
    moments, I = second_moments(prepared.X), get_annotations(prepared).astype(float)
    sd = np.sqrt(np.diag(moments.covariance))
    C = moments.covariance / np.outer(sd, sd)
    values, V = np.linalg.eigh(C)
    p = BACKGROUND / (values + BACKGROUND)
    P, E = (V * p) @ V.T, (V * (values * p**2)) @ V.T
    means = I / np.sqrt(I.sum(0))
    own, shrunk = np.zeros_like(I), np.zeros_like(I)
    for k, column in enumerate(I.T):
        genes = np.flatnonzero(column)
        within, m = np.ix_(genes, genes), means[genes, k]
        own[genes, k] = leading(C[within], m)
        s = np.trace(E[within]) / len(genes)
        shrunk[genes, k] = leading(E[within] + KAPPA * s * np.outer(m, m), m)
    X = prepared.X.toarray() if hasattr(prepared.X, "toarray") else prepared.X
    Y = (X - moments.mean) / sd
    weights = {
        "mean": means, "eigenvector": own, "background": P @ means, "shrunk": P @ shrunk,
    }  # fmt: skip
    return {name: Y @ W for name, W in weights.items()}


def scores(Z: np.ndarray, prepared: AnnData) -> pd.DataFrame:
    """Hold loadings against the implanted activities: one row per set that is still a term."""
    terms, I = list(prepared.uns["terms"]), get_annotations(prepared) > 0
    activity, sets = prepared.obsm["true_activity"], prepared.uns["implanted"].index
    rows = []
    with np.errstate(invalid="ignore", divide="ignore"):
        Z = np.nan_to_num((Z - Z.mean(0)) / Z.std(0))
    for k, term in enumerate(sets):
        if term not in terms:
            continue
        place, a = terms.index(term), activity[:, k].astype(float)
        r = abs(Z.T @ ((a - a.mean()) / a.std())) / len(a)
        rank = int((r > r[place]).sum())
        far = r[(I & I[:, [place]]).sum(0) == 0].mean()
        rows.append(
            {"top1": r[place] > 0 and rank == 0, "top3": r[place] > 0 and rank < 3, "r": r[place],
             "far": far}
        )  # fmt: skip
    return pd.DataFrame(rows)


def main() -> None:
    """Print the mean of each score over all implanted sets, per way of reading."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--design", default="groups", choices=("groups", "graded"))
    parser.add_argument("--effect", type=float, default=2.0)
    parser.add_argument("--models", action="store_true", help="fit the models as well")
    asked = parser.parse_args()
    mirror = os.environ["INTAE_MIRROR"]
    counts = anndata.read_h5ad(find_in_mirror("kang17_subset.h5ad", mirror))
    counts = counts[(counts.obs["multiplets"] == "singlet") & (counts.obs["condition"] == "ctrl")]
    gene_sets = read_gene_sets(
        find_in_mirror("c2.cp.reactome.v4.0.symbols.gmt", mirror), remove_prefix="REACTOME_"
    )
    kept = intae.prepare(counts.copy(), gene_sets).uns["terms"]
    found: dict[str, list[pd.DataFrame]] = {}
    for seed in range(asked.first_seed, asked.first_seed + asked.draws):
        drawn = intae.implant(
            counts.copy(), gene_sets, design=asked.design, effect=asked.effect, among=kept,
            seed=seed,
        )  # fmt: skip
        prepared = intae.prepare(drawn, gene_sets)
        ways = read_outs(prepared)
        if asked.models:
            for model in (intae.GeneSetScore("ulm"), intae.Autoencoder(threads=1)):
                fit = model.fit(prepared)
                terms = list(prepared.uns["terms"])
                ways[repr(model)] = fit.loadings_[terms].to_numpy() * fit.terms_.loc[
                    terms, "active"
                ].to_numpy(float)
        for name, Z in ways.items():
            found.setdefault(name, []).append(scores(Z, prepared))
    table = pd.DataFrame({name: pd.concat(rows).mean() for name, rows in found.items()}).T
    n_sets = sum(map(len, next(iter(found.values()))))
    print(f"{asked.design}, effect {asked.effect:g}: {n_sets} sets in {asked.draws} draws")
    print(table.astype(float).round(3).to_string())


if __name__ == "__main__":
    main()
