"""The peers, models of others, and ours: side by side in one table and one figure.

Data: the Kang17 subset as `tests/config/kang17_subset.yaml` prepares it, draws of a truth implanted
in its control cells (`intae.implant`, in groups and graded), their null whose gene sets hold random
genes (`intae.implanted_null`), and the Gaussian simulation with its gene sets (`intae.simulate`).
Each fit has one thread, its model's own defaults and a process's own memory; every result is kept
as JSON in the folder of `--out`, so that a run that is cut off loses one fit, and another run goes
on from there.

What is measured:

    seconds, peak MB       of a fit of all cells; with > where a budget ended it: then nothing else
                           is said of that fit, but how long all its epochs would take
    top1, r                implanted sets: of all terms, that of the set's name follows the activity
                           best; |correlation| of the two. In groups, effect 2, and graded, effect 3
    average precision      of the ranking of terms on the simulation, against the active ones
    false discoveries      share of terms called in the null over the share called in the draws;
                           empty for methods that call every term. Our models call by one test of
                           the gene sets (`detected`), which is the same whatever was fitted
    seeds, halves          two seeds, and two halves of the cells: median |r| of the terms active in
                           both, Jaccard index of the active ones, shared of the ten most relevant.
                           r is of loadings of all cells; between halves of models that infer no new
                           cells, of weights. Without gene sets: |r| of the most similar component
    interferon             AUROC of the interferon term (without gene sets: the component) that
                           separates the training donors best, on unseen donors. Models that infer
                           no new cells have seen the donors; only the regression has not
    variance               of unseen donors' cells, explained

Models that took more than a minute are fitted to the first draw of each kind only; those that the
budget stopped, if half of their epochs' time is within it. Column n of the table says how many fits
a value is the mean of. Results stay whatever budget and arguments they were made with: remove a
method's folder to make them anew. A model whose package is missing is skipped with a line.

    INTAE_MIRROR=folder python benchmarks/peers.py [--out folder] [--methods ulm pca ...]
        [--draws 5] [--first-seed 1300] [--budget 900] [--tuned] [--table]
"""

from __future__ import annotations

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from peers_table import cell, draw, make_table, print_table, read

import intae
from intae.base import FactorModel, class_named
from intae.benchmark.host import describe_host, peak_memory_mb
from intae.benchmark.models import model_of
from intae.benchmark.refits import fit_of_all_cells, half_masks
from intae.errors import IntaeError
from intae.fits import Fit
from intae.gene_sets import read_gene_sets
from intae.io import read_h5ad, whole_file
from intae.metrics.agreement import Pair, shared
from intae.metrics.implanted import implanted
from intae.metrics.separation import folds, label_codes, predict, score
from intae.metrics.truth import recovery
from intae.metrics.variance import variance_explained
from intae.prepared import annotation_table
from intae.sources.downloads import find_in_mirror

# method -> its label, class and arguments; the quick ones first
METHODS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "autoencoder_exact": ("Autoencoder (exact)", "Autoencoder", {}),
    "fsclvm_annotation": ("f-scLVM, annotation start", "FSCLVM", {}),
    "plier": ("PLIER", "PLIER", {}),
    "ulm": ("ULM", "GeneSetScore", {"method": "ulm"}),
    "plain_mean": ("plain mean", "GeneSetScore", {"method": "mean"}),
    "ucell": ("UCell", "GeneSetScore", {"method": "ucell"}),
    "pca": ("PCA", "PCA", {}),
    "autoencoder": ("Autoencoder (published)", "Autoencoder", {"solver": "adam"}),
    "linearscvi": ("LinearSCVI", "LinearSCVI", {}),
    "expimap": ("expiMap", "ExpiMap", {}),
    "cnmf": ("cNMF", "CNMF", {}),
    "muvi": ("MuVI", "MuVI", {}),
    "spectra": ("Spectra", "Spectra", {}),
    "mofaflex": ("MOFA-FLEX", "MOFAFLEX", {}),
}
# method -> the argument that penalises, and five values of it
TUNED: dict[str, tuple[str, tuple[float, ...]]] = {
    "autoencoder_exact": ("lambda1", (0.2, 0.4, 0.8, 1.6, 3.2)),
    "autoencoder": ("lambda1", (0.1, 0.3, 0.93, 1.5, 3.0)),
    "plier": ("l2", (5.0, 15.0, 45.0, 135.0, 405.0)),
    "expimap": ("alpha", (0.1, 0.3, 0.7, 1.5, 3.0)),
}
SLOW = 60.0  # seconds of a fit, from which on a model gets one draw of each kind
N_FOLDS = 3
MIN_GENES = 12  # as in the config of the subset
DESIGNS = {"groups": 2.0, "graded": 3.0}  # and their effects


