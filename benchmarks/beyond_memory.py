"""Cells beyond memory: what each step from an h5ad to loadings costs, beside its limit and a peer.

    python benchmarks/beyond_memory.py --cells 50000 200000 --folder FOLDER

For each number of cells an h5ad is written to FOLDER as people have them: 20,000 genes, sparse
counts of about 1,500 genes a cell, gzip. Its cells are drawn from a pool of distinct ones with cell
types and gene sets that move. Then every step runs in a process of its own, whose seconds and peak
memory count, and the seconds of all its threads together (`cpu`):

    read            the file, chunk after chunk, with nothing done: what gzip allows
    prepare         intae.prepare(..., out=): two passes, 1,000 variable genes
    moments of raw  second moments of these genes, normalised on the way, from the compressed file
    moments         the same from what prepare wrote
    autoencoder     Autoencoder().fit of what prepare wrote, loadings of all cells included
    fsclvm          FSCLVM().fit, the same
    loadings        write_loadings: of all cells, to a file
    pca             a peer: scanpy's PCA on Dask (covariance_eigh), of what prepare wrote, 50
                    components, loadings included; left out where Dask is not installed
    ulm             a peer: decoupler's ULM of 20,000 of the cells, times cells / 20,000

`limit` is the least that the step can take on this machine: the time of `read`, for `prepare` twice
that; for moments from what prepare wrote, X'X at the speed of double precision products measured
here, as dense as the file's entries ask for: the dense product, or one multiplication for each pair
of a cell's entries. Memory is that of the process, in MB. Rows are CSV. `--threads` is for BLAS.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

STEPS = (
    "read", "prepare", "moments of raw", "moments", "autoencoder", "fsclvm", "loadings", "pca",
    "ulm",
)  # fmt: skip
N_GENES, POOL, FEW = 20_000, 20_000, 20_000
BASE = CHUNK = 131_072  # cells that are drawn; entries of a chunk of the file


def gene_sets():
    """Return 150 sets of 80 to 250 of the first 8,000 genes."""
    import numpy as np

    rng = np.random.default_rng(0)
    sizes = rng.integers(80, 250, 150)
    return {
        f"SET_{k}": [f"GENE{i}" for i in rng.choice(8000, size, replace=False)]
        for k, size in enumerate(sizes)
    }


def pool():
    """Return counts of distinct cells, CSR: 20 cell types, and 30 gene sets that move."""
    import numpy as np
    from scipy import sparse

    rng = np.random.default_rng(1)
    level = rng.lognormal(0, 2.0, N_GENES).astype(np.float32)
    types = np.where(rng.random((20, N_GENES)) < 0.03, rng.lognormal(0, 1.5, (20, N_GENES)), 1)
    sets = list(gene_sets().values())[:30]
    members = np.zeros((30, N_GENES), dtype=np.float32)
    for k, genes in enumerate(sets):
        members[k, [int(gene.removeprefix("GENE")) for gene in genes]] = 0.5
    blocks = []
    for _ in range(0, POOL, 1000):
        rates = level * types[rng.integers(0, 20, 1000)]
        rates = rates * np.exp(rng.normal(size=(1000, 30)) @ members)
        rates *= rng.lognormal(np.log(3500), 0.4, (1000, 1)) / rates.sum(1, keepdims=True)
        blocks.append(sparse.csr_matrix(rng.poisson(rates).astype(np.float32)))
    return sparse.vstack(blocks, "csr")


def generate(n_cells, path):
    """Write an h5ad with gzip in chunks, as anndata lays it out; after `BASE` cells they repeat."""
    import h5py
    import numpy as np
    import pandas as pd
    from anndata import AnnData

    repeats, rest = divmod(n_cells, BASE)
    base = pool()[np.random.default_rng(2).integers(0, POOL, min(BASE, n_cells))]
    surplus = base.nnz % CHUNK if repeats else 0  # entries, so that repeats are whole chunks
    keep = np.ones(base.nnz, dtype=bool)
    keep[base.indptr[:surplus]] = False
    starts = base.indptr - np.minimum(np.arange(len(base.indptr)), surplus)
    obs = pd.DataFrame(index=[f"cell{i}" for i in range(n_cells)])
    AnnData(obs=obs, var=pd.DataFrame(index=[f"GENE{i}" for i in range(N_GENES)])).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        file.pop("X", None)
        group = file.create_group("X")
        group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
        group.attrs["shape"] = (n_cells, N_GENES)
        ends = repeats * starts[-1].astype(np.int64) + starts[rest]
        entries = {"shape": (ends,), "compression": "gzip", "chunks": (CHUNK,)}
        for name, values in (("data", base.data[keep]), ("indices", base.indices[keep])):
            dataset = group.create_dataset(name, dtype=values.dtype, **entries)
            for start in range(0, len(values) if repeats else 0, CHUNK):
                dataset[start : start + CHUNK] = values[start : start + CHUNK]
                filters, compressed = dataset.id.read_direct_chunk((start,))
                for i in range(1, repeats):  # compressing takes longer than all the rest
                    dataset.id.write_direct_chunk((i * len(values) + start,), compressed, filters)
            if rest:
                dataset[ends - starts[rest] :] = values[: starts[rest]]
        indptr = [starts[:-1] + i * starts[-1].astype(np.int64) for i in range(repeats)]
        indptr.append(starts[: rest + 1] + repeats * starts[-1].astype(np.int64))
        group.create_dataset("indptr", data=np.concatenate(indptr), compression="gzip")


def step(name, raw, prepared, loadings):
    """Run one step; return what it found besides its time and memory."""
    import numpy as np

    import intae
    from intae.chunks import decompressing, map_chunks
    from intae.io import read_h5ad
    from intae.moments import second_moments

    if name == "read":
        sizes = map_chunks(lambda block: block.nnz, read_h5ad(raw, backed="r").X)
        return {"entries": sum(size for _, size in sizes)}
    if name == "prepare":
        made = intae.prepare(read_h5ad(raw, backed="r"), gene_sets(), out=prepared)
        return {"genes": made.n_vars, "terms": len(made.uns["terms"])}
    adata = read_h5ad(prepared, backed="r")
    if name == "moments of raw":
        counts = read_h5ad(raw, backed="r")
        genes = counts.var_names.get_indexer(adata.var_names)
        moments = second_moments(
            Normalised(decompressing(counts.X), genes, adata.uns["prepare"]["total"])
        )
        return {"trace": float(np.trace(moments.gram))}
    if name == "moments":
        return {"trace": float(np.trace(second_moments(adata.X).gram))}
    if name == "autoencoder":
        model = intae.Autoencoder(threads=None).fit(adata)
        model.save(loadings.with_suffix(".model"))
        return {"active": int(model.terms_["active"].sum()), "iterations": model.n_iter_}
    if name == "fsclvm":
        model = intae.FSCLVM(threads=None).fit(adata)
        return {"active": int(model.terms_["active"].sum()), "iterations": model.n_iter_}
    if name == "loadings":
        intae.Autoencoder.load(loadings.with_suffix(".model")).write_loadings(adata, loadings)
        return {"MB": round(loadings.stat().st_size / 1e6)}
    if name == "pca":
        return dask_pca(prepared)
    return ulm(adata)


class Normalised:
    """Some genes of the counts of a file, normalised and logged as they are read."""

    def __init__(self, X, genes, total):
        self.X, self.genes, self.total = X, genes, total
        self.shape, self.dtype = (X.shape[0], len(genes)), X.dtype

    def __getitem__(self, rows):
        from intae.expression import Steps, _of_genes, _sums

        block = self.X[rows]
        return _of_genes(block, _sums(block), self.genes, Steps("counts", True, True, self.total))


def dask_pca(prepared):
    """Return nothing; run scanpy's PCA on the cells as an array of Dask."""
    import h5py
    import scanpy as sc
    from anndata import AnnData
    from anndata.experimental import read_elem_lazy

    with h5py.File(prepared) as file:
        n_genes = file["X"].attrs["shape"][1]
        lazy = AnnData(read_elem_lazy(file["X"], chunks=(20_000, int(n_genes))))
        sc.pp.pca(lazy, n_comps=50, svd_solver="covariance_eigh")
        lazy.obsm["X_pca"] = lazy.obsm["X_pca"].compute()
    return {}


