"""The published algorithm on a GPU: seconds, how busy the device is, its share of what it can do.

    python benchmarks/gpu.py                        # targets on an H200: 2 s and 30 s
    python benchmarks/gpu.py --rounded cells.h5ad   # what TF32 changes; needs no GPU

30 epochs at the size of the paper's subsets in batches of 62, and of a million cells in batches of
4,096; each with the step as a CUDA graph and kernel by kernel, and of the million also read from
this machine's memory while the GPU works; of the subset also 4 and 16 seeds side by side
(`intae.fit_together`). Cells are simulated (seed 0) and repeated. Columns:

    seconds         of the training alone, by all epochs but the first; `fit` counts second moments
                    and loadings as well
    ms              per batch of all models
    TFLOP/s         products of matrices, those of each epoch's objective among them
    roofline        the time that these products, or reading and writing weights, gradients, Adam's
                    averages and cells once per batch, would take at best, as a share of the time.
                    What the device can do is measured first: a large product, and a copy
    busy            share of time in which a kernel ran, by nvidia-smi twice a second

Without a GPU the same runs on the CPU, at a tenth of the cells and two epochs, so that the command
is known to work. `--rounded` trains on the CPU with the factors of all products rounded as TF32
rounds them, and compares the result with that of another seed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import threading
import time

import numpy as np
import torch
from anndata import AnnData
from torch.utils._python_dispatch import TorchDispatchMode

import intae
from intae.autoencoder import feed, replayed
from intae.autoencoder.network import HIDDEN
from intae.fits import Fit
from intae.io import read_h5ad
from intae.metrics.agreement import Pair, shared

GENES, TERMS = 1_000, 140
RUNS = [  # models, cells, cells per batch, recorded, resident
    (1, 13_500, 62, True, True),
    (1, 13_500, 62, False, True),
    (4, 13_500, 62, True, True),
    (16, 13_500, 62, True, True),
    (1, 1_000_000, 4_096, True, True),
    (1, 1_000_000, 4_096, False, True),
    (1, 1_000_000, 4_096, True, False),
]


def main() -> None:
    """Print the table, or what rounding changes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounded", metavar="H5AD", help="prepared data")
    parser.add_argument("--threads", type=int, default=1, help="with --rounded")
    asked = parser.parse_args()
    if asked.rounded:
        rounded(read_h5ad(asked.rounded), asked.threads)
        return
    gpu = torch.cuda.is_available()
    device, less, epochs = (
        torch.device("cuda" if gpu else "cpu"),
        1 if gpu else 10,
        30 if gpu else 2,
    )
    flops, copied = product_per_second(device), bytes_per_second(device)
    name = torch.cuda.get_device_name() if gpu else "CPU"
    print(f"{name}: products {flops / 1e12:.2f} TFLOP/s, copies {copied / 1e9:.0f} GB/s")
    print("models,cells,batch,step,cells are,epochs,fit,seconds,ms,TFLOP/s,roofline,busy")
    base = intae.simulate(13_500, GENES, TERMS, n_active=20, seed=0)
    for models, cells, batch, recorded, resident in RUNS if gpu else RUNS[:3:2] + RUNS[4::2]:
        recorded = recorded and gpu
        run = models, cells // less, batch, epochs, recorded, resident
        print(row(*run, *train(base, *run, device), flops, copied), flush=True)


def train(
    base: AnnData, n_models: int, n_cells: int, batch: int, epochs: int, recorded: bool,
    resident: bool, device: torch.device,
) -> tuple[float, float, float | None]:  # fmt: skip
    """Return seconds of the fit, of its training, and the share of time in which kernels ran."""
    some = np.arange(n_cells) % base.n_obs
    data = AnnData(base.X[some].astype(np.float32), var=base.var, varm=dict(base.varm))
    data.uns = base.uns
    kept = replayed.BEFORE, feed.Feed.__init__
    if not recorded:
        replayed.BEFORE = 10**9
    if not resident:
        feed.Feed.__init__ = lambda self, cells, on: kept[1](self, cells, on, 0)
    try:
        began = time.perf_counter()
        with Busy(device) as busy:
            models = intae.fit_together([
                intae.Autoencoder(
                    "adam", epochs=epochs, batch_size=batch, seed=seed, device=device.type
                )
                for seed in range(n_models)
            ], data)  # fmt: skip
        taken = time.perf_counter() - began
    finally:
        replayed.BEFORE, feed.Feed.__init__ = kept
    ended = models[0].history_["seconds"].to_numpy()  # of all, and no fit has been finished yet
    return taken, float(ended[-1] - ended[0]) * epochs / (epochs - 1), busy.share