# ----------------------------------------------------------------------------------- data


def counts_and_sets() -> tuple[AnnData, dict[str, list[str]]]:
    """Read singlets of the Kang17 subset, and Reactome, from the mirror."""
    mirror = os.environ["INTAE_MIRROR"]
    counts = read_h5ad(find_in_mirror("kang17_subset.h5ad", mirror))
    sets = find_in_mirror("c2.cp.reactome.v4.0.symbols.gmt", mirror)
    singlets = counts[counts.obs["multiplets"] == "singlet"].copy()
    return singlets, read_gene_sets(sets, remove_prefix="REACTOME_")


def data_of(key: str, folder: Path) -> AnnData:
    """Return prepared data: `kang17`, or a draw such as `groups-1300`; made once, then read."""
    path = folder / "data" / f"{key}.h5ad"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        kind, _, number = key.partition("-")
        if kind == "planted":
            sets = annotation_table(data_of("kang17", folder))
            made = intae.simulate(1000, annotations=sets, n_active=20, seed=int(number))
        else:
            counts, gene_sets = counts_and_sets()
            if kind != "kang17":
                counts = _drawn(counts, gene_sets, kind, int(number), folder)
            made = intae.prepare(counts, gene_sets, min_genes=MIN_GENES)
        with whole_file(path) as part:
            made.write_h5ad(part)
    return read_h5ad(path)


def _drawn(counts: AnnData, gene_sets: dict, kind: str, seed: int, folder: Path) -> AnnData:
    control = counts[counts.obs["condition"] == "ctrl"].copy()
    if kind == "null":
        return intae.implanted_null(control, "sets", seed=seed)
    kept = list(data_of("kang17", folder).uns["terms"])
    return intae.implant(
        control, gene_sets, design=kind, effect=DESIGNS[kind], among=kept, seed=seed
    )


# ----------------------------------------------------------------------------------- fits


def arguments(method: str) -> tuple[str, dict[str, Any]]:
    """Return class and arguments of a method; `plier@l2=45` is one with another penalty."""
    base, _, other = method.partition("@")
    _, kind, params = METHODS[base]
    name, _, value = other.partition("=")
    return kind, params | ({name: float(value)} if other else {})


def make(method: str, budget: float, seed: int = 0) -> FactorModel:
    """Return a new model, with the budget where it knows one."""
    kind, params = arguments(method)
    if "budget" in model_of(kind).parameters:
        params = params | {"budget": budget}
    return class_named(kind)(**params, seed=seed, threads=1)


