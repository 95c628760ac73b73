"""Time a sweep of FSCLVM beside one of the slalom package: same data, machine, run and threads.

    python benchmarks/fsclvm_vs_slalom.py                     # the size of the paper's subsets
    python benchmarks/fsclvm_vs_slalom.py --cells 2000 --genes 300 --terms 40 --many-cells 0

The data are simulated. slalom runs a few sweeps only, its first ones, with every term on, which is
enough for its time a sweep; FSCLVM's is taken before and after it, in its first ten sweeps. Then
FSCLVM runs slalom's 2,000, set-up included. Both follow the same path, and what the two have after
the common sweeps is compared. Last, FSCLVM's time a sweep is taken at two numbers of cells.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

import intae


def main() -> None:
    """Run the comparison and print its tables."""
    args = _arguments()
    shape = f"{args.cells:,} cells x {args.genes:,} genes x {args.terms} terms"
    print(f"simulating {shape}", flush=True)
    adata = intae.simulate(args.cells, args.genes, args.terms, n_active=20, seed=0)
    settings = {"n_dense": args.dense, "seed": 222, "threads": args.threads}

    before = _sweep_times(settings, adata)
    print(f"slalom: {args.sweeps} sweeps", flush=True)
    slalom = intae.Slalom(**settings, max_iter=args.sweeps).fit(adata)
    after = _sweep_times(settings, adata)
    exact = intae.FSCLVM(**settings, compat="slalom", max_iter=args.sweeps).fit(adata)
    sweeps = slalom.history_["sweep_seconds"]
    table = pd.DataFrame(
        {
            "slalom": {"set-up": slalom.seconds_ - sweeps.sum(), "a sweep": sweeps.median()},
            "FSCLVM": {
                "set-up": exact.history_["seconds"].iloc[0],
                "a sweep": float(np.median([before, after])),
            },
        }
    )
    table["ratio"] = table["slalom"] / table["FSCLVM"]
    print(f"\n{shape}, {args.dense} dense, {args.threads} thread(s), seconds")
    print(table.to_string(float_format=lambda value: f"{value:.4g}"))
    print("\nlargest relative difference after these sweeps")
    for name in ("loadings_", "weights_", "membership_", "alpha_", "eps_"):
        ours, theirs = (np.asarray(getattr(model, name)) for model in (exact, slalom))
        print(f"  {name[:-1]:12}{np.abs(ours - theirs).max() / np.abs(theirs).max():.1e}")

    whole = intae.FSCLVM(**settings, compat="slalom", max_iter=args.whole).fit(adata)
    print(
        f"\nFSCLVM, as slalom: {whole.n_iter_} sweeps in {whole.seconds_:.1f} s, set-up included; "
        f"{int(whole.terms_['active'].sum())} terms on at the end"
    )
    if args.many_cells:
        print(f"\n{'cells':>10}{'set-up s':>12}{'ms a sweep':>12}")
        for n_cells in (args.many_cells // 10, args.many_cells):
            data = intae.simulate(n_cells, args.genes, args.terms, n_active=20, seed=0)
            model = intae.FSCLVM(args.dense, max_iter=10, threads=args.threads)
            seconds = model.fit(data).history_["seconds"].to_numpy()
            times = np.diff(seconds)[:8]
            print(f"{n_cells:>10,}{seconds[0]:>12.2f}{1000 * np.median(times):>12.2f}")


def _sweep_times(settings: dict, adata) -> np.ndarray:
    """Return the seconds of FSCLVM's sweeps 2 to 9, in all of which every term is on."""
    model = intae.FSCLVM(**settings, compat="slalom", max_iter=10).fit(adata)
    return np.diff(model.history_["seconds"])[:8]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=13_500)
    parser.add_argument("--genes", type=int, default=1_000)
    parser.add_argument("--terms", type=int, default=140)
    parser.add_argument("--dense", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sweeps", type=int, default=3, help="sweeps of slalom (3)")
    parser.add_argument("--whole", type=int, default=2000, help="sweeps of the whole fit (2,000)")
    parser.add_argument(
        "--many-cells", type=int, default=100_000, help="cells of the second table; 0 leaves it out"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
