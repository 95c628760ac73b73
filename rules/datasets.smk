# Which data sets of the run: by their labels, by what is known of them and by their methods.
def simulated():
    """Data sets whose truth is known, every draw of them."""
    return [draw for draws in BENCHMARK.simulations.values() for draw in draws]


def labelled(*roles):
    """Data sets of this run with a label of one of these roles."""
    return [
        d
        for d in BENCHMARK.datasets
        if any(role in BENCHMARK.dataset(d)["labels"] for role in roles)
    ]


def datasets_with(n_methods):
    """Data sets on which at least so many methods with terms run."""
    return [d for d in BENCHMARK.datasets if len(with_terms(d)) >= n_methods]


def grouped():
    """Data sets of cells in groups (of a condition or type), with a method that has terms."""
    known = labelled("condition") + labelled("cell_type")
    return [d for d in datasets_with(1) if d in known]


def with_pages():
    """Data sets that get a page of their terms: of a simulation the first draw only."""
    later = {d for draws in BENCHMARK.simulations.values() for d in draws[1:]}
    return [d for d in datasets_with(1) if d not in later]


def reconstructing():
    """Data sets with a method that has folds and makes expression, not scores only."""
    return [
        d
        for d in BENCHMARK.datasets
        if any(
            BENCHMARK.method(m)["folds"] and BENCHMARK.can(m, "reconstructs")
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


def with_dense():
    """Data sets with a condition and with methods that differ in their dense factors only."""
    return [d for d in labelled("condition") if dense_families(d)]


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


def with_ablations():
    """Data sets on which an ablation runs."""
    return [d for d in BENCHMARK.datasets if BENCHMARK.methods_of_role(d, "ablation")]