def measure(method: str, key: str, folder: Path, budget: float) -> dict[str, float]:
    """Make the fits of one cell of the table, and return what is measured of them."""
    kind, _, number = key.partition("-")
    if kind in DESIGNS or kind in ("null", "planted"):
        return _of_draw(kind, make(method, budget), data_of(key, folder))
    prepared = data_of("kang17", folder)
    if kind == "whole":
        return _of_whole(make(method, budget).fit(prepared), prepared, folder / method)
    if kind == "seeds":
        models = [intae.load(folder / method / "whole.h5"), make(method, budget, 1).fit(prepared)]
        tables = [Fit.of(model, {}, prepared.obs) for model in models]
        return stopped(models[1]) or agreement(*tables, "seeds")
    if kind == "halves":
        first = next(half_masks(prepared, 1, False, np.random.default_rng(0)))
        models = [make(method, budget).fit(prepared[c].copy()) for c in (first, ~first)]
        return stopped(*models) or agreement(*(_all_cells(m, prepared) for m in models), "halves")
    splits = folds(label_codes(prepared.obs["condition"]), prepared.obs["donor"], N_FOLDS)
    train, test = splits[int(number) - 1]
    model = make(method, budget)
    if not model.infers_new_cells:
        return {}
    model.fit(prepared[train].copy())
    if stopped(model):
        return stopped(model)
    found = interferon(fit_of_all_cells(model, prepared).loadings, model, prepared, [(train, test)])
    if model.reconstructs:
        found["variance"] = variance_explained(model, prepared, test, train)
    return found


def stopped(*models: FactorModel) -> dict[str, float]:
    """Return a note if a budget stopped one of the fits, of which then nothing else is said."""
    return {"projected": True} if any(getattr(m, "projected_", False) for m in models) else {}


def _of_whole(model: FactorModel, prepared: AnnData, folder: Path) -> dict[str, float]:
    found = {
        "seconds": float(model.seconds_),
        "all_epochs": float(getattr(model, "projected_seconds_", model.seconds_)),
        "peak_mb": peak_memory_mb(),
        "iterations": int(model.n_iter_),
        "converged": bool(model.converged_),
        "active": int(model.terms_["active"].sum()),
        "host": describe_host(),
    } | stopped(model)
    model.save(folder / "whole.h5")
    if not model.infers_new_cells and not stopped(model):
        codes = label_codes(prepared.obs["condition"])
        loadings = Fit.of(model, {}, prepared.obs).loadings
        splits = folds(codes, prepared.obs["donor"], N_FOLDS)
        found |= interferon(loadings, model, prepared, splits)
    return found


def _of_draw(kind: str, model: FactorModel, drawn: AnnData) -> dict[str, float]:
    if not model.knows_gene_sets:
        return {}
    fit = Fit.of(model.fit(drawn), {}, drawn.obs)
    if stopped(model):
        return stopped(model)
    if kind == "planted":
        return recovery(fit, drawn).set_index("metric")["value"].to_dict()
    table = implanted(fit, drawn).pivot(index="term", columns="metric", values="value")
    found = {"share_called": float(table["share called"].dropna().iloc[0])}
    if kind != "null":
        kept = table[table["kept"] == 1]
        found |= {"top1": kept["top1"].mean(), "r": kept["r"].mean(), "sets": len(kept)}
    return found


def _all_cells(model: FactorModel, prepared: AnnData) -> Fit:
    """Return a fit of half of the cells as one whose loadings can be compared with the other's."""
    if model.infers_new_cells:
        return fit_of_all_cells(model, prepared)
    return Fit({}, model.terms_, model.history_, model.weights_, model.weights_)


def agreement(one: Fit, other: Fit, what: str) -> dict[str, float]:
    """Compare two fits: see the measures."""
    if (one.terms["kind"] != "annotated").all():
        tables = [fit.loadings.to_numpy(float) for fit in (one, other)]
        tables = [(Z - Z.mean(0)) / np.maximum(Z.std(0), 1e-12) for Z in tables]
        r = np.abs(tables[0].T @ tables[1]) / len(tables[0])
        return {f"{what}_r": float(np.median(r.max(1)))}
    found = shared(Pair.of(one, other))
    return {
        f"{what}_r": float(found.r.median()),
        f"{what}_jaccard": float(found.jaccard),
        f"{what}_shared": float(len(found.top)),
    }


