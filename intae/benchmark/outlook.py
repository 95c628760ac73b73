"""What a run will be, before it starts: its data prepared in memory, its steps, its cost."""

from __future__ import annotations

import csv
import logging
import warnings
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..sources.downloads import find_in_mirror
from .facts import shares
from .jobs import PREPARING, Jobs
from .plan import Benchmark, named_terms, terms_by_key
from .registry import solver_of
from .requests import fits_quickly

if TYPE_CHECKING:
    from anndata import AnnData

SLOPES = Path(__file__).with_name("slopes.csv")
COLUMNS = ("kind", "seconds", "seconds_per_1000_cells", "mb", "mb_per_1000_cells", "cpu")
GENES = 500  # at which the slopes were measured, with 50 terms (benchmarks/slopes.py)
LARGE = 300  # MB of files, above which data are not prepared only to look at them
# Seconds that each other step takes, most of it Python's start, as measured on small runs.
STEP = 4.0
# Kind of method -> the class and the parameters that it was measured with.
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "Autoencoder adam": ("Autoencoder", {"solver": "adam"}),
    "Autoencoder proximal": ("Autoencoder", {"solver": "proximal"}),
    "Autoencoder exact": ("Autoencoder", {"solver": "exact"}),
    "MaskedAutoencoder hard": ("MaskedAutoencoder", {"mask": "hard"}),
    "MaskedAutoencoder stochastic": ("MaskedAutoencoder", {"mask": "stochastic"}),
    "FSCLVM annotation": ("FSCLVM", {"n_dense": 0}),
    "FSCLVM slalom": ("FSCLVM", {"n_dense": 0, "compat": "slalom"}),
    "Slalom": ("Slalom", {"n_dense": 0}),
    "PLIER": ("PLIER", {}),
    "GeneSetScore score_genes": ("GeneSetScore", {"method": "score_genes"}),
    "GeneSetScore ulm": ("GeneSetScore", {"method": "ulm"}),
    "GeneSetScore aucell": ("GeneSetScore", {"method": "aucell"}),
    "GeneSetScore mean": ("GeneSetScore", {"method": "mean"}),
    "PCA": ("PCA", {}),
}


@dataclass
class Cost:
    """What fits cost, about.

    Attributes
    ----------
    fits
        Their number.
    seconds
        Of all, one after the other.
    mb
        Of the largest.
    unknown
        How many of the fits count for nothing, since their class was not measured.
    """

    fits: int = 0
    seconds: float = 0.0
    mb: float = 0.0
    unknown: int = 0

    def add(self, fits: int, about: tuple[float, float] | None) -> None:
        """Add fits of the same cost."""
        self.fits += fits
        if about is None:
            self.unknown += fits
        elif fits:
            self.seconds += fits * about[0]
            self.mb = max(self.mb, about[1])

    def join(self, other: Cost) -> None:
        """Add the fits of another data set."""
        self.fits += other.fits
        self.seconds += other.seconds
        self.mb = max(self.mb, other.mb)
        self.unknown += other.unknown


def kind_of(entry: dict[str, Any]) -> str:
    """Return the kind of a method, a key of :data:`KINDS`, or its class where it is none."""
    model, params = entry["model"], entry["params"]
    more = {
        "Autoencoder": solver_of(entry),
        "MaskedAutoencoder": params.get("mask", "hard"),
        "FSCLVM": params.get("compat") or "annotation",
        "GeneSetScore": params.get("method"),
    }.get(model)
    return f"{model} {more}" if more else model


@cache
def _slopes() -> dict[str, dict[str, float]]:
    with SLOPES.open(newline="", encoding="utf-8") as file:
        return {
            row["kind"]: {name: float(row[name]) for name in COLUMNS[1:-1]}
            for row in csv.DictReader(file)
        }


def measured_on() -> str:
    """Name the machine that the slopes were measured on."""
    with SLOPES.open(newline="", encoding="utf-8") as file:
        return next(csv.DictReader(file))["cpu"]


