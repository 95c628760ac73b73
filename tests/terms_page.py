"""A page of terms to try: data, fits and tables by hand, with names that look like HTML."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
from anndata import AnnData
from fits import make_fit

from intae.benchmark.tables import label
from intae.metrics.agreement import correlate_pairs, correlation_table
from intae.metrics.terms import terms_of
from intae.page.gather import gather
from intae.page.render import render_page

EVIL = '</script><b>EVIL</b>_"TERM"'
TERMS = [EVIL, "A_SECOND_TERM", "AN_IDLE_TERM"]
GENES = ["<i>G0</i>", *(f"G{i}" for i in range(1, 9))]
LABELS = {"autoencoder": "Autoencoder", "fsclvm": "f-scLVM <3>", "pca": "PCA"}
N_CELLS = 60


def make_case():
    """Prepared data, two fits and tables, all by hand."""
    rng = np.random.default_rng(0)
    obs = pd.DataFrame(index=[f"c{i}" for i in range(N_CELLS)])
    obs["condition"] = np.where(np.arange(N_CELLS) < 25, "ctrl", "<u>stim</u>")
    obs["cell_type"] = rng.choice(["B", "T", "10", "9"], N_CELLS)
    prepared = AnnData(
        rng.normal(size=(N_CELLS, 9)).astype(np.float32), obs, pd.DataFrame(index=GENES)
    )
    sets = np.zeros((9, 3), np.uint8)
    sets[:4, 0], sets[3:7, 1], sets[5:, 2] = 1, 1, 1
    prepared.varm["annotations"], prepared.uns["terms"] = sets, np.array(TERMS, object)
    fits = []
    for number, method in enumerate(("autoencoder", "fsclvm")):
        z = rng.normal(size=(N_CELLS, 3))
        w = rng.normal(size=(9, 3)) * sets
        w[8, 0], w[1, 0] = -2.5, 0  # added, removed
        z[:, 2] = w[:, 2] = 0
        fit = make_fit(z, w, [2.0, 1234.5 + number, 0], active=[True, True, False], method=method)
        fit.terms.index = fit.loadings.columns = fit.weights.columns = pd.Index(TERMS, name="term")
        fit.terms.loc[EVIL, ["genes_added", "genes_removed"]] = ["G8", "G1"]
        fit.weights.index, fit.loadings.index = pd.Index(GENES, name="gene"), obs.index
        if number == 0:
            fit.terms["detected"], fit.terms["q_value"] = [False, True, False], [0.12, 0.003, 0.4]
        fit.about["model"] = "Autoencoder" if number == 0 else "FSCLVM"
        fits.append(fit)
    rows = [
        (fit.about["method"], seed, term, "condition", split, *rng.uniform(0.5, 1, 3))
        for fit in fits for seed in (0, 1) for term in TERMS for split in ("train", "held_out")
    ]  # fmt: skip
    rows.append(("autoencoder", 0, EVIL, "condition", "unseen", 0.6543, 0.61, np.nan))
    names = ["method", "seed", "term", "label", "split", "accuracy", "balanced_accuracy", "auroc"]
    terms = pd.concat(label(terms_of(fit), fit.about) for fit in fits)
    again = terms[terms["method"] == "autoencoder"].assign(seed=1, rank=[1, 2, 3])
    pairs = [
        ("autoencoder", a, "fsclvm", b, term, r)
        for a, b, r in ((0, 0, 0.1), (0, 1, -0.2), (1, 0, 0.6), (1, 1, np.nan))
        for term in TERMS[:2]
    ]
    tables = {
        "terms": pd.concat([terms, again]),
        "correlation_seeds": pd.DataFrame(
            pairs, columns=["method_a", "seed_a", "method_b", "seed_b", "term", "r"]
        ),
        "accuracy": pd.DataFrame(rows, columns=names),
        "correlation": correlation_table(correlate_pairs(fits), "fsclvm"),
        "stability": pd.DataFrame(
            [("autoencoder", "seeds", EVIL, 0.99, 0.99, 0.99),
             ("autoencoder", "halves", EVIL, 0.97, 0.94, 0.98),
             ("autoencoder", "halves", "(mean |r|)", 0.97, 0.97, 0.97),
             ("autoencoder", "halves", "(number of pairs)", 5, 5, 5)],
            columns=["method", "kind", "term", "r", "r_min", "r_max"],
        ),
        "necessity": pd.DataFrame(
            [("autoencoder", 0, EVIL, 0.0123, 0.34, "A_SECOND_TERM"),
             ("autoencoder", 0, "A_SECOND_TERM", -0.5, 0.1, np.nan)],
            columns=["method", "seed", "term", "necessity", "irreplaceable", "stand_ins"],
        ),
        "families": pd.DataFrame(
            [("autoencoder", 0, f"{EVIL} | {TERMS[2]}"), ("autoencoder", 0, TERMS[1])],
            columns=["method", "seed", "members"],
        ),
    }  # fmt: skip
    tables["gene_sets"] = pd.DataFrame(
        [(term, 17, 9, 4, True, np.nan) for term in TERMS]
        + [("<i>LOST</i>_SET", 39, 36, 8, False, "too few <variable> genes")],
        columns=["name", "n_genes", "in_data", "kept_genes", "kept", "why"],
    )
    places = rng.normal(size=(N_CELLS, 2))
    embedding = pd.DataFrame(places, obs.index, ["umap_1", "umap_2"]).assign(own=True)
    origins = {EVIL: {"collection": "mine", "n_genes": 17, "full_name": f"MY_{EVIL}",
                      "link": "https://example.org/set"}}  # fmt: skip
    return SimpleNamespace(
        prepared=prepared, fits=fits, tables=tables, origins=origins, embedding=embedding
    )


def page_of(case, **changes):
    given = vars(case) | {"dataset": "own", "labels": LABELS} | changes
    facts, numbers = gather(given.pop("fits"), given.pop("prepared"), given.pop("tables"), **given)
    return render_page(facts, numbers, "Terms of <own>")
