"""What a config may name: the models and what they can do, and the methods of the benchmark.

The Snakefile imports this, perhaps where nothing but Snakemake is installed; so it names classes
and imports none. A test holds each row against its class.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """A class that a method of the config may name under `model:`.

    Attributes
    ----------
    parameters
        The arguments that a config may give; `seed` and `threads` come from the workflow.
    package
        The package of others that it runs, where the extra `peers` brings it.
    knows_gene_sets, infers_new_cells, reconstructs
        As of the class: see :class:`intae.base.FactorModel`.
    revision
        Raised whenever the same arguments give other numbers: fits of an earlier revision are
        made anew.
    """

    parameters: tuple[str, ...]
    package: str | None = None
    knows_gene_sets: bool = True
    infers_new_cells: bool = True
    reconstructs: bool = True
    revision: int = 1


MODELS = {
    "Autoencoder": Model(
        (
            "solver", "n_sparse", "n_dense", "lambda0", "lambda1", "lambda2", "lambda3",
            "annotated_share", "weighting", "covariates", "readout", "background", "mean_penalty",
            "max_iter", "tol", "epochs", "learning_rate", "batch_size", "device",
        ),
        revision=6,
    ),
    "CNMF": Model(
        ("n_dense", "restarts", "density_threshold", "budget"), package="cnmf",
        knows_gene_sets=False, reconstructs=False,
    ),
    "ExpiMap": Model(
        ("alpha", "epochs", "recon_loss", "budget", "device"), package="scarches", revision=2
    ),
    "FSCLVM": Model(
        (
            "n_dense", "n_sparse", "covariates", "max_iter", "tol", "n_init", "compat",
            "gene_scale", "readout", "background", "mean_penalty",
        ),
        revision=5,
    ),
    "GeneSetScore": Model(("method",), reconstructs=False, revision=3),
    "LinearSCVI": Model(
        ("n_dense", "epochs", "budget", "device"), package="scvi",
        knows_gene_sets=False, reconstructs=False,
    ),
    "MOFAFLEX": Model(
        ("annotation_confidence", "n_dense", "max_iter", "budget", "device"),
        package="mofaflex", infers_new_cells=False, reconstructs=False,
    ),
    "MaskedAutoencoder": Model(
        ("mask", "inside", "outside", "epochs", "learning_rate", "batch_size", "device"),
        revision=2,
    ),
    "MuVI": Model(
        ("prior_confidence", "n_dense", "max_iter", "budget", "device"),
        package="muvi", infers_new_cells=False, reconstructs=False,
    ),
    "PCA": Model(("n_dense",), knows_gene_sets=False, revision=2),
    "PLIER": Model(
        (
            "n_factors", "l1", "l2", "named", "max_sets", "alpha", "step", "hold_out", "max_iter",
            "tol",
        ),
    ),
    "Slalom": Model(
        ("n_dense", "n_sparse", "covariates", "max_iter", "budget"),
        infers_new_cells=False, reconstructs=False,
    ),
    "Spectra": Model(
        ("lam", "max_iter", "budget"), package="Spectra", infers_new_cells=False, reconstructs=False
    ),
}  # fmt: skip


# The methods of the paper's benchmark with their colours, the recommended one first. Their order in
# figures is the same in every run, whichever of them a user's config names first; others follow in
# the config's order. Eight hues at most, one for a kind of method (tests count them): orange for
# the exact autoencoder, blue for its networks, green for f-scLVM, brown for slalom, yellow for
# shuffled gene sets, greys for scores and PCA, red for peers, violet for ablations. What shares a
# hue differs in lightness, and in figures without a row a method by its marker.
METHODS = {
    "autoencoder_exact": "#DE8F05",
    "autoencoder_dense3": "#F3C57A",
    "autoencoder_dropping": "#8F5C00",
    "autoencoder": "#0173B2",
    "autoencoder_proximal": "#67B7E1",
    "fsclvm": "#029E73",
    "fsclvm_dense3": "#016247",
    "fsclvm_annotation": "#7CCDB2",
    "slalom": "#A05F3B",
    "slalom_dense3": "#CFA084",
    "plier": "#C2185B",
    "autoencoder_permuted": "#ECE133",
    "score_genes": "#6E6E6E",
    "ulm": "#2B2B2B",
    "aucell": "#B4B4B4",
    "plain_mean": "#8A8A8A",
    "pca": "#D0D0D0",
    "autoencoder_masked": "#332288",
    "autoencoder_stochastic": "#8E80CC",
}
RECOMMENDED = "autoencoder_exact"  # its answer comes first, wherever methods stand side by side
# Figures that take a row or a page per method show these, and methods of the user's own: the
# others are the same models again, from elsewhere or with another solver.
MAIN_METHODS = ("autoencoder_exact", "autoencoder", "fsclvm", "fsclvm_dense3")


def solver_of(entry: dict) -> str | None:
    """Return the solver of a method's entry, where its model is the autoencoder."""
    return entry["params"].get("solver", "exact") if entry["model"] == "Autoencoder" else None


def package_of(entry: dict) -> str | None:
    """Return the package of others that a method runs, where the extra `peers` brings it."""
    from .models import model_of  # which knows this module

    if entry["model"] == "GeneSetScore":
        return "pyucell" if entry["params"].get("method") == "ucell" else None
    return model_of(entry["model"]).package


def trains_a_network(entry: dict) -> bool:
    """Say whether a method can use a GPU."""
    from .models import model_of  # which knows this module

    if entry["model"] == "Autoencoder":
        return solver_of(entry) in ("adam", "proximal")
    return "device" in model_of(entry["model"]).parameters
