"""Draw the README's picture: terms of real cells on a UMAP, and what the cells need them for.

    INTAE_MIRROR=folder python benchmarks/readme_picture.py docs/kang17_terms.png

The cells are the 4,470 of Kang17's subset, blood cells of eight donors with and without
interferon beta, prepared as in tests/config/kang17_subset.yaml. The terms of the maps are those
that mark cells which every biologist knows; the bars show all that `necessity` ranks first.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"

import matplotlib.pyplot as plt
import numpy as np
import scanpy as sc

import intae
from intae.figures.style import label_colors, set_style

MAPS = {  # a term and what to look for
    "INTERFERON_ALPHA_BETA_SIGNALING": "interferon alpha/beta signalling:\nstimulated cells",
    "MHC_CLASS_II_ANTIGEN_PRESENTATION": "MHC class II presentation:\nB and dendritic cells",
    "RESPONSE_TO_ELEVATED_PLATELET_CYTOSOLIC_CA2_": "response to platelet calcium:\nmegakaryocytes",
}
N_BARS = 8


def main() -> None:
    """Fit, map, and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    output = parser.parse_args().output
    folder = Path(os.environ["INTAE_MIRROR"])
    cells = sc.read_h5ad(next(folder.rglob("kang17_subset.h5ad")))
    cells = cells[cells.obs["multiplets"] == "singlet"].copy()
    gene_sets = next(folder.rglob("c2.cp.reactome.v4.0.symbols.gmt"))
    data = intae.prepare(cells, gene_sets, min_genes=12)
    model = intae.Autoencoder(seed=0).fit(data)
    necessity = model.necessity()

    sc.pp.pca(data, n_comps=30, random_state=0)
    sc.pp.neighbors(data, random_state=0)
    sc.tl.umap(data, random_state=0)
    draw(data, model.loadings_, necessity, output)


def draw(data, loadings, necessity, output: Path) -> None:
    """Draw four maps above the bars, as wide as the README shows them."""
    set_style()
    figure = plt.figure(figsize=(9, 4.6), layout="constrained")
    maps, below = figure.subfigures(2, 1, height_ratios=[1.25, 1])
    axes = maps.subplots(1, 1 + len(MAPS))
    where = data.obsm["X_umap"]
    kinds = data.obs["cell_type"].astype(str)
    colors = label_colors(sorted(kinds.unique()), "cell_type")
    axes[0].scatter(*where.T, s=0.8, c=[colors[k] for k in kinds], linewidths=0, rasterized=True)
    for kind in kinds.unique():
        x, y = np.median(where[kinds == kind], axis=0)
        axes[0].text(x, y, kind.removesuffix(" cells"), fontsize=6, ha="center", va="center")
    axes[0].set_title("cell types", fontsize=8)
    for axis, (term, title) in zip(axes[1:], MAPS.items(), strict=True):
        z = loadings[term].to_numpy()
        low, high = np.quantile(z, [0.02, 0.98])
        order = np.argsort(z)
        shown = axis.scatter(
            *where[order].T, s=0.8, c=z[order], vmin=low, vmax=high, cmap="viridis",
            linewidths=0, rasterized=True,
        )  # fmt: skip
        axis.set_title(title, fontsize=8)
    for axis in axes:
        axis.set(xticks=[], yticks=[], aspect="equal")
        axis.spines[:].set_visible(False)
    bar = maps.colorbar(shown, ax=list(axes), shrink=0.7, pad=0.01)
    bar.set_ticks([low, high], labels=["low", "high"], fontsize=7)

    axis = below.subplots()
    best = necessity.nlargest(N_BARS, "rise")[::-1]
    axis.barh(range(len(best)), best["rise"], color="#4477AA", height=0.7)
    names = [term.replace("_", " ").strip().capitalize() for term in best.index]
    axis.set_yticks(range(len(best)), [n if len(n) < 50 else n[:47] + "..." for n in names])
    axis.tick_params(labelsize=7)
    axis.set_xlabel(
        "how much worse the cells are explained without the term (rise of F + R)", fontsize=8
    )
    axis.spines["left"].set_visible(False)
    axis.tick_params(axis="y", length=0)
    figure.savefig(output, dpi=160)


if __name__ == "__main__":
    main()
