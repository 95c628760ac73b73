"""Are p values of `intae.tl.compare` uniform where there is nothing to find?

Kang17, its eight donors in one condition only, so that nothing differs but the donors:

    Welch     all 35 ways to divide the donors into four and four, in both conditions
    cells     the same divisions, with every cell counted as a replicate, as a warning
    paired    cells of a donor divided at random into two `conditions` (seeds 0, 1, ...)

    INTAE_MIRROR=folder python benchmarks/shuffled_donors.py [--draws 20]
"""

from __future__ import annotations

import argparse
import itertools
import logging
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import anndata
import numpy as np
import pandas as pd
from scipy import stats

import intae
from intae.replicates import between_conditions
from intae.sources.downloads import find_in_mirror
from intae.tl import loadings_of


def main() -> None:
    """Print, for each way of testing, how many p values there are and how many are small."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=20, help="of random halves of the cells")
    chosen = parser.parse_args()
    logging.disable(logging.WARNING)  # of cell types with too few cells
    folder = os.environ["INTAE_MIRROR"]
    cells = anndata.read_h5ad(find_in_mirror("kang17_subset.h5ad", folder))
    intae.tl.terms(cells, find_in_mirror("c2.cp.reactome.v4.0.symbols.gmt", folder))
    donors = list(cells.obs["donor"].astype(str).unique())
    found: dict[str, list[np.ndarray]] = {"Welch": [], "cells": [], "paired": []}
    for _, obs in cells.obs.groupby("condition", observed=True):
        loadings, donor = loadings_of(cells, "intae").loc[obs.index], obs["donor"].astype(str)

        def p_values(group: np.ndarray, loadings=loadings, obs=obs) -> np.ndarray:
            condition = pd.Series(np.where(group, "a", "b"), obs.index, name="condition")
            table = between_conditions(loadings, condition, obs["donor"], obs["cell_type"])
            return table["p_value"].to_numpy()

        for others in itertools.combinations(donors[1:], 3):
            group = donor.isin([donors[0], *others]).to_numpy()
            found["Welch"].append(p_values(group))
            a, b = loadings.to_numpy()[group], loadings.to_numpy()[~group]
            found["cells"].append(stats.ttest_ind(a, b, equal_var=False).pvalue)
        for seed in range(chosen.draws):
            found["paired"].append(p_values(np.random.default_rng(seed).random(len(obs)) < 0.5))
    for way, several in found.items():
        p = np.concatenate(several)
        called = np.mean([(stats.false_discovery_control(one) < 0.05).any() for one in several])
        print(
            f"{way}: {len(p)} p values, below .05 {(p < 0.05).mean():.3f}, below .01 "
            f"{(p < 0.01).mean():.4f}; divisions with an adjusted one below .05 {called:.2f}"
        )


if __name__ == "__main__":
    main()
