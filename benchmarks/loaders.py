"""Peak memory and time of each loader on a generated file of the true size.

The expression is drawn at random with about the density of the real data; what is measured is the
reading. Needs 1 GB of disk and some minutes, most of them to write the files.

    python benchmarks/loaders.py [kang17] [macosko15] [covid_balf]
"""

import gzip
import io
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
from scipy import io as scipy_io
from scipy import sparse

from intae.sources import covid_balf, kang17, macosko15

RNG = np.random.default_rng(0)
LOAD = """
import sys, time
from pathlib import Path
from intae.benchmark.host import peak_memory_mb
from intae.sources import SOURCES

source, start = SOURCES[sys.argv[1]], time.perf_counter()
adata = source.load(*(Path(sys.argv[2]) / download.name for download in source.FILES))
print(*adata.shape, round(time.perf_counter() - start, 1), round(peak_memory_mb()))
"""


def barcodes(n: int) -> list[str]:
    """Draw n different barcodes of 14 letters."""
    letters = np.array(list("ACGT"))[RNG.integers(0, 4, (n + n // 10, 14))]
    return list(dict.fromkeys("".join(row) + "-1" for row in letters))[:n]


def write_kang17(folder: Path) -> None:
    """Write the archive, genes and annotation of Kang17."""
    archive, genes, annotation = (folder / download.name for download in kang17.FILES)
    n_genes = kang17.N_GENES
    rows = ["tsne1\ttsne2\tind\tstim\tcluster\tcell\tmultiplets"]
    with tarfile.open(archive, "w") as tar:
        for condition, (matrix, names) in kang17.SAMPLES.items():
            n = kang17.N_CELLS[condition]
            X = sparse.random(n_genes, n, density=0.0168, random_state=0, format="coo")
            X.data = np.ceil(X.data * 5)
            buffer = io.BytesIO()
            scipy_io.mmwrite(buffer, X, field="real")
            cells = barcodes(n)
            rows += [f"{cell}\t0\t0\t107\t{condition}\t1\tB cells\tsinglet" for cell in cells]
            for name, data in ((matrix, buffer.getvalue()), (names, "\n".join(cells).encode())):
                packed = gzip.compress(data, 1)
                info = tarfile.TarInfo(name)
                info.size = len(packed)
                tar.addfile(info, io.BytesIO(packed))
    names = "\n".join(f"ENSG{i:011d}\tGENE{i}" for i in range(n_genes))
    genes.write_bytes(gzip.compress(names.encode()))
    annotation.write_bytes(gzip.compress("\n".join(rows).encode()))


def write_macosko15(folder: Path) -> None:
    """Write the dense text table of Macosko15 and the identities."""
    table, identities = (folder / download.name for download in macosko15.FILES)
    n_genes, n_cells, n_labelled = 24_658, 49_300, macosko15.N_LABELLED
    cells = [f"r{i % 6 + 1}_{cell[:12]}{i}" for i, cell in enumerate(barcodes(n_cells))]
    clusters = "\n".join(f"{cell}\t{i % 39 + 1}" for i, cell in enumerate(cells[:n_labelled]))
    identities.write_text(clusters + "\n", encoding="utf-8")
    zeros = np.tile(np.frombuffer(b"\t0", dtype=np.uint8), n_cells)
    with gzip.open(table, "wb", compresslevel=1) as file:
        file.write(("gene\t" + "\t".join(cells) + "\n").encode())
        for gene in range(n_genes):
            line = zeros.copy()
            n_found = RNG.poisson(n_cells * 0.03)
            place = RNG.integers(0, n_cells, n_found)
            line[2 * place + 1] = RNG.integers(49, 54, n_found)  # the digits 1 to 5
            file.write(f"GENE{gene}".encode() + line.tobytes() + b"\n")


def write_covid_balf(folder: Path) -> None:
    """Write twelve 10x files with 63,103 annotated cells among twice as many."""
    *matrices, annotation = (folder / download.name for download in covid_balf.FILES)
    n_genes, n_samples = 33_538, len(matrices)
    rows = ["ID\tsample\tsample_new\tgroup\tdisease\thasnCoV\tcluster\tcelltype"]
    for k, (sample, path) in enumerate(zip(covid_balf.SAMPLES, matrices, strict=True)):
        n = covid_balf.N_CELLS // n_samples + (k < covid_balf.N_CELLS % n_samples)
        cells = barcodes(2 * n)
        X = sparse.random(n_genes, 2 * n, density=0.05, random_state=k, format="csc")
        with h5py.File(path, "w") as file:
            group = file.create_group("matrix")
            values = np.ceil(X.data * 5).astype(np.int32)
            group.create_dataset("data", data=values, compression="gzip", compression_opts=1)
            group.create_dataset("indices", data=X.indices, compression="gzip", compression_opts=1)
            group["indptr"], group["shape"] = X.indptr, X.shape
            group["barcodes"] = np.array(cells, dtype="S")
            features = group.create_group("features")
            features["id"] = np.array([f"ENSG{i}" for i in range(n_genes)], dtype="S")
            features["name"] = np.array([f"GENE{i}" for i in range(n_genes)], dtype="S")
            features["feature_type"] = np.array(["Gene Expression"] * n_genes, dtype="S")
            features["genome"] = np.array(["GRCh38"] * n_genes, dtype="S")
        rows += [f"{c[:-2]}_{k + 1}\t{sample}\tS{k}\tM\tY\tY\t1\tT" for c in cells[:n]]
    annotation.write_text("\n".join(rows) + "\n", encoding="utf-8")


WRITERS = {"kang17": write_kang17, "macosko15": write_macosko15, "covid_balf": write_covid_balf}


def main() -> None:
    """Write, load in a process of its own, and print one line per loader."""
    print("loader        cells    genes  seconds  peak MB  written in s")
    for name in sys.argv[1:] or WRITERS:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            WRITERS[name](Path(folder))
            written = time.perf_counter() - start
            command = [sys.executable, "-c", LOAD, name, folder]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                sys.exit(done.stderr)
            cells, genes, seconds, peak = done.stdout.split()
            print(f"{name:12s} {cells:>6s} {genes:>8s} {seconds:>8s} {peak:>8s} {written:>9.0f}")


if __name__ == "__main__":
    main()
