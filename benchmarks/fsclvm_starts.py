"""Compare where f-scLVM ends: from the annotation, with and without moves, or as slalom starts.

    python benchmarks/fsclvm_starts.py                        # gene sets drawn to overlap
    python benchmarks/fsclvm_starts.py prepared.h5ad          # the gene sets of prepared data

Cells are simulated from f-scLVM's own model, with some terms active and genes wrongly in and
missing from their sets. Without moves, factors keep the names under which sweeps left them
(:mod:`intae.fsclvm.moves`). For each draw and start: the bound at the end (in thousands of nats),
the average precision of the ranking of terms by relevance (active against not), and how many of
the genes added to terms truly belong.
"""

from __future__ import annotations

import argparse
import contextlib
import warnings
from unittest import mock

import anndata
import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

import intae
from intae.prepared import get_annotations, get_terms

WITHOUT = "annotation, no moves"
STARTS = {
    "annotation": {},
    WITHOUT: {},
    "slalom, seed 222": {"compat": "slalom", "seed": 222},
    "slalom, seed 1": {"compat": "slalom", "seed": 1},
}


def main() -> None:
    """Run the comparison and print its table."""
    args = _arguments()
    annotations = None
    if args.prepared:
        data = anndata.read_h5ad(args.prepared)
        annotations = pd.DataFrame(get_annotations(data), data.var_names, get_terms(data))
    rows = []
    for draw in range(args.draws):
        data = intae.simulate(
            args.cells, 600, 100, annotations=annotations, n_active=args.active, seed=draw
        )
        for name, settings in STARTS.items():
            moves = mock.patch("intae.fsclvm.engine.rename", return_value=0)
            with warnings.catch_warnings(), moves if name == WITHOUT else contextlib.nullcontext():
                warnings.simplefilter("ignore", UserWarning)  # terms that change are the point
                model = intae.FSCLVM(n_dense=3, max_iter=args.sweeps, **settings).fit(data)
            rows.append({"draw": draw, "start": name} | _score(model, data))
    table = pd.DataFrame(rows)
    print(table.to_string(index=False, float_format=lambda value: f"{value:.2f}"))
    means = table.groupby("start", sort=False)[["bound", "precision"]].mean()
    print("\nmean over the draws")
    print(means.to_string(float_format=lambda value: f"{value:.2f}"))


def _score(model: intae.FSCLVM, data: anndata.AnnData) -> dict[str, float]:
    known = get_annotations(data) > 0
    n_terms = known.shape[1]
    planted = data.uns["true_terms"]["active"].to_numpy()[:n_terms]
    truth = data.varm["true_weights"][:, :n_terms] != 0
    terms = model.terms_.iloc[:n_terms]
    on = terms["active"].to_numpy()
    added = (model.membership_.to_numpy()[:, :n_terms] > 0.5) & ~known & on
    return {
        "bound": model.elbo_ / 1000,
        "precision": average_precision_score(planted, np.where(on, terms["relevance"], 0.0)),
        "active": int(on.sum()),
        "added": int(added.sum()),
        "rightly": int((added & truth).sum()),
        "missing": int((truth & ~known).sum()),
        "sweeps": model.n_iter_,
        "seconds": model.seconds_,
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prepared", nargs="?", help="prepared data whose gene sets to use")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--cells", type=int, default=3000)
    parser.add_argument("--active", type=int, default=20)
    parser.add_argument("--sweeps", type=int, default=500)
    return parser.parse_args()


if __name__ == "__main__":
    main()