def cost_of_fit(entry: dict[str, Any], n_cells: float, n_genes: int) -> tuple[float, float] | None:
    """Return about how many seconds and MB a fit takes; None where its class was not measured."""
    found, budget = _slopes().get(kind_of(entry)), entry["params"].get("budget")
    if found is None:  # what may take hours, as slalom, takes its budget at most
        return None if budget is None else (budget, 0.0)
    thousands, wider = n_cells / 1000, n_genes / GENES
    seconds = (found["seconds"] + found["seconds_per_1000_cells"] * thousands) * wider
    if budget is not None:
        seconds = min(seconds, budget)
    return seconds, found["mb"] + found["mb_per_1000_cells"] * thousands * wider


def cost_of(benchmark: Benchmark, dataset: str, n_cells: int, n_genes: int) -> Cost:
    """Return what all fits of a data set cost: seeds, halves, folds, parts and sweeps."""
    cost, whole = Cost(), dataset in benchmark.datasets
    kinds = 2 if "donor" in benchmark.dataset(dataset)["labels"] else 1
    for method in benchmark.methods_of(dataset):
        entry = benchmark.method(method)
        cost.add(len(entry["seeds"]), cost_of_fit(entry, n_cells, n_genes))
        if whole:
            half = cost_of_fit(entry, n_cells / 2, n_genes)
            cost.add(2 * kinds * entry["halves"], half)
            if folds := entry["folds"]:
                rest = cost_of_fit(entry, n_cells * (folds - 1) / folds, n_genes)
                cost.add(folds * len(entry["seeds"]), rest)
    if whole:
        for method, size in benchmark.parts_of(dataset):
            if size <= n_cells:
                cost.add(1, cost_of_fit(benchmark.method(method), size, n_genes))
        for sweep in benchmark.sweeps_of(dataset):
            entry = benchmark.method(benchmark.sweep(sweep)["method"])
            n_points = len(benchmark.points_of(sweep)) + 1
            cost.add(n_points, cost_of_fit(entry, n_cells, n_genes))
    return cost


def count_steps(jobs: Jobs) -> int:
    """Return the number of steps of a whole run, none of it done, downloads among them."""
    b = jobs.benchmark
    lent = {d for name in jobs.places if (d := b.lender_of(name))}
    steps = len(b.downloads) + 2 * len({*jobs.places, *lent})  # load, prepare
    for place in jobs.places:
        slow = [m for m, _ in b.fits_of(place) if not fits_quickly(b.method(m))]
        steps += len(b.fits_of(place)) + len(slow) + 1  # train, perhaps score; compare
        if place in b.datasets:
            steps += len(b.halved(place)) + len(b.parts_of(place)) + len(jobs.sweep_rows(place))
            if {"accuracy", "reconstruction", "choice", "folds"} & set(jobs.tables_of(place)):
                steps += sum(len(b.method(m)["seeds"]) for m in b.folded(place))
            steps += 2 * b.holds("terms", place)  # the map, the pages
    steps += len(list(shares(jobs))) + bool(jobs.calls()) + bool(b.left_out)
    # join, figures of the run, all, claims
    return steps + 2 + (len(jobs.places) > 1) + bool(b.stands_for())


def look(jobs: Jobs, dataset: str) -> tuple[list[str], tuple[int, int] | None]:
    """Prepare a data set in memory where its files are here, and say what came of it.

    Returns
    -------
    Lines, and numbers of cells and genes; None where nothing can be prepared before the run.

    Raises
    ------
    IntaeError
        If loading or preparing fails, as it would in the run.
    """
    b = jobs.benchmark
    if b.lender_of(dataset):
        return [], None
    files, sets = (
        [path if Path(path).exists() else find_in_mirror(Path(path).name, b.mirror)
         for path in paths]
        for paths in (b.dataset_files(dataset), b.gene_set_files(dataset))
    )  # fmt: skip
    if None in files:
        return ["  not looked at: files are missing"], None
    size = sum(Path(path).stat().st_size for path in files) / 2**20
    if size > LARGE:
        return [f"  not prepared: {size:.0f} MB are more than a look is worth"], None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded, lines = _load(jobs, dataset, files)
            if None in sets:
                where = f"  {loaded.n_obs:,} cells x {loaded.n_vars:,} genes"
                lines += [f"{where}; not prepared: gene sets are missing", *_labels_of(loaded)]
                return lines, None
            logging.disable(logging.WARNING)  # what is said here says it in one line
            prepared, more = _prepare(jobs, dataset, loaded, sets)
    finally:
        logging.disable(logging.NOTSET)
    return [*lines, *more], prepared.shape