def row(
    n_models: int, n_cells: int, batch: int, epochs: int, recorded: bool, resident: bool,
    fit: float, seconds: float, busy: float | None, flops: float, copied: float,
) -> str:  # fmt: skip
    """Return a line of the table."""
    encoder = GENES * HIDDEN + HIDDEN * HIDDEN + HIDDEN * TERMS
    decoder = GENES * TERMS
    # forward, weights' and inputs' gradients (none of the cells'), then the epoch's objective
    per_cell = 2 * (3 * encoder - GENES * HIDDEN + 3 * decoder) + 2 * (encoder + decoder + TERMS**2)
    batches = epochs * -(-n_cells // batch)
    work = n_models * per_cell * n_cells * epochs
    moved = 4 * n_models * (8 * (encoder + decoder) * batches + 3 * GENES * n_cells * epochs)
    best = max(work / flops, moved / copied)
    return ",".join([
        f"{n_models}", f"{n_cells}", f"{batch}", "graph" if recorded else "kernels",
        "on the device" if resident else "streamed", f"{epochs}", f"{fit:.2f}", f"{seconds:.2f}",
        f"{1e3 * seconds / batches:.3f}", f"{work / seconds / 1e12:.3f}", f"{best / seconds:.2f}",
        "" if busy is None else f"{busy:.2f}",
    ])  # fmt: skip


class Busy:
    """The share of time in which a kernel ran, by nvidia-smi; None where there is none."""

    def __init__(self, device: torch.device):
        self.asks = device.type == "cuda" and shutil.which("nvidia-smi") is not None
        self.share: float | None = None
        self.found: list[float] = []
        self.ended = threading.Event()

    def __enter__(self) -> Busy:
        """Start to ask."""
        if self.asks:
            self.thread = threading.Thread(target=self._ask, daemon=True)
            self.thread.start()
        return self

    def _ask(self) -> None:
        command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
        while not self.ended.wait(0.5):
            said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            self.found += [float(line) / 100 for line in said.split("\n")[:1] if line.strip()]

    def __exit__(self, *_: object) -> None:
        """Stop, and take the mean."""
        self.ended.set()
        if self.asks:
            self.thread.join()
        self.share = float(np.mean(self.found)) if self.found else None


def per_call(call, device: torch.device, times: int = 20) -> float:
    """Return the seconds of a call, by the best of three turns."""

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize()

    call(), wait()
    turns = []
    for _ in range(3):
        began = time.perf_counter()
        for _ in range(times):
            call()
        wait()
        turns.append((time.perf_counter() - began) / times)
    return min(turns)


def product_per_second(device: torch.device) -> float:
    """Return the FLOP per second of a large product, in TF32 on a GPU, as training has it."""
    n = 8192 if device.type == "cuda" else 1024
    a, out = torch.randn(n, n, device=device), torch.empty(n, n, device=device)
    torch.set_float32_matmul_precision("high" if device.type == "cuda" else "highest")
    seconds = per_call(lambda: torch.mm(a, a, out=out), device)
    torch.set_float32_matmul_precision("highest")
    return 2 * n**3 / seconds


def bytes_per_second(device: torch.device) -> float:
    """Return the bytes per second that a copy reads and writes."""
    a = torch.zeros(2**28 if device.type == "cuda" else 2**25, device=device)
    b = torch.empty_like(a)
    return 2 * 4 * len(a) / per_call(lambda: b.copy_(a), device)


# --- what TF32 changes ---------------------------------------------------------------------------


class Rounded(TorchDispatchMode):
    """Rounds the factors of products to TF32: 10 bits after the point, to the nearest."""

    def __torch_dispatch__(self, operator, types, given=(), named=None):
        if operator.overloadpacket.__name__ in ("mm", "addmm"):
            *added, a, b = given
            given = (*added, self.round(a), self.round(b))
        return operator(*given, **(named or {}))

    @staticmethod
    def round(x: torch.Tensor) -> torch.Tensor:
        """Return the nearest numbers with 13 bits of float32's 23 left out."""
        bits = x.contiguous().view(torch.int32)
        return ((bits + 0x0FFF + ((bits >> 13) & 1)) & ~0x1FFF).view(torch.float32)


def rounded(adata: AnnData, threads: int) -> None:
    """Print objective and agreement of a rounded fit, and of another seed's, with a fit."""

    def fit(seed: int, **params) -> intae.Autoencoder:
        return intae.Autoencoder("adam", seed=seed, device="cpu", threads=threads, **params).fit(
            adata
        )

    models = {"seed 0": fit(0), "seed 1": fit(1), "seed 2": fit(2)}
    with Rounded():
        models["seed 0, rounded to TF32"] = fit(0)
    first = Fit.of(models["seed 0"], {}, adata.obs)
    print("fit,F + R,median |r| with seed 0,Jaccard index,shared of ten")
    for name, model in models.items():
        pair = shared(Pair.of(first, Fit.of(model, {}, adata.obs)))
        print(
            f"{name},{model.history_['objective'].iloc[-1]:.3f},{pair.r.median():.3f},"
            f"{pair.jaccard:.2f},{len(pair.top)}"
        )


if __name__ == "__main__":
    main()
