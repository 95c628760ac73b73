"""More genes and more terms: seconds and memory of the exact autoencoder, beside one product.

    python benchmarks/many_terms.py [--sizes 1000x150 3000x500 5000x2000] [--cells 5000]

Each size is genes x terms. Gene sets are as MSigDB's: 13 to 500 genes, half of them 40 or fewer,
and every second one holds most of an earlier one. Cells are drawn with them by `intae.simulate`
(seed 0), a tenth of the terms active, and every fit runs in a process of its own, on one thread.
Columns: seconds of the fit, of its second moments alone, and of all eigenvalues of such a matrix
(the penalties need the leading ones); peak memory; steps of descent; terms that are on; planted
terms; how many of these are on.
"""

import argparse
import os
import subprocess
import sys

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import json
import resource
import time

import numpy as np
import pandas as pd


def gene_sets(n_genes: int, n_terms: int) -> pd.DataFrame:
    """Return gene sets with sizes and overlaps like MSigDB's, genes x terms, 0/1."""
    rng = np.random.default_rng(0)
    sizes = np.exp(rng.normal(np.log(40), 0.8, n_terms)).clip(13, 500).astype(int)
    table = np.zeros((n_genes, n_terms), dtype=np.uint8)
    for k, size in enumerate(sizes):
        chosen = rng.permutation(n_genes)
        if k % 2:
            earlier = rng.permutation(np.flatnonzero(table[:, rng.integers(k)]))
            most = earlier[: int(rng.uniform(0.5, 0.9) * len(earlier))]
            chosen = np.concatenate([most, np.setdiff1d(chosen, most, assume_unique=True)])
        table[chosen[: max(size, 13)], k] = 1
    genes, terms = (pd.Index([f"{c}{i}" for i in range(n)])
                    for c, n in (("GENE", n_genes), ("SET_", n_terms)))  # fmt: skip
    return pd.DataFrame(table, genes, terms)


def measure(n_genes: int, n_terms: int, n_cells: int) -> dict:
    """Fit one size; return what the table shows."""
    import intae
    from intae.moments import second_moments

    sets = gene_sets(n_genes, n_terms)
    adata = intae.simulate(n_cells, annotations=sets, n_active=n_terms // 10, seed=0)
    small = intae.simulate(60, 40, 5, n_active=3, seed=0)
    intae.Autoencoder(threads=1).fit(small)  # so that imports are done
    began = time.perf_counter()
    moments = second_moments(adata.X)
    passed = time.perf_counter()
    np.linalg.eigvalsh(moments.covariance)
    solved = time.perf_counter()
    model = intae.Autoencoder(threads=1).fit(adata)
    done = time.perf_counter()
    on = model.terms_["active"]
    truth = adata.uns["true_terms"]
    planted = truth.index[truth["active"].astype(bool)].intersection(on.index[:n_terms])
    return {
        "fit": done - solved,
        "moments": passed - began,
        "eigenvalues": solved - passed,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "steps": int(model.n_iter_),
        "on": int(on.sum()),
        "planted": len(planted),
        "planted_on": int(on[planted].sum()),
    }


def main() -> None:
    """Print a row per size, as CSV."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=["1000x150", "3000x500", "5000x2000"])
    parser.add_argument("--cells", type=int, default=5000)
    parser.add_argument("--one", action="store_true", help="measure the size in this process")
    chosen = parser.parse_args()
    if chosen.one:
        n_genes, n_terms = map(int, chosen.sizes[0].split("x"))
        print(json.dumps(measure(n_genes, n_terms, chosen.cells)))
        return
    header = None
    for size in chosen.sizes:
        command = [sys.executable, __file__, "--one", "--sizes", size, "--cells", str(chosen.cells)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode:
            print(size, "failed:", ran.stderr.strip().splitlines()[-1], sep=",", flush=True)
            continue
        found = json.loads(ran.stdout.splitlines()[-1])
        if header is None:
            header = ["size", *found]
            print(*header, sep=",")
        print(size, *(f"{value:.4g}" for value in found.values()), sep=",", flush=True)


if __name__ == "__main__":
    main()
