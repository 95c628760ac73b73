"""What is an evidence worth? Is a term that is on with this evidence also on for other cells?

The exact autoencoder is fitted to both halves of the cells, drawn at random, and each half is held
against the other. `share` is the evidence as a share of F + R. The bins were looked at once, on
the halvings that are reported.

    INTAE_MIRROR=folder python benchmarks/evidence.py [--halvings 5]
"""

from __future__ import annotations

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import anndata
import numpy as np
import pandas as pd

import intae
from intae.sources.downloads import find_in_mirror

BINS = [-np.inf, -3e-4, 0, 3e-3, np.inf]


def main() -> None:
    """Print, for each bin of evidence, how many terms are in it and how many are on elsewhere."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--halvings", type=int, default=5, help="seeds 0, 1, ...")
    chosen = parser.parse_args()
    folder = os.environ["INTAE_MIRROR"]
    cells = anndata.read_h5ad(find_in_mirror("kang17_subset.h5ad", folder))
    data = intae.prepare(cells, find_in_mirror("c2.cp.reactome.v4.0.symbols.gmt", folder))
    rows = []
    for seed in range(chosen.halvings):
        order = np.random.default_rng(seed).permutation(data.n_obs)
        halves = np.array_split(order, 2)
        fits = [intae.Autoencoder().fit(data[np.sort(half)].copy()) for half in halves]
        for one, other in (fits, fits[::-1]):
            terms = one.terms_[one.terms_["kind"] == "annotated"]
            share = terms["evidence"] / one.history_["objective"].iloc[-1]
            on = other.terms_.loc[terms.index, "active"]
            rows.append(pd.DataFrame({"share": share, "on": terms["active"], "on_elsewhere": on}))
    table = pd.concat(rows)
    groups = table.groupby(pd.cut(table["share"], BINS), observed=True)
    print(
        groups.agg(terms=("on", "size"), on=("on", "mean"), on_elsewhere=("on_elsewhere", "mean"))
    )


if __name__ == "__main__":
    main()
