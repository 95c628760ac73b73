"""Which way of reading gene sets follows a truth implanted in real counts, and what does each add?

Draws are made by `intae.implant` in control cells of Kang17, then prepared with the defaults. The
ways of reading are steps towards `intae.readout`, where the equations stand:

    mean            z = m_k'y, the plain mean of genes at unit variance
    eigenvector     z = v_k'y, the leading direction within the set
    background      z = m_k'P y, the mean after the background is taken off
    shrunk          z = u_k'P y, u_k between the mean and the residual's leading direction
    shrunk+markers  the same, with marker sets read by v_k: Autoencoder() and FSCLVM()

and, beside them, models: the autoencoder with the paper's encoder, f-scLVM, ULM. `top1`: of all
terms, that of an implanted set correlates most with its activity. `r`: |correlation|. `far`: mean
|r| of terms that share no gene with the set; `followed`: how many of them per set have |r| > .1.
`called`: share of the implanted sets that are detected (of models that do not call: active).

At the end, calls: the share of all terms called in the draws, in a null with the same cells and
nothing implanted, in which gene sets hold other genes of like expression, and false discoveries,
the second over the first.

    INTAE_MIRROR=folder python benchmarks/real_counts.py [--draws 10] [--first-seed 100]
        [--design groups] [--effect 2] [--nulls 5]
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

import intae
from intae.base import FactorModel
from intae.gene_sets import read_gene_sets
from intae.metrics.implanted import calls, correlations
from intae.prepared import get_annotations, second_moments
from intae.readout import read_sets, unit_variance
from intae.sources.downloads import find_in_mirror

NOTHING = 1e9  # a background so large that nothing is taken off
MEAN_ONLY = 1e9  # a penalty so large that only the mean is left
FOLLOWS = 0.1


def read_outs(prepared: AnnData) -> dict[str, np.ndarray]:
    """Return the loadings of each way of reading, cells x terms."""
    moments, annotations = second_moments(prepared.X), get_annotations(prepared).astype(float)
    C, scale = unit_variance(moments.covariance)
    X = prepared.X.toarray() if hasattr(prepared.X, "toarray") else prepared.X
    Y = (X - moments.mean) / scale
    means = annotations / np.sqrt(annotations.sum(0))
    ways = {
        "mean": means,
        "eigenvector": _plain(C, annotations, background=NOTHING, mean_penalty=0.1),
        "background": _plain(C, annotations, mean_penalty=MEAN_ONLY),
        "shrunk": _plain(C, annotations),
        "shrunk+markers": read_sets(C, annotations, len(Y)).weights,
    }
    return {name: Y @ W for name, W in ways.items()}


def _plain(C: np.ndarray, annotations: np.ndarray, **settings: float) -> np.ndarray:
    """Return read-out weights without marker sets: with so few cells none can be one."""
    return read_sets(C, annotations, 1, **settings).weights


def models() -> dict[str, FactorModel]:
    """Return the models beside them, each fitted once: `encode` gives what else they can read."""
    return {
        "Autoencoder()": intae.Autoencoder(threads=1),
        "FSCLVM()": intae.FSCLVM(threads=1),
        "ULM": intae.GeneSetScore("ulm", threads=1),
    }


OTHERWISE = {  # what `encode` of a model is called
    "Autoencoder()": 'Autoencoder(readout="encoder")',
    "FSCLVM()": 'FSCLVM(readout="posterior")',
}


def scores(Z: np.ndarray, prepared: AnnData, called: np.ndarray | None) -> pd.DataFrame:
    """Hold loadings against the implanted activities: one row per set that is still a term."""
    terms, known = list(prepared.uns["terms"]), get_annotations(prepared) > 0
    rows = []
    for k, term in enumerate(prepared.uns["implanted"].index):
        if term not in terms:
            continue
        place = terms.index(term)
        r = correlations(Z, np.asarray(prepared.obsm["true_activity"][:, k], float))
        rank, far = int((r > r[place]).sum()), r[(known & known[:, [place]]).sum(0) == 0]
        rows.append(
            {
                "top1": r[place] > 0 and rank == 0,
                "top3": r[place] > 0 and rank < 3,
                "r": r[place],
                "far": far.mean(),
                "followed": (far > FOLLOWS).sum(),
                "called": np.nan if called is None else called[place],
            }
        )
    return pd.DataFrame(rows).astype(float)


def main() -> None:
    """Print the mean of each score over all implanted sets, per way of reading, and the calls."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--design", default="groups", choices=("groups", "graded"))
    parser.add_argument("--effect", type=float, default=2.0)
    parser.add_argument("--nulls", type=int, default=5, help="draws of the null for calls")
    asked = parser.parse_args()
    mirror = os.environ["INTAE_MIRROR"]
    counts = anndata.read_h5ad(find_in_mirror("kang17_subset.h5ad", mirror))
    counts = counts[(counts.obs["multiplets"] == "singlet") & (counts.obs["condition"] == "ctrl")]
    gene_sets = read_gene_sets(
        find_in_mirror("c2.cp.reactome.v4.0.symbols.gmt", mirror), remove_prefix="REACTOME_"
    )
    kept = intae.prepare(counts.copy(), gene_sets).uns["terms"]
    found: dict[str, list[pd.DataFrame]] = {}
    share: dict[str, dict[str, list[float]]] = {
        name: {"draws": [], "null": []} for name in models()
    }
    seeds = range(asked.first_seed, asked.first_seed + asked.draws)
    for seed in seeds:
        drawn = intae.implant(
            counts.copy(), gene_sets, design=asked.design, effect=asked.effect, among=kept,
            seed=seed,
        )  # fmt: skip
        prepared = intae.prepare(drawn, gene_sets)
        for name, Z in read_outs(prepared).items():
            found.setdefault(name, []).append(scores(Z, prepared, None))
        terms = list(prepared.uns["terms"])
        for name, model in models().items():
            model.fit(prepared)
            called = calls(model.terms_.loc[terms])
            share[name]["draws"].append(called.mean())
            Z = model.loadings_[terms].to_numpy()
            found.setdefault(name, []).append(scores(Z, prepared, np.asarray(called)))
            if name in OTHERWISE:
                Z = model.encode(prepared)[terms].to_numpy()
                found.setdefault(OTHERWISE[name], []).append(scores(Z, prepared, None))
    table = pd.DataFrame({name: pd.concat(rows).mean() for name, rows in found.items()}).T
    error = pd.DataFrame({name: pd.concat(rows).sem() for name, rows in found.items()}).T
    n_sets = sum(map(len, next(iter(found.values()))))
    print(f"{asked.design}, effect {asked.effect:g}, seeds {seeds}: {n_sets} sets; their mean")
    print(table.round(3).to_string())
    print("and its standard error")
    print(error[["top1", "r"]].round(3).to_string())
    for seed in range(asked.first_seed, asked.first_seed + asked.nulls):
        null = intae.implanted_null(counts.copy(), "sets", seed=seed)
        prepared = intae.prepare(null, gene_sets)
        for name, model in models().items():
            found_there = model.fit(prepared).terms_.loc[list(prepared.uns["terms"])]
            share[name]["null"].append(calls(found_there).mean())
    if asked.nulls:
        called = pd.DataFrame(
            {name: {k: np.mean(v) for k, v in s.items()} for name, s in share.items()}
        ).T
        called["false discoveries"] = called["null"] / called["draws"]
        print("share of terms called")
        print(called.round(3).to_string())


if __name__ == "__main__":
    main()
