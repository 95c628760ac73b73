"""Known pairs: the score, the rank and what is said where there is no score."""

import numpy as np
import pandas as pd
import pytest
from fits import make_fit
from sklearn.metrics import roc_auc_score

from intae.errors import IntaeError
from intae.metrics.known_pairs import COLUMNS, known_pairs

TERM = "SIMULATED_PATHWAY_{}".format


def pair(term, *values, label="cell_type"):
    return {"term": term, "label": label, "values": list(values), "source": "a test"}


@pytest.fixture
def fit():
    """Term 1 marks B, term 2 less so, term 3 is lower there, term 4 is off, term 5 is no set."""
    rng = np.random.default_rng(0)
    kind = np.repeat(["B", "T", "NK"], [20, 30, 10])
    z = rng.normal(size=(60, 5)).round(1) + np.outer(kind == "B", [2, 1, -3, 9, 9])
    made = make_fit(z, np.ones((6, 5)), range(5), active=[True, True, True, False, True])
    made.obs["cell_type"] = pd.Categorical(kind)
    made.terms.loc[TERM(5), "kind"] = "dense"
    return made


def test_score_and_rank_of_the_term_for_its_cells(fit):
    terms = [TERM(k) for k in (1, 2, 3, 4)]
    found = known_pairs(fit, [pair(term, "B") for term in terms]).set_index("term")
    assert ("term", *found.columns) == COLUMNS
    assert (found["n_cells"] == 20).all() and (found["value"] == "B").all()
    for term, row in found.iterrows():
        truth = fit.obs["cell_type"] == "B"
        assert row["auroc"] == pytest.approx(roc_auc_score(truth, fit.loadings[term]))
    assert list(found["rank"]) == [1, 2, 4, 3]  # the dense factor, best of all, has no name
    assert (found["n_terms"] == 4).all()
    assert list(found["active"]) == [True, True, True, False]
    assert found.loc[TERM(4), "auroc"] == 0.5  # off
    assert found.loc[TERM(3), "auroc"] < 0.1  # the direction counts
    assert (found["best_term"] == TERM(1)).all()
    assert (found["best_auroc"] == found.loc[TERM(1), "auroc"]).all()


def test_several_values_are_marked_together(fit):
    row = known_pairs(fit, [pair(TERM(3), "T", "NK")]).iloc[0]
    assert row["value"] == "T or NK" and row["n_cells"] == 40 and row["rank"] == 1
    assert row["auroc"] > 0.9


def test_a_dropped_term_and_cells_that_are_not_there_have_no_score(fit, caplog):
    table = known_pairs(
        fit, [pair("GONE", "B"), pair(TERM(1), "Mk"), pair(TERM(1), "B", "T", "NK")]
    )
    assert list(table["kept"]) == [False, True, True]
    assert list(table["n_cells"]) == [20, 0, 60]
    assert pd.isna(table["active"][0]) and table["active"][1]
    assert table[["auroc", "rank", "best_term", "best_auroc"]].isna().all(axis=None)
    assert "0 of 60 cells have cell_type Mk" in caplog.text


def test_without_gene_sets_or_the_label(fit):
    with pytest.raises(IntaeError, match="'SIMULATED_PATHWAY_1': the cells have no label 'donor'"):
        known_pairs(fit, [pair(TERM(1), "x", label="donor")])
    fit.terms["kind"] = "dense"
    assert known_pairs(fit, [pair(TERM(1), "B")]).empty
