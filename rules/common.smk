# The checked config, the names it gives, the paths of results, and functions for all files here.
import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# The library is installed, or it lies beside this file (environments made by conda).
sys.path.insert(0, workflow.basedir)
from intae.config import Benchmark
from intae.errors import ConfigError
from intae.config_files import read_config

try:
    for path in workflow.configfiles:
        read_config(path)  # an entry that stands there twice would silently be lost
    BENCHMARK = Benchmark(config)
except ConfigError as error:
    raise WorkflowError(str(error))

RESULTS = BENCHMARK.config["results"]
RESOURCES = BENCHMARK.config["resources"]
PREPARED = f"{RESULTS}/{{dataset}}/prepared.h5ad"
FIT = f"{RESULTS}/{{dataset}}/{{method}}/seed{{seed}}/fit.h5ad"
MODEL = f"{RESULTS}/{{dataset}}/{{method}}/seed{{seed}}/model.h5"


wildcard_constraints:
    dataset="|".join(map(re.escape, BENCHMARK.config["datasets"])),
    method="|".join(map(re.escape, BENCHMARK.config["methods"])),
    seed=r"\d+",
    file=r"[^/]+",


def methods_with(model, **params):
    """Pattern of the methods of a model whose parameters are these, for a wildcard constraint."""
    names = [
        name
        for name, entry in BENCHMARK.config["methods"].items()
        if entry["model"] == model
        and all(
            entry["params"].get(key, "exact") in values
            for key, values in params.items()
        )
    ]
    return "|".join(map(re.escape, names)) or "(?!)"


def fits_of(dataset):
    """Paths of all fits of a data set."""
    return [
        FIT.format(dataset=dataset, method=method, seed=seed)
        for method, seed in BENCHMARK.fits_of(dataset)
    ]


def of_model(dataset, *models, roles=("model",), solvers=()):
    """Methods of a data set that are of these models, roles and (where given) solvers."""
    return [
        m
        for m in BENCHMARK.methods_of_role(dataset, *roles)
        if MODELS[m] in models
        and (
            not solvers
            or BENCHMARK.method(m)["params"].get("solver", "exact") in solvers
        )
    ]


def method_files(dataset, methods, pattern):
    """Paths of these methods' files, a file a seed, by the pattern FIT or MODEL."""
    return [
        pattern.format(dataset=dataset, method=m, seed=s)
        for m in methods
        for s in BENCHMARK.method(m)["seeds"]
    ]


def halved_methods(dataset):
    """Methods of a data set whose stability between halves is measured."""
    return [m for m in BENCHMARK.methods_of(dataset) if BENCHMARK.method(m)["halves"]]


UNSEEN = f"{RESULTS}/{{dataset}}/{{method}}/seed{{seed}}/unseen/{{table}}.csv"


def unseen_of(table, datasets):
    """Paths of a table of unseen cells: one a data set, method with folds and seed."""
    return [
        UNSEEN.format(dataset=dataset, method=method, seed=seed, table=table)
        for dataset in datasets
        for method, seed in BENCHMARK.fits_of(dataset)
        if BENCHMARK.method(method)["folds"]
    ]


def reconstructing():
    """Data sets with a method that has folds and makes expression, not scores only."""
    return [
        d
        for d in BENCHMARK.datasets
        if any(
            BENCHMARK.method(m)["folds"]
            and BENCHMARK.method(m)["model"] != "GeneSetScore"
            for m in BENCHMARK.methods_of(d)
        )
    ]


def repeated():
    """Data sets with a method that has several seeds or halves, so that stability is known."""
    return [
        d
        for d in BENCHMARK.datasets
        if halved_methods(d)
        or any(len(BENCHMARK.method(m)["seeds"]) > 1 for m in BENCHMARK.methods_of(d))
    ]


def simulated():
    """Data sets whose truth is known, every draw of them."""
    return [draw for draws in BENCHMARK.simulations.values() for draw in draws]


def of_draws(table):
    """A table of each draw of a simulation."""

    def parts(wildcards):
        return [
            f"{RESULTS}/{draw}/tables/{table}.csv"
            for draw in BENCHMARK.simulations[wildcards.simulation]
            if BENCHMARK.methods_of(draw)
        ]

    return parts


def planted(wildcards):
    """What captions say of a simulation."""
    draws = BENCHMARK.simulations[wildcards.simulation]
    entries = [BENCHMARK.dataset(draw) for draw in draws]
    return {
        "n_draws": len(draws),
        "seeds": [entry["params"].get("seed", 0) for entry in entries],
        "sizes": {k: v for k, v in entries[0]["params"].items() if k != "seed"},
        "annotations_of": entries[0]["annotations_of"],
    }


def draw_of():
    """Draw -> its simulation, for figures that show all draws as one data set."""
    return {
        draw: simulation
        for simulation, draws in BENCHMARK.simulations.items()
        for draw in draws
    }