def interferon(
    loadings: pd.DataFrame, model: FactorModel, prepared: AnnData, splits: list
) -> dict[str, float]:
    """Try on unseen donors the term that separates the conditions best on the others."""
    codes = label_codes(prepared.obs["condition"])
    terms = [t for t in loadings if not model.knows_gene_sets or "INTERFERON" in t or "IFN" in t]
    right = pairs = 0.0
    for train, test in splits:
        of_term = {
            t: predict(loadings[t].to_numpy(float), codes, train, train, test) for t in terms
        }
        best = max(terms, key=lambda t, of=of_term: score(codes, [of[t][0]])["auroc"])
        n = float(codes[test].sum() * (1 - codes[test]).sum())
        right += score(codes, [of_term[best][1]])["auroc"] * n
        pairs += n
    return {"interferon_auroc": right / pairs, "pairs": pairs}


# ----------------------------------------------------------------------------------- runs


def keys(draws: range, slow: bool) -> list[str]:
    """Return the fits that a method needs beside that of all cells, the most telling first."""
    kinds = (*DESIGNS, "null", "planted")
    chosen = list(draws)[:1] if slow else draws
    found = [f"{kind}-{seed}" for seed in chosen for kind in kinds]
    return found + ["seeds", "halves"] + [f"folds-{k + 1}" for k in range(N_FOLDS)]


def fit_cells(method: str, wanted: list[str], folder: Path, budget: float) -> None:
    """Make and keep the results that are missing; in a process of its own."""
    for key in wanted:
        if cell(folder, method, key).exists():
            continue
        began = time.perf_counter()
        try:
            found = measure(method, key, folder, budget)
        except IntaeError as error:  # such as data that a model cannot take
            found = {"refused": str(error)}
        cell(folder, method, key).parent.mkdir(parents=True, exist_ok=True)
        with whole_file(cell(folder, method, key)) as part:
            part.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(f"{method} {key}: {time.perf_counter() - began:.1f} s", flush=True)


def run(
    method: str, asked: argparse.Namespace, only: Callable[[str], bool] = lambda _: True
) -> None:
    """Fit what a method lacks: all cells in one process, whose memory counts, the rest in one."""
    folder = Path(asked.out)

    def start(wanted: list[str]) -> bool:
        wanted = [key for key in wanted if not cell(folder, method, key).exists() and only(key)]
        command = [sys.executable, __file__, "--out", asked.out, "--budget", str(asked.budget)]
        command += ["--fit", method, *wanted]
        return not wanted or subprocess.run(command, check=False).returncode == 0

    if "@" not in method and not start(["whole"]):
        print(f"{method}: is skipped", flush=True)
        return
    whole = read(cell(folder, method.partition("@")[0], "whole"))
    draws = range(asked.first_seed, asked.first_seed + asked.draws)
    wanted = keys(draws, whole["seconds"] > SLOW)
    if whole.get("projected"):  # the draws have half of the cells at most
        within = whole["all_epochs"] / 2 < asked.budget
        wanted = [key for key in wanted if within and "-" in key and not key.startswith("folds")]
    start(wanted)


def main() -> None:
    """Make what is missing, then the table and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="results/peers")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=1300)
    parser.add_argument("--budget", type=float, default=900, help="seconds of a fit, at most")
    parser.add_argument("--tuned", action="store_true", help="also five values of the penalty")
    parser.add_argument("--table", action="store_true", help="only the table, of what is there")
    parser.add_argument("--fit", nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    folder = Path(asked.out)
    others = {m: [f"{m}@{n}={v:g}" for v in values] for m, (n, values) in TUNED.items()}
    logging.getLogger("intae").setLevel(logging.ERROR)  # of each draw, which sets are dropped
    if asked.fit:
        method, *wanted = asked.fit
        try:
            fit_cells(method, wanted, folder, asked.budget)
        except ImportError as error:
            sys.exit(str(error))
        return
    for method in () if asked.table else asked.methods:
        run(method, asked)
        if asked.tuned and method in TUNED:
            for other in others[method]:
                run(other, asked, lambda key: key[0] in "gnp")
    table = make_table(folder, {m: label for m, (label, _, _) in METHODS.items()}, others)
    print_table(table)
    draw(table, folder / "peers.png")
    print(f"{folder}/peers.csv, {folder}/peers.png")


if __name__ == "__main__":
    main()
