"""Choose the default penalties: one pair of fractions of the largest for all data sets.

For each pair (lambda1 / lambda1_max, lambda3 / lambda3_max) and each data set: the exact solver
on random halves of the cells. Shown are the number of active terms, the share of variance that a
half's W reconstructs in the other half, and how far the two halves agree: median and mean over
terms active in both of |correlation of loadings|, Jaccard index of the active terms, terms shared
among the ten largest. On simulated data with the real gene sets of Kang17, besides, beside f-scLVM
with its defaults on the same draws: average precision of the planted terms by relevance (those of
the autoencoder that are off by the evidence for them), precision and recall of the added genes and
AUROC of right against wrong genes by |weight|; the draws have two dense confounders, and the models
two dense terms, none, or (the default) as many as they choose, which f-scLVM does not.

    INTAE_MIRROR=folder python benchmarks/defaults.py [--halves 5] [--draws 10] [--grid]
    INTAE_MIRROR=folder python benchmarks/defaults.py --halves 0 --draws 3 # the simulation only

The folder holds kang17_subset.h5ad, the retina subsets, Buettneretal.csv.gz and the Reactome v4.0
gene sets, in any subfolders.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
from anndata import AnnData
from sklearn.metrics import average_precision_score, roc_auc_score

import intae
from intae import Autoencoder
from intae.autoencoder.data import Cells
from intae.autoencoder.lambdas import FRACTION1, FRACTION3, lambda_max, size_weights
from intae.base import FactorModel
from intae.metrics.terms import ranking

GRID = [(f1, f3) for f1 in (0.05, 0.13, 0.3) for f3 in (0.025, 0.05, 0.1)]


def mirror(name: str) -> Path:
    """Find a file by name below INTAE_MIRROR."""
    found = sorted(Path(os.environ["INTAE_MIRROR"]).rglob(name))
    if not found:
        msg = f"INTAE_MIRROR={os.environ['INTAE_MIRROR']} does not hold {name}"
        raise FileNotFoundError(msg)
    return found[0]


def kang17() -> AnnData:
    raw = anndata.read_h5ad(mirror("kang17_subset.h5ad"))
    raw = raw[raw.obs["multiplets"] == "singlet"].copy()
    return intae.prepare(raw, mirror("c2.cp.reactome.v4.0.symbols.gmt"), min_genes=12)


def retina(name: str, min_genes: int) -> AnnData:
    sets = intae.read_gene_sets(mirror("c2.cp.reactome.v4.0.symbols.gmt"))
    sets |= intae.read_gene_sets(mirror("astrocytes.csv"))
    raw = anndata.read_h5ad(mirror(name))
    raw = raw[np.asarray(raw.X.sum(1)).ravel() > 0].copy()
    return intae.prepare(raw, sets, min_genes=min_genes)


def buettner15() -> AnnData:
    table = pd.read_csv(mirror("Buettneretal.csv.gz"), index_col=0)
    stages = table.index.astype(str)
    table.index = [f"cell_{i + 1}" for i in range(len(table))]
    cells = AnnData(table.astype(np.float32), obs=pd.DataFrame({"stage": stages}, table.index))
    sets = mirror("c2.cp.reactome.v4.0.symbols.gmt")
    return intae.prepare(cells, sets, normalize=False, log1p=False)


def simulated(annotations: pd.DataFrame, seed: int) -> AnnData:
    return intae.simulate(3000, annotations=annotations, n_active=20, n_dense=2, seed=seed)


def fit(adata: AnnData, fractions: tuple[float, float] | None, n_dense: int | None) -> Autoencoder:
    """Fit with the defaults, or with these fractions of the data's own largest penalties."""
    if fractions is None:
        return Autoencoder(n_dense=n_dense, threads=1).fit(adata)
    annotations = np.asarray(adata.varm["annotations"], dtype=float)
    weights = size_weights(annotations, annotations.shape[1])
    largest = lambda_max(Cells(adata, None).covariance, annotations, 0.1, weights)
    lambda1, lambda3 = np.multiply(fractions, largest)
    return Autoencoder(
        n_dense=n_dense, lambda1=lambda1, lambda2=lambda1, lambda3=lambda3,
        weighting="sqrt-size", threads=1,
    ).fit(adata)  # fmt: skip


def agreement(one: Autoencoder, two: Autoencoder, adata: AnnData) -> dict:
    """Compare two fits by the loadings they give to all cells."""
    on_one, on_two = one.terms_["active"].to_numpy(), two.terms_["active"].to_numpy()
    both = on_one & on_two
    a, b = (m.transform(adata).to_numpy()[:, both] for m in (one, two))
    a, b = a - a.mean(0), b - b.mean(0)
    r = abs((a * b).sum(0)) / np.sqrt((a**2).sum(0) * (b**2).sum(0))
    top = [set(m.terms_["relevance"].nlargest(10).index) for m in (one, two)]
    either = (on_one | on_two).sum()
    return {
        "active": on_one.sum(),
        "median_r": np.median(r) if both.any() else np.nan,
        "mean_r": r.mean() if both.any() else np.nan,
        "jaccard": both.sum() / either if either else 1.0,
        "top10": len(top[0] & top[1]),
    }