def labelled(*roles):
    """Data sets of this run with a label of one of these roles."""
    return [
        d
        for d in BENCHMARK.datasets
        if any(role in BENCHMARK.dataset(d)["labels"] for role in roles)
    ]


def per_dataset(pattern, datasets=None):
    """The pattern filled in for each data set that has at least one method."""
    datasets = BENCHMARK.datasets if datasets is None else datasets
    return [pattern.format(dataset=d) for d in datasets if BENCHMARK.methods_of(d)]


def files_of(wildcards):
    """A data set's own files, or the prepared data whose gene sets a simulated one takes."""
    lender = BENCHMARK.annotations_of(wildcards.dataset)
    own = BENCHMARK.dataset_files(wildcards.dataset)
    return own + ([PREPARED.format(dataset=lender)] if lender else [])


LOADING = (
    "source",
    "params",
    "annotations_of",
    "filter",
    "subset",
    "labels",
    "drop_unlabelled",
    "format",
    "genes_in",
    "matrix",
    "gene_column",
    "scale",
    "metadata",
)
PREPARING = (
    "source",
    "n_hvgs",
    "min_genes",
    "max_genes",
    "normalize",
    "target_sum",
    "log1p",
)


def entry_of(dataset, keys):
    """Those keys of a data set's entry that change what a step does."""
    entry = BENCHMARK.dataset(dataset)
    return {key: entry[key] for key in keys if key in entry}


LABELS = {
    name: entry.get("label", name)
    for name, entry in BENCHMARK.config["methods"].items()
}
MODELS = {name: entry["model"] for name, entry in BENCHMARK.config["methods"].items()}
# Ablations are shown in a figure of their own only.
SHOWN = {
    name: label
    for name, label in LABELS.items()
    if BENCHMARK.method(name)["role"] != "ablation"
}
ROLES = {name: entry["role"] for name, entry in BENCHMARK.config["methods"].items()}
WITH_TERMS = [name for name, model in MODELS.items() if model != "PCA"]


def with_terms(dataset):
    """Methods of a data set whose terms are gene sets."""
    return [m for m in BENCHMARK.methods_of(dataset) if m in WITH_TERMS]


def permuted_methods(wildcards):
    """Methods of a data set whose gene sets are shuffled."""
    methods = BENCHMARK.methods_of(wildcards.dataset)
    return [m for m in methods if BENCHMARK.method(m)["permute_annotations"]]


def control_labels(wildcards):
    """Names of the controls that run on a data set, as figures give them."""
    methods = BENCHMARK.methods_of(wildcards.dataset)
    return [LABELS[m] for m in methods if ROLES[m] == "control"]


def plain_scores(wildcards):
    """Controls of a data set that have terms of their own genes."""
    controls = [m for m in with_terms(wildcards.dataset) if ROLES[m] == "control"]
    return [m for m in controls if m not in permuted_methods(wildcards)]


def first_fits(wildcards):
    """One fit, of the first seed, of each method that figures with a row a method show."""
    return [
        FIT.format(
            dataset=wildcards.dataset, method=m, seed=BENCHMARK.method(m)["seeds"][0]
        )
        for m in BENCHMARK.shown_methods(wildcards.dataset)
    ]


def shown_fits(wildcards):
    """Fits of all seeds of the methods that figures with a row a method show."""
    shown = BENCHMARK.shown_methods(wildcards.dataset)
    return method_files(wildcards.dataset, shown, FIT)


def analysis(key):
    """Return a function of wildcards that gives what the config says of a data set."""
    return lambda wildcards: BENCHMARK.analysis(wildcards.dataset).get(key)


def expected(wildcards):
    """Terms to mark."""
    return BENCHMARK.expected(wildcards.dataset)


def in_role(*roles):
    """Return a function of wildcards that gives the methods of a data set in these roles."""
    return lambda wildcards: [
        m
        for m in BENCHMARK.methods_of(wildcards.dataset)
        if BENCHMARK.method(m)["role"] in roles
    ]


def models_of(dataset):
    """Methods of a data set that are models of the comparison, with terms that are gene sets."""
    return [m for m in with_terms(dataset) if ROLES[m] == "model"]


def folds_said(wildcards, *, without=()):
    """Names of the methods with folds on a data set, by number of folds; not of some models."""
    said = {}
    for method in BENCHMARK.methods_of(wildcards.dataset):
        n_folds = BENCHMARK.method(method)["folds"]
        if n_folds and MODELS[method] not in without:
            said.setdefault(n_folds, []).append(LABELS[method])
    return said


def dense_families(dataset):
    """Lists of methods of a data set that differ in their number of dense factors only."""
    families = {}
    for method in models_of(dataset):
        entry = BENCHMARK.method(method)
        params = {k: v for k, v in entry["params"].items() if k != "n_dense"}
        key = entry["model"], str(sorted(params.items()))
        families.setdefault(key, {})[method] = entry["params"].get("n_dense")
    return [list(f) for f in families.values() if len(set(f.values())) > 1]


