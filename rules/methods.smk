# Which methods of a data set: by their models, parameters, roles and abilities.
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


def trains_a_network(method):
    """Whether a method can use a GPU."""
    entry = BENCHMARK.method(method)
    exact = entry["params"].get("solver", "exact") == "exact"
    return entry["model"] == "MaskedAutoencoder" or (
        entry["model"] == "Autoencoder" and not exact
    )


def in_role(*roles):
    """Return a function of wildcards that gives the methods of a data set in these roles."""
    return lambda wildcards: [
        m
        for m in BENCHMARK.methods_of(wildcards.dataset)
        if BENCHMARK.method(m)["role"] in roles
    ]


def with_terms(dataset):
    """Methods of a data set whose terms are gene sets."""
    return [
        m for m in BENCHMARK.methods_of(dataset) if BENCHMARK.can(m, "knows_gene_sets")
    ]


def models_of(dataset):
    """Methods of a data set that are models of the comparison, with terms that are gene sets."""
    return [m for m in with_terms(dataset) if ROLES[m] == "model"]


def permuted_methods(wildcards):
    """Methods of a data set whose gene sets are shuffled."""
    methods = BENCHMARK.methods_of(wildcards.dataset)
    return [m for m in methods if BENCHMARK.method(m)["permute_annotations"]]


def plain_scores(wildcards):
    """Controls of a data set that have terms of their own genes."""
    controls = [m for m in with_terms(wildcards.dataset) if ROLES[m] == "control"]
    return [m for m in controls if m not in permuted_methods(wildcards)]


def halved_methods(dataset):
    """Methods of a data set whose stability between halves is measured."""
    return [m for m in BENCHMARK.methods_of(dataset) if BENCHMARK.method(m)["halves"]]


def dense_families(dataset):
    """Lists of methods of a data set that differ in their number of dense factors only."""
    families = {}
    for method in models_of(dataset):
        entry = BENCHMARK.method(method)
        params = {k: v for k, v in entry["params"].items() if k != "n_dense"}
        key = entry["model"], str(sorted(params.items()))
        families.setdefault(key, {})[method] = entry["params"].get("n_dense")
    return [list(f) for f in families.values() if len(set(f.values())) > 1]


def told_families(dataset):
    """Those of these lists that a caption may name: no fit can be stopped by a budget."""
    return [
        family
        for family in dense_families(dataset)
        if not any(BENCHMARK.method(m)["params"].get("budget") for m in family)
    ]


def by_dense(dataset):
    """Models of a data set, those first that differ in their number of dense factors only."""
    families = [m for family in dense_families(dataset) for m in family]
    return families + [m for m in models_of(dataset) if m not in families]


def compared(wildcards):
    """Autoencoders that the bars compare the reference with; other methods without them."""
    shown = BENCHMARK.shown_methods(wildcards.dataset)
    return [m for m in shown if MODELS[m] == "Autoencoder"] or shown


def compared_with_ablations(dataset):
    """The ablations of the autoencoder, and the autoencoders to see them beside."""
    return of_model(dataset, "Autoencoder") + of_model(
        dataset, "Autoencoder", "MaskedAutoencoder", roles=("ablation",)
    )


def page_methods(dataset):
    """Methods that a page of terms shows: no ablations, none whose sets hold other genes."""
    entries = {m: BENCHMARK.method(m) for m in BENCHMARK.methods_of(dataset)}
    return [
        m
        for m, entry in entries.items()
        if entry["role"] != "ablation" and not entry.get("permute_annotations", False)
    ]
