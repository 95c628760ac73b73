# Paths of what rules read and write: fits, tables of a data set, figures of a method.
def per_dataset(pattern, datasets=None):
    """The pattern filled in for each data set that has at least one method."""
    datasets = BENCHMARK.datasets if datasets is None else datasets
    return [pattern.format(dataset=d) for d in datasets if BENCHMARK.methods_of(d)]


def per_method(pattern):
    """The pattern filled in for each method that figures show, of each data set."""
    return [
        pattern.format(dataset=d, method=m)
        for d in datasets_with(1)
        for m in BENCHMARK.shown_methods(d)
    ]


def files_of(wildcards):
    """A data set's own files, or the prepared data whose gene sets a simulated one takes."""
    lender = BENCHMARK.annotations_of(wildcards.dataset)
    own = BENCHMARK.dataset_files(wildcards.dataset)
    return own + ([PREPARED.format(dataset=lender)] if lender else [])


def fits_of(dataset):
    """Paths of all fits of a data set."""
    return [
        FIT.format(dataset=dataset, method=method, seed=seed)
        for method, seed in BENCHMARK.fits_of(dataset)
    ]


def method_files(dataset, methods, pattern):
    """Paths of these methods' files, a file a seed, by the pattern FIT or MODEL."""
    return [
        pattern.format(dataset=dataset, method=m, seed=s)
        for m in methods
        for s in BENCHMARK.method(m)["seeds"]
    ]


def fits_once(dataset, methods):
    """Path of one fit of each of these methods, of its first seed."""
    return [
        FIT.format(dataset=dataset, method=m, seed=BENCHMARK.method(m)["seeds"][0])
        for m in methods
    ]


def first_fits(wildcards):
    """One fit of each method that figures with a row a method show."""
    return fits_once(wildcards.dataset, BENCHMARK.shown_methods(wildcards.dataset))


def shown_fits(wildcards):
    """Fits of all seeds of the methods that figures with a row a method show."""
    shown = BENCHMARK.shown_methods(wildcards.dataset)
    return method_files(wildcards.dataset, shown, FIT)


def page_fits(wildcards):
    """One fit of each method that a page of terms shows."""
    return fits_once(wildcards.dataset, page_methods(wildcards.dataset))


def unseen_of(table, datasets):
    """Paths of a table of unseen cells: one a data set, method with folds and seed."""
    return [
        UNSEEN.format(dataset=dataset, method=method, seed=seed, table=table)
        for dataset in datasets
        for method, seed in BENCHMARK.fits_of(dataset)
        if BENCHMARK.method(method)["folds"]
    ]


def of_draws(table):
    """A table of each draw of a simulation."""

    def parts(wildcards):
        return [
            f"{RESULTS}/{draw}/tables/{table}.csv"
            for draw in BENCHMARK.simulations[wildcards.simulation]
            if BENCHMARK.methods_of(draw)
        ]

    return parts


def seen_already(wildcards):
    """Tables of a data set that the ablation leans on, by name; some data sets lack some."""
    wanted = ("terms", "accuracy", "stability", "recovery")
    return {
        name: f"{RESULTS}/{wildcards.dataset}/tables/{name}.csv"
        for name, datasets in EVALUATION
        if name in wanted and wildcards.dataset in datasets
    }


def page_tables(wildcards):
    """Name -> path of the tables of terms that a data set has."""
    paths = {
        table: f"{RESULTS}/{wildcards.dataset}/tables/{table}.csv"
        for table in (
            "terms",
            "accuracy",
            "stability",
            "correlation",
            "correlation_seeds",
            "necessity",
        )
    }
    return {
        table: path for table, path in paths.items() if path in PARTS.get(table, ())
    }


def among(paths, names):
    """Those of the paths whose file has one of these names, endings left out."""
    return [path for path in paths if Path(path).stem in names]
