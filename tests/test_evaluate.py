"""Evaluation against numbers that are known."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from fits import make_fit
from sklearn.metrics import balanced_accuracy_score

import intae
from intae.benchmark.tables import PART_COLUMNS, stack
from intae.fits import Fit
from intae.metrics.agreement import (
    between_halves,
    between_seeds,
    correlate,
    correlation_table,
    over_pairs,
    seed_correlations,
    stability_table,
)
from intae.metrics.separation import _balanced, separation_table, term_accuracy
from intae.metrics.terms import (
    corrected_genes,
    history_of,
    hosts,
    label,
    ranking,
    runtime_row,
    terms_of,
)
from intae.metrics.truth import false_positives, recovery, recovery_curves


def test_accuracy_of_a_perfect_and_a_useless_term():
    rng = np.random.default_rng(0)
    label = pd.Series(np.repeat(["ctrl", "stim"], [60, 40]), name="condition")
    z = pd.DataFrame(
        {"good": 1e-6 * (label == "stim") + 1e-8 * rng.normal(size=100),
         "off": np.zeros(100), "noise": rng.normal(size=100)}
    )  # fmt: skip
    table = term_accuracy(z, label).set_index(["term", "split"])
    assert table.loc[("good", "train"), "accuracy"] == 1
    assert table.loc[("good", "held_out"), "auroc"] == 1
    assert table.loc[("off", "train"), "accuracy"] == pytest.approx(0.6)
    assert table.loc[("off", "train"), "balanced_accuracy"] == pytest.approx(0.5)
    assert table.loc[("noise", "held_out"), "auroc"] < 0.7


def test_held_out_donors_show_what_training_hides():
    # the term separates the conditions within each donor, but each donor at another level
    donor = pd.Series(np.repeat(list("abcd"), 50))
    label = pd.Series(np.tile(["ctrl"] * 25 + ["stim"] * 25, 4), name="condition")
    flip = donor.map({"a": 1, "b": 1, "c": -1, "d": -1}).to_numpy()
    z = pd.DataFrame({"t": flip * np.where(label == "stim", 1.0, -1.0)})
    table = term_accuracy(z, label, donor).set_index("split")
    assert table.loc["held_out", "accuracy"] <= 0.5


def test_more_than_two_classes():
    label = pd.Series(list("abc") * 40, name="condition")
    z = pd.DataFrame({"t": label.map({"a": 0, "b": 5, "c": 10}).astype(float)})
    table = term_accuracy(z, label).set_index("split")
    assert table.loc["train", "accuracy"] == 1
    assert table.loc["held_out", "auroc"] > 0.8


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="'condition' has one value only"):
        term_accuracy(pd.DataFrame({"t": [1.0, 2]}), pd.Series(["a", "a"], name="condition"))


def test_correlate_matches_numpy_and_knows_constant_terms():
    rng = np.random.default_rng(0)
    a = pd.DataFrame(rng.normal(size=(30, 3)), columns=list("xyz"))
    b = pd.DataFrame(rng.normal(size=(30, 3)), columns=list("zyq")) + 3
    b["z"] = 1.0
    r = correlate(a, b)
    assert list(r.index) == ["y", "z"]
    assert r["y"] == pytest.approx(np.corrcoef(a["y"], b["y"])[0, 1])
    assert np.isnan(r["z"])


def test_correlation_table_ranks_by_the_reference():
    rng = np.random.default_rng(0)
    z, w = rng.normal(size=(20, 3)), rng.normal(size=(6, 3))
    a = make_fit(z, w, [1, 3, 2])
    b = make_fit(-z, w, [5, 1, 1], active=[True, True, False])
    table = correlation_table({"a": a, "b": b}, reference="a").set_index("term")
    np.testing.assert_array_equal(table["relevance_rank"], [3, 1, 2])
    np.testing.assert_allclose(table["r"], [-1, -1, np.nan])


def test_stability_between_seeds():
    rng = np.random.default_rng(0)
    z, w = rng.normal(size=(20, 12)), rng.normal(size=(6, 12))
    relevance, off = np.arange(12.0), np.arange(12) != 11
    one, two = make_fit(z, w, relevance), make_fit(-z, w, relevance, active=off)
    table = between_seeds([one, two]).set_index("term")["r"]
    assert table["(median |r|)"] == pytest.approx(1)
    assert table["(Jaccard index of active terms)"] == pytest.approx(11 / 12)
    # the most relevant term of the first is off in the second, so it is not among its ten
    assert table["(shared of the 10 most relevant)"] == 9
    assert table["(number of pairs)"] == 1
    assert "SIMULATED_PATHWAY_12" not in table.index
    assert between_seeds([one]).empty


def test_a_term_that_is_off_has_no_loadings():
    """A network goes on making numbers for a term whose weights are zero."""
    z = np.random.default_rng(0).standard_normal((5, 2)).astype(np.float32)
    by_hand = make_fit(z, np.ones((6, 2)), [1, 0], active=[True, False])
    model = SimpleNamespace(
        terms_=by_hand.terms, history_=by_hand.history, weights_=by_hand.weights,
        loadings_=pd.DataFrame(z, by_hand.obs.index, by_hand.terms.index),
    )  # fmt: skip
    for fit in (Fit.of(model, by_hand.about, by_hand.obs), by_hand):
        np.testing.assert_array_equal(fit.loadings, z * [1, 0])


def test_stability_leaves_dense_factors_out_where_there_are_names():
    """Two seeds with the same factors in another order agree."""
    z = np.random.default_rng(0).standard_normal((5, 3))
    fits = [make_fit(z[:, order], np.ones((6, 3)), [1, 2, 3]) for order in ([0, 1, 2], [0, 2, 1])]
    for fit in fits:
        fit.terms.index = fit.loadings.columns = pd.Index(["A", "dense_1", "dense_2"], name="term")
        fit.terms["kind"] = ["annotated", "dense", "dense"]
    table = between_seeds(fits).set_index("term")["r"]
    assert "dense_1" not in table.index
    assert table["(median |r|)"] == pytest.approx(1)
    assert table["(shared of the 10 most relevant)"] == 1
    for fit in fits:  # without any names, such as PCA, factors are compared by their place
        fit.terms["kind"] = "dense"
    assert between_seeds(fits).set_index("term").loc["dense_1", "r"] < 0.99


def test_stability_gives_the_spread_over_pairs():
    z = np.random.default_rng(0).normal(size=(60, 3))
    noise = np.random.default_rng(1).normal(size=(60, 3))
    fits = [
        make_fit(z, np.ones((3, 3)), [3, 2, 1]),
        make_fit(z + noise, np.ones((3, 3)), [3, 2, 1]),
        make_fit(noise, np.ones((3, 3)), [3, 2, 1], active=[True, True, False]),
    ]
    table = between_seeds(fits).set_index("term")
    first = [abs(np.corrcoef(a, b)[0, 1]) for a, b in ((z[:, 0], (z + noise)[:, 0]),
             (z[:, 0], noise[:, 0]), ((z + noise)[:, 0], noise[:, 0]))]  # fmt: skip
    row = table.loc["SIMULATED_PATHWAY_1"]
    assert list(row[["r", "r_min", "r_max", "n_pairs"]]) == pytest.approx(
        [np.mean(first), min(first), max(first), 3]
    )
    last = table.loc["SIMULATED_PATHWAY_3"]  # off in one fit, so one pair is left
    assert last["n_pairs"] == 1 and last["r_min"] == last["r_max"] == last["r"]
    summary = table.loc["(Jaccard index of active terms)"]
    assert list(summary[["r", "r_min", "r_max", "n_pairs"]]) == pytest.approx(
        [(1 + 2 / 3 + 2 / 3) / 3, 2 / 3, 1, 3]
    )


def test_over_pairs_takes_two_methods_in_any_order_or_one_alone():
    z = np.random.default_rng(0).normal(size=(40, 2))
    fits = [
        make_fit(z, np.ones((3, 2)), [1, 2], method="b", seed=0),
        make_fit(-z[:, ::-1], np.ones((3, 2)), [1, 2], method="b", seed=1, active=[True, False]),
        make_fit(z, np.ones((3, 2)), [1, 2], method="a", seed=0),
    ]
    seeds = seed_correlations(fits)
    r = abs(np.corrcoef(*z.T)[0, 1])
    table = over_pairs(seeds, "a", "b")
    pd.testing.assert_frame_equal(table, over_pairs(seeds, "b", "a"))
    assert list(table.loc["SIMULATED_PATHWAY_1"]) == pytest.approx([(1 + r) / 2, r, 1, 2, 2])
    assert list(table.loc["SIMULATED_PATHWAY_2"]) == pytest.approx([1, 1, 1, 1, 2])
    alone = over_pairs(seeds, "b", "b")
    assert list(alone.loc["SIMULATED_PATHWAY_1"]) == pytest.approx([r, r, r, 1, 1])
    assert over_pairs(seeds, "a", "a").empty


def test_tables():
    fit = make_fit(np.ones((4, 2)), np.ones((3, 2)), [1, 9], seed=3)
    assert runtime_row(fit)["seconds"] == 2.0
    fit.about |= {"projected": True, "projected_seconds": 500.0}
    assert runtime_row(fit)["seconds"] == 500.0
    assert list(terms_of(fit)["rank"]) == [2, 1]
    assert list(terms_of(fit).columns[:3]) == ["dataset", "method", "seed"]
    assert hosts([fit, fit]).to_dict("records") == [{"cpu": "x", "cores": "2", "n_fits": 2}]


@pytest.mark.parametrize("donors", [False, True])
def test_stability_between_halves(donors):
    simulated = intae.simulate(n_cells=1500, n_genes=80, n_terms=8, n_active=3, n_dense=1, seed=1)
    table = between_halves(simulated, lambda: intae.PCA(n_dense=3), 3, donors=donors)
    assert set(table["kind"]) == {"donors" if donors else "halves"}
    table = table.set_index("term")["r"]
    assert table["(Jaccard index of active terms)"] == 1
    assert table["dense_1"] > 0.95  # the strongest component of two halves is the same
    assert table["(shared of the 10 most relevant)"] == 3


def test_halves_are_halves_and_donors_stay_whole(simulated):
    from intae.metrics.agreement import _splits

    rng = np.random.default_rng(0)
    for mask in _splits(simulated, 4, False, rng):
        assert mask.sum() == simulated.n_obs // 2
    masks = list(_splits(simulated, 100, True, rng))
    assert len(masks) == 10  # of 6 donors, 20 halves, each split counted once
    for mask in masks:
        donors = simulated.obs["donor"].astype(str)
        assert set(donors[mask]).isdisjoint(donors[~mask])


def test_only_a_history_of_equation_3_is_listed():
    fit = make_fit(np.ones((5, 2)), np.ones((6, 2)), [1, 2])
    fit.history = pd.DataFrame({"iteration": [1], "F": [2.0], "seconds": [0.1]})
    assert history_of(fit).empty  # of a masked autoencoder, say
    others = {"objective": [3.0], "n_deactivated": [0], "inactive_zero_share": [0.5]}
    fit.history = fit.history.assign(**others)
    assert history_of(fit)["objective"].tolist() == [3.0]


def test_terms_that_are_off_rank_by_the_evidence_for_them():
    terms = pd.DataFrame(
        {"relevance": [0.0, 2.0, 0.0, 3.0], "active": [False, True, False, True],
         "evidence": [-0.5, 9.0, -0.1, 4.0]}
    )  # fmt: skip
    assert list(ranking(terms)) == [0, 2, 1, 3]
    assert list(ranking(terms.assign(evidence=np.nan))) == [0, 1, 0, 2]  # published algorithm
    assert list(ranking(terms.drop(columns="evidence"))) == [0, 1, 0, 2]  # other models


def test_balanced_accuracy_is_scikit_learns():
    rng = np.random.default_rng(0)
    truth, guess = rng.integers(0, 4, 50), rng.integers(0, 5, 50)
    truth[truth == 2] = 3  # a class that these cells do not hold
    with pytest.warns(UserWarning, match="not in y_true"):
        expected = balanced_accuracy_score(truth, guess)
    assert _balanced(truth, guess) == pytest.approx(expected)


def test_tables_of_no_fit_have_the_columns_of_tables_of_fits(simulated):
    fit = make_fit(
        simulated.obsm["true_loadings"][:, :8], simulated.varm["true_weights"][:, :8], range(8)
    )
    fit.obs, fit.weights.index = simulated.obs, simulated.var_names
    names = pd.Index(simulated.uns["terms"], name="term")
    fit.terms.index = fit.loadings.columns = fit.weights.columns = names
    fit.terms.iloc[0, 4] = simulated.var_names[0]
    scores = term_accuracy(fit.loadings.iloc[:, :1], fit.obs["condition"])
    scores.insert(1, "label", "condition")
    tables = {
        "accuracy": label(scores, fit),
        "corrections": label(corrected_genes(fit), fit),
        "false_positives": label(false_positives(fit, simulated, share=0.25, fdr=0.05), fit),
        "history": history_of(fit),
        "recovery": label(recovery(fit, simulated), fit),
        "recovery_curves": label(recovery_curves(fit, simulated), fit),
        "separation": label(separation_table(fit.loadings, fit.obs[["condition"]]), fit),
        "terms": terms_of(fit),
    }
    for name, columns in PART_COLUMNS.items():
        assert tuple(stack([], name)) == columns
        if name != "stability":
            assert tuple(tables[name]) == columns, name
    halves = stability_table("seeds", [])
    assert ("dataset", "method", *halves) == PART_COLUMNS["stability"]
    assert len(stack([tables["terms"], tables["terms"].iloc[:0]])) == 8
