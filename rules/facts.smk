# What scripts, figures and captions need to know of the config.
def analysis(key):
    """Return a function of wildcards that gives what the config says of a data set."""
    return lambda wildcards: BENCHMARK.analysis(wildcards.dataset).get(key)


def expected(wildcards):
    """Terms to mark."""
    return BENCHMARK.expected(wildcards.dataset)


def with_method(figure):
    """Label of a figure of one method in the report."""
    return lambda wildcards: {"figure": f"{figure}, {LABELS[wildcards.method]}"}


def control_labels(wildcards):
    """Names of the controls that run on a data set, as figures give them."""
    methods = BENCHMARK.methods_of(wildcards.dataset)
    return [LABELS[m] for m in methods if ROLES[m] == "control"]


def folds_said(wildcards, *, only="infers_new_cells"):
    """Names of the methods with folds on a data set that can do this, by number of folds."""
    said = {}
    for method in BENCHMARK.methods_of(wildcards.dataset):
        n_folds = BENCHMARK.method(method)["folds"]
        if n_folds and BENCHMARK.can(method, only):
            said.setdefault(n_folds, []).append(LABELS[method])
    return said


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


def set_entries(dataset):
    """Name -> entry of the config, for the gene set files of a data set."""
    gene_sets = BENCHMARK.config["gene_sets"]
    return {name: gene_sets[name] for name in BENCHMARK.dataset(dataset)["gene_sets"]}


# Keys of a data set's entry that change what loading it, and preparing it, does.
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
    """Those of the keys that a data set's entry has, so that no other key repeats a step."""
    entry = BENCHMARK.dataset(dataset)
    return {key: entry[key] for key in keys if key in entry}
