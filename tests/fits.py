"""Fits by hand, and a name as long as they come."""

import numpy as np
import pandas as pd

from intae.fits import Fit

LONG = "RIG_I_MDA5_MEDIATED_INDUCTION_OF_IFN_ALPHA_BETA_PATHWAYS_AND_A_LITTLE_MORE"


def make_fit(
    loadings, weights, relevance, *, active=None, method="m", seed=0, added=None, removed=None
):
    """Make a fit by hand; terms are annotated."""
    n_terms = loadings.shape[1]
    names = [f"SIMULATED_PATHWAY_{k + 1}" for k in range(n_terms)]
    terms = pd.DataFrame(
        {
            "kind": "annotated",
            "n_genes": 3,
            "relevance": np.asarray(relevance, float),
            "active": np.ones(n_terms, bool) if active is None else active,
            "genes_added": [""] * n_terms if added is None else added,
            "genes_removed": [""] * n_terms if removed is None else removed,
        },
        index=pd.Index(names, name="term"),
    )
    cells = pd.Index([f"c{i}" for i in range(len(loadings))], name="cell")
    genes = pd.Index([f"GENE{i + 1}" for i in range(len(weights))], name="gene")
    in_force = np.where(terms["active"], loadings, 0)
    about = {
        "dataset": "d", "method": method, "seed": seed, "seconds": 2.0, "projected": False,
        "projected_seconds": 2.0, "peak_mb": 100.0, "n_cells": 5, "n_genes": 6, "n_terms": n_terms,
        "iterations": 7, "converged": True, "threads": 1, "device": "cpu",
        "host": {"cpu": "x", "cores": "2"},
    }  # fmt: skip
    return Fit(
        about, terms, pd.DataFrame(), pd.DataFrame(in_force, cells, terms.index),
        pd.DataFrame(weights, genes, terms.index), pd.DataFrame(index=cells),
    )  # fmt: skip
