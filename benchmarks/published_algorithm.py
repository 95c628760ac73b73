"""Compare solver="adam" with intercode 0.0.7, the authors' package, seed by seed.

Both train on the same data with the published settings; every fit is then measured in the same
way: F and R of equation 3 in evaluation mode, terms off, and the term whose loadings separate the
two conditions best (univariate logistic regression, training accuracy). They agree in distribution
where the means differ by no more than the spread of the seeds; the last column is the chance of a
difference as large if they do (Welch's t-test).

    pip install --no-deps intercode==0.0.7
    python benchmarks/published_algorithm.py prepared.h5ad [--seeds 5] [--first-seed 0]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time

import anndata
import numpy as np
import pandas as pd
import torch
from scipy import sparse, stats
from sklearn.linear_model import LogisticRegression

from intae import Autoencoder
from intae.autoencoder.objective import data_term
from intae.autoencoder.penalties import Penalty, column_norms

LAMBDAS = {"lambda0": 0.1, "lambda1": 0.93, "lambda3": 0.57}


def with_intercode(Y: np.ndarray, adata, seed: int, epochs: int) -> tuple[np.ndarray, np.ndarray]:
    """Train the authors' code; return loadings and weights."""
    import intercode

    data = anndata.AnnData(Y.copy(), var=pd.DataFrame(index=adata.var_names))
    data.varm["I"] = np.asarray(adata.varm["annotations"], dtype=np.int32)
    data.uns["terms"] = list(adata.uns["terms"])
    np.random.seed(seed)  # noqa: NPY002  it draws its batches from the global state
    torch.manual_seed(seed)
    model = intercode.Intercode(data, use_cuda=False)
    with contextlib.redirect_stdout(io.StringIO()):
        model.train(
            lr=1e-3, batch_size=62, num_epochs=epochs, l2_reg_lambda0=LAMBDAS["lambda0"],
            lambda1=LAMBDAS["lambda1"], lambda3=LAMBDAS["lambda3"],
        )  # fmt: skip
    model.model.eval()
    W = model.model.decoder.weight_dict["annotated"].detach().numpy()
    return model.encode(Y).astype(float), W.astype(float)


def with_intae(adata, seed: int, epochs: int) -> tuple[np.ndarray, np.ndarray]:
    """Train ours; return loadings and weights."""
    model = Autoencoder("adam", seed=seed, epochs=epochs, threads=1, device="cpu").fit(adata)
    return model.loadings_.to_numpy(), model.weights_.to_numpy()


def measure(Y: np.ndarray, Z: np.ndarray, W: np.ndarray, adata, label: str) -> dict:
    kinds = np.array(["annotated"] * W.shape[1])
    annotations = np.asarray(adata.varm["annotations"], dtype=float)
    penalty = Penalty.build(annotations, kinds, LAMBDAS["lambda1"], 0.0, LAMBDAS["lambda3"])
    F, R = data_term(Y, Z, W, LAMBDAS["lambda0"]), penalty.value(W)
    y = adata.obs[label].astype(str).to_numpy()
    accuracy = np.zeros(W.shape[1])
    for k in np.flatnonzero(column_norms(W) > 0):
        z = Z[:, [k]] / Z[:, k].std()
        accuracy[k] = LogisticRegression().fit(z, y).score(z, y)
    best = int(accuracy.argmax())
    return {
        "F": F,
        "R": R,
        "F + R": F + R,
        "terms_off": int((column_norms(W) == 0).sum()),
        "inactive_zero_share": float((W[annotations == 0] == 0).mean()),
        "best_accuracy": accuracy[best],
        "best_term": adata.uns["terms"][best],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prepared", help="prepared data, h5ad")
    parser.add_argument("--label", default="condition", help="column of obs with two values")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=30)
    args = parser.parse_args()
    torch.set_num_threads(1)
    adata = anndata.read_h5ad(args.prepared)
    X = adata.X.toarray() if sparse.issparse(adata.X) else np.asarray(adata.X)
    Y = (X - X.mean(0, dtype=np.float64)).astype(np.float32)
    rows = []
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        for name in ("intercode", "intae"):
            clock = time.perf_counter()
            if name == "intercode":
                Z, W = with_intercode(Y, adata, seed, args.epochs)
            else:
                Z, W = with_intae(adata, seed, args.epochs)
            seconds = time.perf_counter() - clock
            row = measure(Y, Z, W, adata, args.label)
            rows.append({"code": name, "seed": seed, "seconds": seconds} | row)
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    numbers = table.drop(columns=["best_term", "seed"])
    codes = [part.drop(columns="code") for _, part in numbers.groupby("code")]
    summary = numbers.groupby("code").agg(["mean", "std"]).T.round(3).unstack()
    summary["p"] = stats.ttest_ind(*codes, equal_var=False).pvalue.round(3)
    print(summary.to_string())
    print(table.groupby("code")["best_term"].agg(list).to_string())


if __name__ == "__main__":
    main()