class _Told(logging.Handler):
    """Keeps the warnings of the library."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.lines.append(f"  note: {record.getMessage()}")


def _load(jobs: Jobs, dataset: str, files: list) -> tuple[AnnData, list[str]]:
    """Load a data set, and return the warnings of it, which would else be in a log alone."""
    from ..sources.loading import load_dataset

    library, told = logging.getLogger("intae"), _Told()
    kept, library.propagate = library.propagate, False
    library.addHandler(told)
    try:
        loaded = load_dataset(
            dataset, jobs.loading(dataset), files, jobs.benchmark.analysis(dataset)
        )
    finally:
        library.removeHandler(told)
        library.propagate = kept
    return loaded, told.lines


def _labels_of(adata: AnnData) -> list[str]:
    """Return a line for each label, with how many cells have each value."""
    from ..counts import SIZE_FACTOR

    lines = []
    for label in adata.obs.columns.drop(SIZE_FACTOR, errors="ignore"):
        counts = adata.obs[label].value_counts()
        some = ", ".join(f"{value} {n}" for value, n in counts.head(8).items())
        more = f" and {len(counts) - 8} more" if len(counts) > 8 else ""
        lines.append(f"  {label}: {some}{more}")
    return lines


def _prepare(jobs: Jobs, dataset: str, loaded: AnnData, sets: list) -> tuple[AnnData, list[str]]:
    from ..gene_sets import merge_gene_sets, read_gene_sets
    from ..preparation import prepare
    from ..prepared import check_named, gene_set_table
    from ..sources import AS_PREPARED

    b = jobs.benchmark
    prepared, lines = loaded, []
    settings = jobs.entry(dataset, PREPARING)
    settings.pop("chunked", None)  # the data are small enough here
    if settings.pop("source") not in AS_PREPARED:
        gene_sets = merge_gene_sets(
            read_gene_sets(file, remove_prefix=prefix)
            for file, prefix in zip(sets, jobs.prefixes(dataset), strict=True)
        )
        genes = {gene for members in gene_sets.values() for gene in members}
        there = {str(name).upper() for name in loaded.var_names}
        matched = sum(gene.upper() in there for gene in genes)
        prepared = prepare(loaded, gene_sets, scale=loaded.uns["scale"], **settings)
        table = prepared.uns["gene_sets"]
        kept = int(table["kept"].sum())
        why = Counter(table.loc[~table["kept"], "why"].astype(str))
        dropped = "; ".join(f"{n} since {reason}" for reason, n in why.most_common(3))
        lines += [
            f"  scale: {loaded.uns['scale']}",
            f"  genes: {matched:,} of the {len(genes):,} in gene sets are in the data",
            f"  sets: {kept} of {len(table)} kept" + (f" ({dropped})" if dropped else ""),
        ]
    terms = [str(term) for term in prepared.uns["terms"]]
    lines.append(
        f"  prepared: {prepared.n_obs:,} cells x {prepared.n_vars:,} genes, {len(terms)} terms"
    )
    lines += _labels_of(prepared)
    analysis, table = b.analysis(dataset), gene_set_table(prepared).set_index("name")
    dropped = table.loc[~table["kept"].astype(bool), "why"].to_dict()
    check_named(terms_by_key(analysis), table.index, f"config, analyses: {dataset}", dropped)
    lines += [
        f"  not there: the term {term}, with {dropped[term]}"
        for term in named_terms(analysis)
        if term in dropped
    ]
    return prepared, lines
