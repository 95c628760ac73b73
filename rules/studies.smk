# Functions of scaling.smk and sweep.smk: what is fitted beside the ordinary fits.
from snakemake.utils import Paramspace

# Data sets whose cost is measured on parts, and data sets with a sweep over parameters.
SCALED = [d for d in BENCHMARK.datasets if BENCHMARK.parts_of(d)]
SWEPT = [d for d in BENCHMARK.datasets if BENCHMARK.sweeps_of(d)]
SWEEPS = "|".join(map(re.escape, BENCHMARK.config["sweep"])) or "(?!)"


def parts_of(dataset):
    """Paths of what the fits to parts of a data set cost."""
    return [
        f"{RESULTS}/{dataset}/{method}/scaling/{size}.csv"
        for method, size in BENCHMARK.parts_of(dataset)
    ]


def wholes_of(dataset):
    """Paths of the ordinary fits of the same methods."""
    methods = {method for method, _ in BENCHMARK.parts_of(dataset)}
    return [
        FIT.format(dataset=dataset, method=method, seed=seed)
        for method, seed in BENCHMARK.fits_of(dataset)
        if method in methods
    ]


def may_be_projected(dataset):
    """Whether slalom, whose fits may be stopped by a budget, is among these methods."""
    return any(MODELS[method] == "Slalom" for method, _ in BENCHMARK.parts_of(dataset))


def params_of_part(wildcards):
    """A method's parameters, slalom's with the budget of these fits."""
    entry = BENCHMARK.method(wildcards.method)
    budget = BENCHMARK.analysis(wildcards.dataset)["scaling"]["budget"]
    limited = entry["model"] == "Slalom" and budget is not None
    return entry["params"] | ({"budget": budget} if limited else {})


def spaces():
    """The parameter space of each sweep of this run, a parameter that a point lacks being NA."""
    names = {name for dataset in SWEPT for name in BENCHMARK.sweeps_of(dataset)}
    if not names:
        return {}
    try:
        import pandas as pd
    except ImportError:
        raise WorkflowError(
            f"config, sweep: {sorted(names)[0]}: sweeps need pandas where Snakemake runs; "
            "install it, or run data sets and methods without a sweep"
        )
    return {
        name: Paramspace(
            pd.DataFrame(BENCHMARK.points_of(name)).convert_dtypes(),
            filename_params="*",
            single_wildcard="point",
        )
        for name in sorted(names)
    }


SPACES = spaces()
# Each point by its name in a path, as the config's own values.
POINTS = {
    name: dict(zip(space.instance_patterns, BENCHMARK.points_of(name)))
    for name, space in SPACES.items()
}
SWEEP = f"{RESULTS}/{{dataset}}/sweep/{{sweep}}"


def rows_of(dataset):
    """Paths of the rows of all sweeps of a data set, the method's own parameters first."""
    return [
        f"{SWEEP}/{point}.csv".format(dataset=dataset, sweep=sweep)
        for sweep in BENCHMARK.sweeps_of(dataset)
        for point in ["default", *POINTS[sweep]]
    ]


def method_of(sweep):
    """The entry of the method of a sweep."""
    return BENCHMARK.method(BENCHMARK.sweep(sweep)["method"])


def about_row(wildcards):
    """What stands in front of a row: its point by name, and whether it is of the grid."""
    name = getattr(wildcards, "point", "default")
    point = POINTS[wildcards.sweep].get(name, {})
    kind = BENCHMARK.kind_of_point(wildcards.sweep, point) if point else "default"
    return {
        "dataset": wildcards.dataset,
        "method": BENCHMARK.sweep(wildcards.sweep)["method"],
        "seed": method_of(wildcards.sweep)["seeds"][0],
        "sweep": wildcards.sweep,
        "kind": kind,
        "point": ", ".join(f"{k} {v}" for k, v in point.items()) or "default",
    }


def swept_parameters(sweep):
    """Names of all parameters that a sweep gives somewhere."""
    return list(
        dict.fromkeys(name for point in POINTS[sweep].values() for name in point)
    )