def ulm(adata):
    """Return nothing; score the gene sets in some cells by decoupler."""
    from intae.controls import GeneSetScore

    model = GeneSetScore(method="ulm", threads=None).fit(adata[:FEW].to_memory())
    return {"seconds": model.seconds_ * adata.n_obs / min(FEW, adata.n_obs)}


def speed(threads):
    """Return 10^9 operations a second: dense X'X, and pairs of entries of sparse cells."""
    import numpy as np
    from scipy import sparse

    from intae.moments import _sparse_sums

    X = np.random.default_rng(0).normal(size=(2048, 1000))
    Y = sparse.random(20_000, 1000, 0.08, "csr", random_state=0)
    pairs = (np.diff(Y.indptr).astype(float) * (np.diff(Y.indptr) + 1)).sum()
    _sparse_sums(Y[:10], np.zeros(1000))
    found = []
    for work, of in ((2048 * 1000 * 1001, lambda: X.T @ X), (pairs, lambda: _sparse_sums(Y, X[0]))):
        of()
        began = time.perf_counter()
        for _ in range(5):
            of()
        found.append(work * 5 / (time.perf_counter() - began) / 1e9)
    return {"dense": found[0], "sparse": found[1]}


def child(name, *paths):
    """Run this file for one step; return what it printed."""
    command = [sys.executable, __file__, "--step", name, "--folder", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1:]}
    return json.loads(done.stdout.splitlines()[-1])


