"""Time the published algorithm beside intercode 0.0.7, the authors' package, on the same threads.

    pip install --no-deps intercode==0.0.7
    python benchmarks/network_speed.py                # the size of the paper's subsets
    python benchmarks/network_speed.py --cells 1000 --genes 300 --terms 30
    python benchmarks/network_speed.py --from-file    # ours alone, in memory and from a file

The data are simulated. Both train with the published settings, in turns; a time per epoch is what
more epochs add, divided by their number, so that imports and set-up do not count. Then intercode
trains for 30 epochs, and the exact solver says how long it takes to an objective that is no higher,
its pass over the cells and its read-out included.
With --from-file, a tenth of the entries of X is kept, as in counts. They are written without
compression, as `intae.prepare(..., out=)` does, and nothing but buffers of cells is in memory.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import anndata
import numpy as np
import torch
from anndata import AnnData
from published_algorithm import LAMBDAS, with_intercode
from scipy import sparse

import intae
from intae.autoencoder import feed
from intae.autoencoder.data import Cells
from intae.autoencoder.network import make_encoder
from intae.autoencoder.objective import data_term
from intae.autoencoder.penalties import Penalty


def main() -> None:
    """Run the comparison and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, size in (("cells", 13_500), ("genes", 1_000), ("terms", 140)):
        parser.add_argument(f"--{name}", type=int, default=size)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30, help="of the run to its end; 0: none")
    parser.add_argument("--from-file", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    adata = intae.simulate(args.cells, args.genes, args.terms, n_active=20, seed=0)
    if args.from_file:
        from_file(adata, args.turns, args.threads)
        return
    X = np.asarray(adata.X, dtype=np.float32)
    Y = X - X.mean(0)

    def ours(epochs: int) -> intae.Autoencoder:
        return intae.Autoencoder(
            "adam", seed=0, epochs=epochs, batch_size=62, threads=args.threads, device="cpu",
            **LAMBDAS,
        ).fit(adata)  # fmt: skip

    def theirs(epochs: int) -> tuple[np.ndarray, np.ndarray]:
        return with_intercode(Y, adata, 0, epochs)

    # of one thread the processor's time, which other work on the machine hardly changes
    now = time.process_time if args.threads == 1 else time.perf_counter

    def per_epoch(train) -> float:
        seconds = []
        for epochs in (1, 4):
            began = now()
            train(epochs)
            seconds.append(now() - began)
        return (seconds[1] - seconds[0]) / 3

    ours(1), theirs(1)  # imports
    turns = []
    for turn in range(args.turns):
        turns.append((per_epoch(theirs), per_epoch(ours)))
        print(
            f"turn {turn + 1}: intercode {turns[-1][0]:.2f} s, intae {turns[-1][1]:.2f} s",
            flush=True,
        )
    theirs_s, ours_s = np.median(turns, axis=0)
    looks = seconds_of_objective(adata, now)
    print(
        f"{args.cells:,} cells x {args.genes:,} genes x {args.terms} terms, batch 62, "
        f"{args.threads} thread(s): intercode {theirs_s:.2f} s per epoch, intae {ours_s:.2f} s, "
        f"ratio {theirs_s / ours_s:.2f}; {looks:.2f} s of ours is the objective over all cells, "
        f"which intercode does not compute: ratio {theirs_s / (ours_s - looks):.2f} without it",
        flush=True,
    )
    if not args.epochs:
        return
    began = now()
    Z, W = theirs(args.epochs)
    seconds = now() - began
    annotations = np.asarray(adata.varm["annotations"], dtype=float)
    penalty = Penalty.build(
        annotations, np.array(["annotated"] * W.shape[1]), LAMBDAS["lambda1"], 0.0,
        LAMBDAS["lambda3"],
    )  # fmt: skip
    reached = data_term(Y.astype(float), Z, W, LAMBDAS["lambda0"]) + penalty.value(W)
    exact = intae.Autoencoder(threads=args.threads, n_dense=0, weighting="paper", **LAMBDAS)
    began = time.perf_counter()  # as its history counts
    exact.fit(adata)
    taken = time.perf_counter() - began
    history = exact.history_
    there = history.loc[history["objective"] <= reached, "seconds"].iloc[0]
    rest = taken - history["seconds"].iloc[-1]  # the pass over the cells, and the read-out
    print(
        f"intercode, {args.epochs} epochs: F + R = {reached:.2f} in {seconds:.1f} s; the exact "
        f"solver is there in {there + rest:.1f} s, {(there + rest) / seconds:.3f} of the time, and "
        f"ends at {history['objective'].iloc[-1]:.2f} after {taken:.1f} s"
    )


def seconds_of_objective(adata: AnnData, now: Callable[[], float]) -> float:
    """Return the seconds that the objective takes after each epoch, the least of five turns."""
    cells = feed.Feed(Cells(adata, None), torch.device("cpu"))
    encoder, effects = make_encoder(*adata.varm["annotations"].shape), torch.zeros(adata.n_vars, 0)
    turns = []
    for _ in range(6):
        began = now()
        cells.moments(encoder, effects)
        turns.append(now() - began)
    return min(turns[1:])


def from_file(adata: AnnData, turns: int, threads: int) -> None:
    """Print the seconds of an epoch in memory and from a file, in turns."""
    adata.X = sparse.csr_matrix(np.where(adata.X > np.quantile(adata.X, 0.9), adata.X, 0))

    def per_epoch(data: AnnData, room: int) -> float:
        feed.RESIDENT = room
        history = intae.Autoencoder("adam", epochs=4, threads=threads, device="cpu").fit(data)
        seconds = history.history_["seconds"].to_numpy()
        return float(np.diff(seconds).min())

    with tempfile.TemporaryDirectory() as folder:
        adata.write_h5ad(Path(folder) / "cells.h5ad")
        stored = anndata.read_h5ad(Path(folder) / "cells.h5ad", backed="r")
        rows = [(per_epoch(adata, 2**40), per_epoch(stored, 0)) for _ in range(turns)]
    memory, file = np.median(rows, axis=0)
    print(
        f"{adata.n_obs:,} cells x {adata.n_vars:,} genes, {threads} thread(s): {memory:.2f} s per "
        f"epoch in memory, {file:.2f} s from a file, {memory / file:.0%} of the speed"
    )


if __name__ == "__main__":
    main()
