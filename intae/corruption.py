"""Gene sets with wrong and missing genes, beside the right ones: how well are they corrected?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData

from .parameters import check_arguments
from .prepared import check_prepared, get_annotations, get_terms


def corrupt_annotations(
    prepared: AnnData, *, removed: float = 0.2, added: float = 0.2, seed: int = 0
) -> AnnData:
    """Take genes out of each gene set of prepared data and put as many wrong ones in.

    Of a set of n genes, round(removed n) leave, and round(added n) come in their place that are not
    in the set: other annotated genes of the data. A model whose weights are held against the right
    sets then tells whether it corrects a wrong annotation or repeats it (the test of MOFA-FLEX).

    Parameters
    ----------
    prepared
        Prepared data; not changed. X is shared, not copied.
    removed
        Share of each set's genes that leave, from 0 to below 1; one gene at least stays.
    added
        Number of wrong genes, as a share of the set's; fewer, where there are no more.
    seed
        Of the draws.

    Returns
    -------
    Prepared data with the corrupted sets in `varm["annotations"]`, and

    - `varm["true_annotations"]`: genes x terms, 0/1, as they were;
    - `uns["corrupted"]`: one row per term (the index), with the names of the genes removed and
      added.

    Raises
    ------
    IntaeError
        If a share is out of its range.
    ContractError
        If the data are not prepared.

    References
    ----------
    MOFA-FLEX's own benchmark, https://github.com/bioFAM/mofaflex-analysis: sets with 20% of their
    genes wrong and 20% missing.
    """
    check_arguments("corrupt_annotations", {"removed": removed, "added": added, "seed": seed})
    check_prepared(prepared, values=False)
    rng = np.random.default_rng(seed)
    true, terms = get_annotations(prepared), get_terms(prepared)
    known, annotated, rows = true.copy(), true.any(1), []
    for k in range(len(terms)):
        members = np.flatnonzero(true[:, k])
        others = np.flatnonzero(annotated & (true[:, k] == 0))
        n_out = min(round(removed * len(members)), len(members) - 1)
        out = np.sort(rng.choice(members, n_out, replace=False))
        wrong = min(round(added * len(members)), len(others))
        new = np.sort(rng.choice(others, wrong, replace=False))
        known[out, k], known[new, k] = 0, 1
        rows.append([" ".join(prepared.var_names[genes]) for genes in (out, new)])
    varm = dict(prepared.varm) | {"annotations": known, "true_annotations": true}
    changes = pd.DataFrame(rows, index=terms, columns=["removed", "added"])
    return AnnData(
        prepared.X, obs=prepared.obs, var=prepared.var, obsm=dict(prepared.obsm), varm=varm,
        uns=dict(prepared.uns) | {"corrupted": changes},
    )  # fmt: skip