def limit(name, n_cells, found, speeds, prepared):
    """Return the seconds that a step cannot go below here, None where none is known."""
    import h5py
    import numpy as np

    if name in ("prepare", "moments of raw"):
        return found["read"]["seconds"] * (2 if name == "prepare" else 1)
    if name != "moments":
        return None
    with h5py.File(prepared) as file:
        sizes, n_genes = np.diff(file["X/indptr"][:]).astype(float), file["X"].attrs["shape"][1]
    dense = n_cells * n_genes * (n_genes + 1) / speeds["dense"] / 1e9
    return min(dense, (sizes * (sizes + 1)).sum() / speeds["sparse"] / 1e9)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, nargs="+", default=[50_000])
    parser.add_argument("--folder", nargs="+", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="*", choices=STEPS, default=STEPS)
    parser.add_argument("--keep", action="store_true", help="leave the files in the folder")
    parser.add_argument("--step")
    asked = parser.parse_args()
    if asked.step:
        import resource

        began = time.perf_counter()
        if asked.step == "generate":
            generate(int(asked.folder[1]), asked.folder[0])
            found = {}
        elif asked.step == "speed":
            found = speed(asked.threads)
        else:
            found = step(asked.step, *map(Path, asked.folder))
        found = {"seconds": time.perf_counter() - began} | found
        used = resource.getrusage(resource.RUSAGE_SELF)
        spent = {"cpu": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024}
        print(json.dumps(found | spent))
        return
    for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
        os.environ[f"{name}_NUM_THREADS"] = str(asked.threads)
    folder = Path(asked.folder[0])
    folder.mkdir(parents=True, exist_ok=True)
    speeds = child("speed", "-")
    print(f"# X'X: {speeds['dense']:.1f} GFLOP/s dense, {speeds['sparse']:.2f} of sparse entries")
    print("cells,step,seconds,cpu,limit,peak_mb,found", flush=True)
    for n_cells in asked.cells:
        raw, prepared, loadings = (
            folder / f"{name}_{n_cells}.h5ad" for name in ("raw", "prepared", "loadings")
        )
        found = {}
        if not raw.exists():
            made = child("generate", raw, n_cells)
            size = f"{raw.stat().st_size / 1e6:.0f} MB"
            row = f"{n_cells},generate,{made['seconds']:.1f},{made['cpu']:.1f},"
            print(f"{row},{made['peak_mb']:.0f},{size}", flush=True)
        for name in (name for name in STEPS if name in asked.only):
            told = found[name] = child(name, raw, prepared, loadings)
            if "failed" in told:
                print(f"{n_cells},{name},,,,,{told['failed']}", flush=True)
                continue
            least = limit(name, n_cells, found, speeds, prepared)
            least = "" if least is None else f"{least:.1f}"
            also = [
                f"{k}={v:.6g}" for k, v in told.items() if k not in ("seconds", "cpu", "peak_mb")
            ]
            row = f"{n_cells},{name},{told['seconds']:.1f},{told['cpu']:.1f},{least}"
            row += f",{told['peak_mb']:.0f}"
            print(row, " ".join(also), sep=",", flush=True)
        if not asked.keep:
            for path in (raw, prepared, loadings, loadings.with_suffix(".model")):
                path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