def held_out(model: Autoencoder, adata: AnnData) -> float:
    """Share of the variance of other cells that the model reconstructs."""
    X = adata.X.toarray() if hasattr(adata.X, "toarray") else np.asarray(adata.X)
    left = X - model.reconstruct(adata).to_numpy()
    return 1 - (left**2).sum() / ((X - model.mean_) ** 2).sum()


def recovery(model: FactorModel, adata: AnnData) -> dict:
    """Score a fit of simulated data against the planted truth."""
    known = adata.varm["annotations"] > 0
    n_known = known.shape[1]
    planted = adata.uns["true_terms"]["active"].to_numpy()[:n_known]
    W = model.weights_.to_numpy()[:, :n_known]
    true = adata.varm["true_weights"][:, :n_known] != 0
    terms = model.terms_.iloc[:n_known]
    on = terms["active"].to_numpy()
    added = np.column_stack([adata.var_names.isin(g.split()) for g in terms["genes_added"]])
    missing = true & ~known
    aurocs = []
    for k in np.flatnonzero(planted & on):
        inside = known[:, k]
        if 0 < true[inside, k].sum() < inside.sum():
            aurocs.append(roc_auc_score(true[inside, k], abs(W[inside, k])))
    return {
        "active": on.sum(),
        "rightly": (on & planted).sum(),
        "ap": average_precision_score(planted, ranking(terms)),
        "genes_added": added.sum(),
        "genes_missing": missing.sum(),
        "added_precision": (added & missing).sum() / added.sum() if added.any() else np.nan,
        "added_recall": (added & missing).sum() / missing.sum(),
        "wrong_auroc": np.mean(aurocs),
    }


def halves(adata: AnnData, seeds: range, donors: bool = False):
    """Yield random halves of the cells, or of the donors."""
    for seed in seeds:
        rng = np.random.default_rng(seed)
        if donors:
            names = rng.permutation(adata.obs["donor"].unique())
            first = adata.obs["donor"].isin(names[: len(names) // 2]).to_numpy()
        else:
            first = rng.permutation(adata.n_obs) < adata.n_obs // 2
        yield adata[first].copy(), adata[~first].copy()


def simulation(
    annotations: pd.DataFrame, draws: range, fractions: tuple[float, float] | None
) -> pd.DataFrame:
    """Score the models on simulated draws; f-scLVM, without penalties, beside the defaults only."""
    rows = []
    for seed in draws:
        adata = simulated(annotations, seed)
        for n_dense in (None, 2, 0):
            fits = {"Autoencoder": fit(adata, fractions, n_dense)}
            if fractions is None and n_dense is not None:
                fits["FSCLVM"] = intae.FSCLVM(n_dense=n_dense, threads=1).fit(adata)
            for name, model in fits.items():
                used = {"dense": (model.terms_["kind"] == "dense").sum()}
                scores = recovery(model, adata) | used | {"seconds": model.seconds_}
                given = "default" if n_dense is None else str(n_dense)
                rows.append({"n_dense": given, "model": name} | scores)
    groups = pd.DataFrame(rows).groupby(["n_dense", "model"], sort=False)
    mean, sd = groups.mean().round(2).astype(str), groups.std().round(2).astype(str)
    return mean + " (" + sd + ")"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--halves", type=int, default=5, help="random halves of each data set")
    parser.add_argument("--draws", type=int, default=10, help="simulated data sets")
    parser.add_argument("--first-seed", type=int, default=0, help="of halves and draws")
    parser.add_argument("--data", nargs="*", help="only these data sets, without the simulation")
    parser.add_argument("--grid", action="store_true", help="other fractions than the defaults too")
    args = parser.parse_args()
    kang = kang17()
    data = {
        "kang17": kang,
        "retina_amacrine": retina("retina_amacrine_counts.h5ad", 8),
        "retina_clusters": retina("retina_big_clusters_counts.h5ad", 5),
        "buettner15": buettner15(),
    }
    annotations = pd.DataFrame(
        np.asarray(kang.varm["annotations"]), kang.var_names, list(kang.uns["terms"])
    )
    if args.data:
        data = {name: data[name] for name in args.data}
    for name, adata in data.items():
        print(f"{name}: {adata.n_obs} x {adata.n_vars}, {len(adata.uns['terms'])} terms")
    seeds = range(args.first_seed, args.first_seed + args.halves)
    for fractions in [None, *(GRID if args.grid else [])]:
        rows = []
        for name, adata in data.items() if args.halves else ():
            for kind in ("cells", "donors") if name == "kang17" else ("cells",):
                found = []
                for a, b in halves(adata, seeds, kind == "donors"):
                    one, two = fit(a, fractions, None), fit(b, fractions, None)
                    found.append(agreement(one, two, adata) | {"held_out": held_out(one, b)})
                rows.append({"data": name, "halves": kind} | pd.DataFrame(found).mean().to_dict())
        shown = f"{FRACTION1}, {FRACTION3} with the noise floor: the defaults"
        print(f"\nlambda1, lambda3 as fractions of their largest: {fractions or shown}")
        if args.halves:
            print(pd.DataFrame(rows).round(3).to_string(index=False), flush=True)
        if args.draws and not args.data:
            draws = range(args.first_seed, args.first_seed + args.draws)
            print(f"\nsimulated: mean of {args.draws} draws, and their standard deviation")
            print(simulation(annotations, draws, fractions).T.to_string(), flush=True)


if __name__ == "__main__":
    main()
