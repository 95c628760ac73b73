"""Small runs of the workflow: one or two quick methods on few cells."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import yaml
from anndata import AnnData

ROOT = Path(__file__).parents[1]


def snakemake(folder, *arguments, mirror=None, snakefile=ROOT / "Snakefile"):
    """Run snakemake of this checkout in another folder and return the finished process."""
    environment = {k: v for k, v in os.environ.items() if k != "INTAE_MIRROR"}
    environment["OMP_NUM_THREADS"] = "1"
    if mirror is not None:
        environment["INTAE_MIRROR"] = str(mirror)
    command = [sys.executable, "-m", "snakemake", "-s", str(snakefile), "--cores", "2", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def said(done):
    """Return all that a process said."""
    return done.stdout + done.stderr


def write_config(path, config):
    """Write a config; return the arguments that name it."""
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return ["--configfile", str(path)]


def write_cells(path, seed=0, n_cells=60):
    """Write counts of few cells, with two groups and three patients."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(1.0, size=(n_cells, 40)) * 2 + 0.1).astype(np.float32)
    counts[:, 0] += 1
    cells = AnnData(counts)
    cells.var_names = [f"GENE{i}" for i in range(cells.n_vars)]
    cells.obs_names = [f"c{i}" for i in range(cells.n_obs)]
    cells.obs["group"] = np.where(np.arange(n_cells) < n_cells // 2, "a", "b")
    cells.obs["patient"] = rng.choice(["p1", "p2", "p3"], n_cells)
    cells.obsm["X_umap"] = rng.normal(size=(n_cells, 2))  # so that none is computed
    cells.write_h5ad(path)


def write_sets(path, n_sets=3):
    """Write gene sets of the genes of the cells."""
    genes = [f"GENE{i}" for i in range(40)]
    lines = [f"SET_{k}\tx\t" + "\t".join(genes[10 * k : 10 * k + 15]) for k in range(n_sets)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def small(results="results", cells="cells.h5ad", sets="sets.gmt", methods=("pca",)):
    """Return a config of one data set in files, and quick methods."""
    return {
        "results": results,
        "run": {"datasets": ["own"], "methods": list(methods)},
        "gene_sets": {"own_sets": {"file": str(sets)}},
        "datasets": {
            "own": {
                "source": "file", "file": str(cells), "gene_sets": ["own_sets"], "min_genes": 4,
                "n_hvgs": 30, "labels": {"condition": "group"},
            }
        },
        "methods": {"pca": {"halves": 0, "folds": 0}},
    }  # fmt: skip