def with_dense():
    """Data sets with a condition and with methods that differ in their dense factors only."""
    return [d for d in labelled("condition") if dense_families(d)]


def by_dense(dataset):
    """Models of a data set, those first that differ in their number of dense factors only."""
    families = [m for family in dense_families(dataset) for m in family]
    return families + [m for m in models_of(dataset) if m not in families]


def among(paths, names):
    """Those of the paths whose file has one of these names, endings left out."""
    return [path for path in paths if Path(path).stem in names]


def run_facts():
    """What the checks of the paper's claims need to know of the config."""
    entries = BENCHMARK.config["methods"]
    return {
        "methods": {
            name: {
                key: e[key] for key in ("label", "model", "role", "params") if key in e
            }
            for name, e in entries.items()
        },
        "stands_for": BENCHMARK.stands_for(),
        "simulated": simulated(),
    }


def datasets_with(n_methods):
    """Data sets on which at least so many methods with terms run."""
    return [d for d in BENCHMARK.datasets if len(with_terms(d)) >= n_methods]


def with_autoencoders():
    """Data sets on which an autoencoder with a network runs."""
    solvers = ("adam", "proximal")
    return [
        d for d in BENCHMARK.datasets if of_model(d, "Autoencoder", solvers=solvers)
    ]


def with_exact():
    """Data sets on which an exact autoencoder runs."""
    return [
        d for d in BENCHMARK.datasets if of_model(d, "Autoencoder", solvers=("exact",))
    ]


def compared_with_ablations(dataset):
    """The ablations of the autoencoder, and the autoencoders to see them beside."""
    return of_model(dataset, "Autoencoder") + of_model(
        dataset, "Autoencoder", "MaskedAutoencoder", roles=("ablation",)
    )


def with_ablations():
    """Data sets on which an ablation runs."""
    return [d for d in BENCHMARK.datasets if BENCHMARK.methods_of_role(d, "ablation")]


def seen_already(wildcards):
    """Tables of a data set that the ablation leans on, by name; some data sets lack some."""
    wanted = ("terms", "accuracy", "stability", "recovery")
    return {
        name: f"{RESULTS}/{wildcards.dataset}/tables/{name}.csv"
        for name, datasets in EVALUATION
        if name in wanted and wildcards.dataset in datasets
    }


def grouped():
    """Data sets of cells in groups (of a condition or type), with a method that has terms."""
    known = labelled("condition") + labelled("cell_type")
    return [d for d in datasets_with(1) if d in known]


def per_method(pattern):
    """The pattern filled in for each method that figures show, of each data set."""
    return [
        pattern.format(dataset=d, method=m)
        for d in datasets_with(1)
        for m in BENCHMARK.shown_methods(d)
    ]


def compared(wildcards):
    """Autoencoders that the bars compare the reference with; other methods without them."""
    shown = BENCHMARK.shown_methods(wildcards.dataset)
    return [m for m in shown if MODELS[m] == "Autoencoder"] or shown


def with_method(figure):
    """Label of a figure of one method in the report."""
    return lambda wildcards: {"figure": f"{figure}, {LABELS[wildcards.method]}"}


def with_pages():
    """Data sets that get a page of their terms: of a simulation the first draw only."""
    later = {d for draws in BENCHMARK.simulations.values() for d in draws[1:]}
    return [d for d in datasets_with(1) if d not in later]


def page_methods(dataset):
    """Methods that a page of terms shows: no ablations, none whose sets hold other genes."""
    entries = {m: BENCHMARK.method(m) for m in BENCHMARK.methods_of(dataset)}
    return [
        m
        for m, entry in entries.items()
        if entry["role"] != "ablation" and not entry.get("permute_annotations", False)
    ]


def page_fits(wildcards):
    """One fit, of the first seed, of each method that a page of terms shows."""
    return [
        FIT.format(
            dataset=wildcards.dataset, method=m, seed=BENCHMARK.method(m)["seeds"][0]
        )
        for m in page_methods(wildcards.dataset)
    ]


def page_tables(wildcards):
    """Name -> path of the tables of terms that a data set has."""
    paths = {
        table: f"{RESULTS}/{wildcards.dataset}/tables/{table}.csv"
        for table in ("terms", "accuracy", "stability", "correlation", "necessity")
    }
    return {
        table: path for table, path in paths.items() if path in PARTS.get(table, ())
    }


def set_entries(dataset):
    """Name -> entry of the config, for the gene set files of a data set."""
    gene_sets = BENCHMARK.config["gene_sets"]
    return {name: gene_sets[name] for name in BENCHMARK.dataset(dataset)["gene_sets"]}
