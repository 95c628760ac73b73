"""Scores against an implanted truth, against counts made by hand."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from fits import make_fit
from sklearn.metrics import average_precision_score

import intae
from intae.fits import Fit
from intae.metrics.implanted import (
    ORACLE,
    PLAIN_MEAN,
    calls,
    correlations,
    false_discoveries,
    implanted,
    oracle,
    reference_rows,
)

TERMS = [f"SIMULATED_PATHWAY_{k + 1}" for k in range(5)]
N_CELLS, N_GENES = 200, 12
# Terms 1 and 2 share genes 3 and 4; 3, 4 and 5 share none with these nor with one another.
SETS = [range(5), range(3, 7), range(7, 9), range(9, 11), range(11, 12)]


def make_truth(terms=("SIMULATED_PATHWAY_1",), responding=((0, 1, 2, 3),), null=""):
    """Prepared data in which those genes respond to sets of those names."""
    rng = np.random.default_rng(0)
    truth = AnnData(rng.standard_normal((N_CELLS, N_GENES)))
    truth.var_names = [f"GENE{i + 1}" for i in range(N_GENES)]
    truth.obs_names = [f"c{i}" for i in range(N_CELLS)]
    known = np.zeros((N_GENES, len(SETS)), np.uint8)
    for k, genes in enumerate(SETS):
        known[list(genes), k] = 1
    truth.varm["annotations"], truth.uns["terms"] = known, np.array(TERMS, object)
    truth.obsm["true_activity"] = rng.random((N_CELLS, len(terms))).astype(np.float32)
    response = np.zeros((N_GENES, len(terms)))
    for k, genes in enumerate(responding):
        response[list(genes), k] = 2
    truth.varm["true_genes"] = response
    truth.uns["implanted"] = pd.DataFrame(
        {"null": [null] * len(terms)}, index=pd.Index(terms, name="term")
    )
    return truth


def loadings_with(activity, r, seed=1):
    """Make loadings that correlate exactly so much with an activity, a column each."""
    rng = np.random.default_rng(seed)
    a = (activity - activity.mean()) / activity.std()
    noise = rng.standard_normal((len(a), len(r)))
    noise -= noise.mean(0)
    noise -= np.outer(a, a @ noise) / (a @ a)
    noise /= noise.std(0)
    return np.asarray(r) * a[:, None] + np.sqrt(1 - np.square(r)) * noise


def scores_of(truth, r, weights=None, active=None, detected=None):
    z = loadings_with(truth.obsm["true_activity"][:, 0].astype(float), r)
    weights = truth.varm["annotations"] * 1.0 if weights is None else weights
    fit = make_fit(z, weights, np.ones(len(TERMS)), active=active)
    if detected is not None:
        fit.terms["detected"] = detected
    table = implanted(fit, truth, 0.2)
    assert list(table.columns) == ["term", "metric", "value"]
    return table.set_index("metric")["value"]


def test_each_score_is_what_it_says():
    s = scores_of(make_truth(), [-0.5, 0.4, 0.3, 0.1, 0.05])
    assert s["kept"] == s["top1"] == s["top3"] == 1
    assert s["r"] == pytest.approx(0.5, abs=1e-6)
    assert s["far"] == pytest.approx(0.45 / 3, abs=1e-6)  # terms 3 to 5
    assert (s["followed"], s["unrelated"], s["siblings"]) == (1, 3, 1)
    assert np.isnan(s["genes"])  # the weights are the sets: nothing is weighed


def test_another_term_may_follow_more():
    second = scores_of(make_truth(), [0.3, 0.5, 0.1, 0.1, 0.1])
    assert (second["top1"], second["top3"]) == (0, 1)
    fourth = scores_of(make_truth(), [0.3, 0.5, 0.4, 0.6, 0.1])
    assert (fourth["top1"], fourth["top3"]) == (0, 0)


def test_a_term_that_is_off_is_never_the_best():
    s = scores_of(make_truth(), [0.5, 0.0, 0.0, 0.0, 0.0], active=np.zeros(5, bool))
    assert (s["top1"], s["top3"], s["r"], s["far"]) == (0, 0, 0, 0)


def test_a_set_that_the_preparation_dropped_is_told_of():
    truth = make_truth(terms=["GONE"], responding=[(0, 1)])
    assert scores_of(truth, [0.1] * 5).to_dict() == {"kept": 0}


def test_genes_that_respond_outside_the_set_make_terms_related():
    truth = make_truth(responding=[(0, 1, 2, 3, 9)])
    s = scores_of(truth, [0.5, 0.4, 0.3, 0.25, 0.1])
    assert (s["followed"], s["unrelated"], s["siblings"]) == (1, 2, 2)


def test_terms_of_a_set_with_a_like_activity_are_not_held_against_a_term():
    truth = make_truth(terms=TERMS[:1] + TERMS[2:3], responding=[(0, 1), (7, 8)])
    assert scores_of(truth, [0.5, 0.4, 0.4, 0.1, 0.1])["unrelated"].iloc[0] == 3
    a = truth.obsm["true_activity"]
    truth.obsm["true_activity"] = np.column_stack([a[:, 0], a[:, 0] + 0.1 * a[:, 1]])
    assert scores_of(truth, [0.5, 0.4, 0.4, 0.1, 0.1])["unrelated"].iloc[0] == 2


def test_genes_are_ranked_by_weight():
    truth = make_truth()
    rng = np.random.default_rng(2)
    weights = truth.varm["annotations"] * rng.standard_normal((N_GENES, 5))
    s = scores_of(truth, [0.5, 0, 0, 0, 0], weights=weights)
    right = [True] * 4 + [False]
    assert s["genes"] == pytest.approx(average_precision_score(right, np.abs(weights[:5, 0])))
    assert s["genes by chance"] == 0.8


def test_of_a_null_all_terms_are_false():
    truth = make_truth(terms=["depth"], responding=[()], null="depth")
    s = scores_of(truth, [0.5, 0.1, 0.3, 0, 0], active=np.array([1, 1, 1, 0, 1], bool))
    assert s.drop("far").to_dict() == {
        "followed": 2, "unrelated": 5, "called followed": 2, "called": 4, "share called": 0.8,
        "switched on": 4,
    }  # fmt: skip
    assert s["far"] == pytest.approx(0.18, abs=1e-6)


def test_a_method_calls_what_it_detects_or_else_what_is_on():
    on, detected = np.array([1, 1, 1, 1, 0], bool), np.array([1, 0, 1, 0, 0], bool)
    r = [0.5, 0.4, 0.3, 0.25, 0.0]
    s = scores_of(make_truth(), r, active=on)
    assert (s["called"], s["called unrelated"], s["called followed"]) == (1, 2, 2)
    assert s["share called"] == 0.8
    s = scores_of(make_truth(), r, active=on, detected=detected)
    assert (s["called"], s["called unrelated"], s["called followed"]) == (1, 1, 1)
    assert s["share called"] == 0.4
    s = scores_of(make_truth(), [0.5, 0.4, 0.1, 0.25, 0], active=on, detected=detected)
    assert (s["followed"], s["called unrelated"], s["called followed"]) == (1, 1, 0)
    assert scores_of(make_truth(), r, active=on, detected=~detected)["called"] == 0
    null = make_truth(terms=["random_1"], responding=[()], null="sets")
    s = scores_of(null, r, active=on, detected=detected)
    assert (s["called"], s["share called"], s["switched on"]) == (2, 0.4, 4)
    terms = pd.DataFrame({"active": [True, True], "detected": [False, True]})
    assert list(calls(terms)) == [False, True]


def calls_table(dataset, share, called=(), method="m", seed=0):
    rows = [("S", "share called", share)] + [(f"S{k}", "called", c) for k, c in enumerate(called)]
    table = pd.DataFrame(rows, columns=["term", "metric", "value"])
    return table.assign(dataset=dataset, method=method, seed=seed)


def test_calls_are_held_against_the_null():
    truth = [calls_table("t_1", 0.5, [1, 0]), calls_table("t_2", 0.25, [1, 1, 0])]
    truth += [calls_table("t_1", 0.0, method="quiet"), calls_table("t_1", 0.5, method="alone")]
    null = [
        calls_table("n_1", 0.1),
        calls_table("n_2", 0.05),
        calls_table("n_1", 0.1, method="quiet"),
    ]
    table = false_discoveries(pd.concat(truth), pd.concat(null)).set_index("method")
    assert list(table.index) == ["m", "quiet"]  # the other was not fitted to the null
    m = table.loc["m"]
    assert (m["sets_called"], m["sets"], m["n_draws"], m["n_draws_null"]) == (3, 5, 2, 2)
    assert (m["share_called"], m["share_called_null"]) == (0.375, pytest.approx(0.075))
    assert m["false_discovery_rate"] == pytest.approx(0.2)
    assert (m["fdr_min"], m["fdr_max"]) == (pytest.approx(0.1), pytest.approx(0.4))
    assert table.loc["quiet", ["false_discovery_rate", "fdr_min", "fdr_max"]].isna().all()


def test_a_rate_is_at_most_one_and_seeds_are_averaged():
    truth = pd.concat([calls_table("t", 0.1, [1], seed=0), calls_table("t", 0.3, [0], seed=1)])
    row = false_discoveries(truth, calls_table("n", 0.9)).iloc[0]
    assert (row["share_called"], row["false_discovery_rate"]) == (pytest.approx(0.2), 1)
    assert (row["sets_called"], row["sets"], row["fdr_max"]) == (0.5, 1, 1)


def test_a_fit_without_gene_sets_has_no_rows():
    fit = make_fit(np.ones((N_CELLS, 5)), np.ones((N_GENES, 5)), np.ones(5))
    fit.terms["kind"] = "dense"
    assert implanted(fit, make_truth()).empty


def test_correlations_are_numpys():
    rng = np.random.default_rng(0)
    z, a = rng.standard_normal((50, 3)), rng.random(50)
    z[:, 1] = 4
    expected = [abs(np.corrcoef(z[:, k], a)[0, 1]) for k in (0, 2)]
    np.testing.assert_allclose(correlations(z, a)[[0, 2]], expected)
    assert correlations(z, a)[1] == 0 and not correlations(z, np.ones(50)).any()


def test_the_oracle_sees_what_is_there_and_nothing_else():
    rng = np.random.default_rng(0)
    a = rng.random(500)
    genes = rng.standard_normal((500, 20))
    assert oracle(genes, a) < 0.15
    genes[:, :5] += 2 * a[:, None]
    genes[:, 7] = 3  # does not vary
    found = oracle(genes, a)
    assert correlations(genes.mean(1)[:, None], a)[0] < found < 0.95


def test_the_references_stand_beside_the_fits():
    rng = np.random.default_rng(0)
    counts = AnnData(rng.poisson(6, (300, 60)).astype(np.float32))
    counts.var_names = [f"G{i}" for i in range(60)]
    sets = {f"S{k}": [f"G{i}" for i in range(20 * k, 20 * k + 20)] for k in range(3)}
    thinned = intae.implant(counts, sets, n_sets=2, effect=2.0, seed=0)
    prepared = intae.prepare(thinned, sets)
    rows = reference_rows(prepared)
    assert set(rows["method"]) == {ORACLE, PLAIN_MEAN}
    told = rows[rows["method"] == ORACLE]
    assert list(told["metric"]) == ["r", "r"] and (told["value"] > 0.7).all()
    assert set(told["term"]) == set(thinned.uns["implanted"].index)
    fit = Fit.of(intae.GeneSetScore("mean").fit(prepared), {"method": "m"}, prepared.obs)
    plain = rows[rows["method"] == PLAIN_MEAN].drop(columns="method").reset_index(drop=True)
    pd.testing.assert_frame_equal(plain, implanted(fit, prepared))
    assert (plain.loc[plain["metric"] == "top1", "value"] == 1).all()
    null = intae.prepare(intae.implanted_null(counts, "depth"), sets)
    assert set(reference_rows(null)["method"]) == {PLAIN_MEAN}
