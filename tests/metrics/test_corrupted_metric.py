"""Weights against the gene sets before they were corrupted."""

import numpy as np
import pytest
from anndata import AnnData
from fits import make_fit
from sklearn.metrics import average_precision_score

from intae.metrics.corrupted import POOLED, POOLED_ON, average_precision, corrupted

TERMS = ["SIMULATED_PATHWAY_1", "SIMULATED_PATHWAY_2"]
TRUE = np.zeros((10, 2), np.uint8)
TRUE[:4, 0] = TRUE[4:7, 1] = 1
KNOWN = TRUE.copy()
KNOWN[0, 0], KNOWN[9, 0] = 0, 1  # the first gene was taken out, the last put in


def make_truth():
    truth = AnnData(np.ones((3, 10), np.float32))
    truth.var_names = [f"GENE{i + 1}" for i in range(10)]
    truth.varm["annotations"], truth.varm["true_annotations"] = KNOWN, TRUE
    truth.uns["terms"] = np.array(TERMS, object)
    return truth


def scores_of(weights, active=(True, True)):
    fit = make_fit(np.ones((3, 2)), np.asarray(weights, float), [1, 1], active=np.array(active))
    table = corrupted(fit, make_truth())
    assert list(table.columns) == ["term", "metric", "value"]
    return table.set_index(["term", "metric"])["value"]


def test_each_score_is_an_average_precision_of_the_weights():
    weights = np.random.default_rng(0).standard_normal((10, 2))
    s, size, right = scores_of(weights), np.abs(weights), TRUE > 0
    for k, term in enumerate(TERMS):
        expected = average_precision_score(right[:, k], size[:, k])
        assert s[term, "all genes"] == pytest.approx(expected)
    assert s[TERMS[0], "mask"] == pytest.approx(average_precision_score(TRUE[:, 0], KNOWN[:, 0]))
    assert s[TERMS[0], "all genes by chance"] == 0.4
    pooled = average_precision_score(right.ravel(), size.ravel())
    assert s[POOLED, "all genes"] == s[POOLED_ON, "all genes"] == pytest.approx(pooled)


def test_weights_that_correct_the_set_are_worth_more_than_the_set():
    weights = TRUE * 1.0 + 0.1 * KNOWN
    s = scores_of(weights)[TERMS[0]]
    assert s["all genes"] == s["inside"] == s["outside"] == 1 > s["mask"]
    assert (s["inside by chance"], s["outside by chance"]) == (0.75, pytest.approx(1 / 6))
    s = scores_of(KNOWN * np.linspace(1, 2, 10)[:, None])[TERMS[0]]  # the wrong gene above all
    assert s["inside"] < s["inside by chance"] and s["all genes"] < s["mask"]


def test_a_set_without_wrong_genes_has_no_score_inside():
    s = scores_of(np.random.default_rng(0).random((10, 2)))[TERMS[1]]
    assert np.isnan(s[["inside", "outside", "inside by chance", "outside by chance"]]).all()
    assert s["mask"] == 1


def test_a_term_that_is_off_reaches_chance_and_is_told_of():
    weights = np.random.default_rng(0).random((10, 2))
    weights[:, 1] = 0
    s = scores_of(weights, active=(True, False))
    assert s[TERMS[1], "active"] == 0 and s[TERMS[1], "all genes"] == pytest.approx(0.3)
    assert s[POOLED_ON, "all genes"] == s[TERMS[0], "all genes"]
    assert POOLED_ON not in scores_of(weights, active=(False, False)).index.get_level_values(0)


def test_terms_are_matched_by_name():
    weights = np.random.default_rng(0).random((10, 2))
    fit = make_fit(np.ones((3, 2)), weights[:, ::-1], [1, 1])
    for table in (fit.terms.T, fit.weights, fit.loadings):
        table.columns = TERMS[::-1]
    fit.terms.index = TERMS[::-1]
    found = corrupted(fit, make_truth()).set_index(["term", "metric"])["value"]
    expected = scores_of(weights)
    assert found[TERMS[0], "all genes"] == expected[TERMS[0], "all genes"]


def test_what_weighs_no_genes_is_not_scored():
    fit = make_fit(np.ones((3, 2)), KNOWN * 1.0, [1, 1])
    assert corrupted(fit, make_truth()).empty
    fit = make_fit(np.ones((3, 2)), KNOWN * 0.5, [1, 1])
    fit.terms["kind"] = "dense"
    assert corrupted(fit, make_truth()).empty


def test_without_right_or_wrong_genes_there_is_no_precision():
    assert np.isnan(average_precision(np.ones(3, bool), np.arange(3)))
    assert np.isnan(average_precision(np.zeros(3, bool), np.arange(3)))
