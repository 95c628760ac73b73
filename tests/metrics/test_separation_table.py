"""The table of how far terms separate each value of a label."""

import numpy as np
import pandas as pd
import pytest

from intae.metrics.separation import separation_table


def test_separation_against_scikit_learn():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    label = rng.choice(["x", "y", "z"], 80)
    z = pd.DataFrame(rng.normal(size=(80, 3)).round(1), columns=list("abc"))  # with ties
    z["a"] += 2 * (label == "y")
    z["c"] = 0.0
    found = separation_table(z, pd.DataFrame({"cell_type": label, "batch": "one"}))
    assert set(found["label"]) == {"cell_type"} and len(found) == 9
    for row in found.itertuples():
        assert row.n_cells == (label == row.value).sum()
        assert row.auroc == pytest.approx(roc_auc_score(label == row.value, z[row.term]))
    assert (found.loc[found["term"] == "c", "auroc"] == 0.5).all()
