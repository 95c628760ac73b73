"""Which genes should be kept: by what measure of variability, and how many?

Measured by truth implanted in control cells of Kang17 (sets drawn from all with enough genes in
the data, so that a set may be lost), and by the known pairs of config.yaml. Each choice of genes is
read by `intae.readout` and by the plain mean of genes at unit variance. `kept`: share of the
implanted sets that still are terms; `top1` and `r` count lost sets as 0. A pair's number is the
AUROC of the term for the cells that it must mark, empty where the set is lost.

    INTAE_MIRROR=folder python benchmarks/variable_genes.py [--draws 6] [--first-seed 500]
        [--flavors seurat cell_ranger pearson_residuals] [--sizes 1000 2000]
"""

from __future__ import annotations

import argparse
import logging
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import anndata
import numpy as np
import pandas as pd
import yaml
from anndata import AnnData
from sklearn.metrics import roc_auc_score

import intae
from intae.gene_sets import read_gene_sets
from intae.metrics.implanted import correlations
from intae.prepared import get_annotations, second_moments
from intae.readout import read_sets, unit_variance
from intae.sources.downloads import find_in_mirror


def read(prepared: AnnData) -> dict[str, np.ndarray]:
    """Return the loadings of each way of reading, cells x terms."""
    moments, annotations = second_moments(prepared.X), get_annotations(prepared).astype(float)
    C, scale = unit_variance(moments.covariance)
    X = prepared.X.toarray() if hasattr(prepared.X, "toarray") else prepared.X
    Y = (X - moments.mean) / scale
    return {"read": Y @ read_sets(C, annotations, len(Y)).weights, "mean": Y @ annotations}


def implanted(prepared: AnnData) -> list[dict[str, float]]:
    """Score the implanted sets: one row per set and way of reading."""
    terms, rows = list(prepared.uns["terms"]), []
    for way, Z in read(prepared).items():
        for k, term in enumerate(prepared.uns["implanted"].index):
            row = {"way": way, "kept": float(term in terms), "top1": 0.0, "r": 0.0}
            if term in terms:
                r = correlations(Z, np.asarray(prepared.obsm["true_activity"][:, k], float))
                place = terms.index(term)
                row |= {"top1": float(r[place] >= r.max()), "r": r[place]}
            rows.append(row)
    return rows


def pairs(prepared: AnnData, known: list[dict]) -> pd.DataFrame:
    """Return the AUROC of each known pair, per way of reading."""
    terms, found = list(prepared.uns["terms"]), {}
    for way, Z in read(prepared).items():
        for pair in known:
            marked = prepared.obs[pair["label"]].astype(str).isin(np.atleast_1d(pair["values"]))
            name = f"{pair['term'][:34]} / {', '.join(np.atleast_1d(pair['values']))[:20]}"
            found.setdefault(way, {})[name] = (
                roc_auc_score(marked, Z[:, terms.index(pair["term"])])
                if pair["term"] in terms
                else np.nan
            )
    return pd.DataFrame(found)


def main() -> None:
    """Print both tables for each choice of genes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=6)
    parser.add_argument("--first-seed", type=int, default=500)
    parser.add_argument(
        "--flavors", nargs="+", default=["seurat", "cell_ranger", "pearson_residuals"]
    )
    parser.add_argument("--sizes", nargs="+", type=int, default=[1000])
    asked = parser.parse_args()
    logging.disable(logging.WARNING)  # of sets that are dropped: that is what is counted
    mirror = os.environ["INTAE_MIRROR"]
    cells = anndata.read_h5ad(find_in_mirror("kang17_subset.h5ad", mirror))
    cells = cells[cells.obs["multiplets"] == "singlet"].copy()
    control = cells[cells.obs["condition"] == "ctrl"].copy()
    gene_sets = read_gene_sets(
        find_in_mirror("c2.cp.reactome.v4.0.symbols.gmt", mirror), remove_prefix="REACTOME_"
    )
    with open("config.yaml", encoding="utf-8") as file:
        known = yaml.safe_load(file)["analyses"]["kang17"]["known_pairs"]
    seeds = range(asked.first_seed, asked.first_seed + asked.draws)
    drawn = [
        (design, intae.implant(control, gene_sets, design=design, effect=effect, n_sets=8, seed=s))
        for design, effect in (("groups", 2.0), ("graded", 3.0))
        for s in seeds
    ]
    for flavor in asked.flavors:
        for size in asked.sizes:
            rows = []
            for design, counts in drawn:
                prepared = intae.prepare(counts.copy(), gene_sets, n_hvgs=size, hvg_flavor=flavor)
                rows += [{"design": design, **row} for row in implanted(prepared)]
            print(f"\n{flavor}, {size} genes, seeds {seeds}")
            print(pd.DataFrame(rows).groupby(["design", "way"]).mean().round(3).to_string())
            prepared = intae.prepare(cells.copy(), gene_sets, n_hvgs=size, hvg_flavor=flavor)
            print(pairs(prepared, known).round(2).to_string(), flush=True)


if __name__ == "__main__":
    main()
