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
from matplotlib.lines import Line2D

import intae
from intae.figures.style import label_colors, readable, set_style

MAPS = {  # a term and what to look for
    "INTERFERON_ALPHA_BETA_SIGNALING": "interferon alpha and beta:\nstimulated cells",
    "MHC_CLASS_II_ANTIGEN_PRESENTATION": "MHC class II presentation:\nB and dendritic cells",
    "CHEMOKINE_RECEPTORS_BIND_CHEMOKINES": "chemokine receptors:\na part of the monocytes",
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
    reactome = next(folder.rglob("c2.cp.reactome.v4.0.symbols.gmt"))
    gene_sets = intae.read_gene_sets(reactome, remove_prefix="REACTOME_")
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
    figure = plt.figure(figsize=(9, 5.2), layout="constrained")
    maps, below = figure.subfigures(2, 1, height_ratios=[1.7, 1])
    axes = maps.subplots(1, 1 + len(MAPS))
    where = data.obsm["X_umap"]
    kinds = data.obs["cell_type"].astype(str)
    colors = label_colors(sorted(kinds.unique()), "cell_type")
    axes[0].scatter(*where.T, s=0.8, c=[colors[k] for k in kinds], linewidths=0, rasterized=True)
    marks = [Line2D([], [], ls="", marker="o", ms=3, color=c, label=k) for k, c in colors.items()]
    axes[0].legend(
        handles=marks, loc="upper center", bbox_to_anchor=(0.5, 0.04), ncols=2, fontsize=6,
        frameon=False, handletextpad=0, columnspacing=0.5,
    )  # fmt: skip
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
    axis.set_yticks(range(len(best)), [readable(term, 50) for term in best.index])
    axis.tick_params(labelsize=7)
    axis.set_xlabel("how much worse the cells are explained without the term", fontsize=8)
    axis.spines["left"].set_visible(False)
    axis.tick_params(axis="y", length=0)
    figure.savefig(output, dpi=160)


if __name__ == "__main__":
    main()
