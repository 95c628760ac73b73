"""Show when the autoencoder adds dense terms by itself, and what for (n_dense=None).

For each data set: genes outside its set that the widest term takes on without dense terms; the
share of the genes that take part in each factor that the set of all genes names; the dense terms
chosen. Where the truth is known, average precision of the planted terms and precision of the added
genes with the terms chosen and without any. Of Kang17, the best term for the condition as well: as
it is, and with Gaussian confounders added to it that have a share of its variance (weights in
proportion to the genes' standard deviations, so that they are as uneven as the genes are).

    INTAE_MIRROR=folder python benchmarks/confounders.py [--draws 3] [--first-seed 0]
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import pandas as pd
from anndata import AnnData
from defaults import buettner15, kang17, recovery, retina

import intae
from intae import Autoencoder
from intae.autoencoder.confounders import find_confounders, genes_outside, share_taking_part
from intae.autoencoder.model import ROUGH
from intae.metrics.separation import term_accuracy


def with_confounders(adata: AnnData, number: int, share: float, seed: int) -> AnnData:
    """Add confounders, each with a share of the variance, to prepared data."""
    rng = np.random.default_rng(seed)
    X = (adata.X.toarray() if hasattr(adata.X, "toarray") else np.asarray(adata.X)).astype(float)
    sd = X.std(0)
    for _ in range(number):
        weights = sd * rng.standard_normal(len(sd))
        weights *= np.sqrt(share * (sd**2).sum() / (weights**2).sum())
        X += np.outer(rng.standard_normal(len(X)), weights)
    changed = adata.copy()
    changed.X = X.astype(np.float32)
    return changed


def data_sets(draws: range) -> Iterator[tuple[str, int, AnnData]]:
    """Yield a name, the number of confounders planted, and the data."""
    kang = kang17()
    yield "kang17", 0, kang
    yield "retina_amacrine", 0, retina("retina_amacrine_counts.h5ad", 8)
    yield "retina_clusters", 0, retina("retina_big_clusters_counts.h5ad", 5)
    yield "buettner15", 0, buettner15()
    for share in (0.05, 0.2):
        yield f"kang17 + 1 x {share:.0%}", 1, with_confounders(kang, 1, share, draws[0])
    sets = pd.DataFrame(np.asarray(kang.varm["annotations"]), kang.var_names, kang.uns["terms"])
    for number in (0, 1, 2, 4):
        for seed in draws:
            params = {"annotations": sets, "n_active": 20, "n_dense": number, "seed": seed}
            yield f"simulated, {number}, draw {seed}", number, intae.simulate(3000, **params)
    for number in (0, 2):
        for seed in draws:
            params = {"n_active": 8, "n_dense": number, "seed": seed}
            yield f"small, {number}, draw {seed}", number, intae.simulate(1000, 300, 30, **params)


def looked_at(adata: AnnData) -> dict[str, object]:
    """Return what the choice rests on, whether or not it comes to that."""
    plain = Autoencoder(n_dense=0, threads=1).fit(adata)
    problem, known = plain._problem, plain.annotations_
    factors = find_confounders(
        problem, known, plain._set_weights, plain.lambdas_,
        tol=ROUGH, max_iter=plain.max_iter, least_share=0.0,
    )  # fmt: skip
    shares = share_taking_part(factors, np.sqrt(np.diag(problem.S)))
    return {
        "outside": int(genes_outside(plain.weights_.to_numpy(), known).max()),
        "taking_part": " ".join(f"{share:.2f}" for share in shares) or "-",
    }


def results(adata: AnnData, n_dense: int | None) -> tuple[str, str]:
    """Return the number of dense terms and the outcome: against the truth, or for the condition."""
    model = Autoencoder(n_dense=n_dense, threads=1).fit(adata)
    number = str((model.terms_["kind"] == "dense").sum())
    if "true_terms" in adata.uns:
        found = recovery(model, adata)
        return number, f"{found['ap']:.2f} {found['added_precision']:.2f}"
    if "condition" not in adata.obs:
        return number, ""
    table = term_accuracy(model.loadings_, adata.obs["condition"])
    best = table.loc[table.loc[table["split"] == "train", "accuracy"].idxmax()]
    return number, f"{best['term'].removeprefix('REACTOME_')} {best['accuracy']:.3f}"


def main() -> None:
    """Print one row a data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    args = parser.parse_args()
    rows = []
    for name, planted, adata in data_sets(range(args.first_seed, args.first_seed + args.draws)):
        row = {"data": name, "planted": planted} | looked_at(adata)
        row["chosen"], row["with these"] = results(adata, None)
        row["without"] = results(adata, 0)[1]
        rows.append(row)
        print(f"{name}: {row['chosen']} chosen", flush=True)
    print("\nOf simulated data: average precision, precision of added genes.")
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
