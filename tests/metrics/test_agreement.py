"""Agreement of fits, against numbers that are known."""

import numpy as np
import pandas as pd
import pytest
from fits import make_fit

from intae.metrics.agreement import (
    Pair,
    agreement_table,
    between_seeds,
    correlate,
    correlate_pairs,
    correlation_table,
    over_pairs,
    seed_correlations,
    shared,
)


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
    fits = [
        make_fit(z, w, [1, 3, 2], method="a"),
        make_fit(rng.normal(size=(20, 3)), w, [1, 2, 3], method="a", seed=1),  # the first counts
        make_fit(-z, w, [5, 1, 1], active=[True, True, False], method="b"),
    ]
    table = correlation_table(correlate_pairs(fits), reference="a").set_index("term")
    assert set(table["method_a"]) == {"a"} and set(table["method_b"]) == {"b"}
    np.testing.assert_array_equal(table["relevance_rank"], [3, 1, 2])
    np.testing.assert_allclose(table["r"], [-1, -1, np.nan])
    assert correlation_table(correlate_pairs(fits[:2]), reference="a").empty


def test_every_two_fits_are_correlated_once(monkeypatch):
    rng, asked = np.random.default_rng(0), []
    fits = [
        make_fit(rng.normal(size=(20, 2)), np.ones((3, 2)), [1, 2], method=method, seed=seed)
        for method in "ab" for seed in (0, 1)
    ]  # fmt: skip

    def counted(a, b):
        asked.append(frozenset({id(a), id(b)}))
        return correlate(a, b)

    monkeypatch.setattr("intae.metrics.agreement.correlate", counted)
    pairs = correlate_pairs(fits)
    seeds, agreement = seed_correlations(pairs), agreement_table(pairs)
    table, stability = correlation_table(pairs, "a"), between_seeds(pairs)
    assert len(asked) == len(set(asked)) == 6
    wanted = np.corrcoef(fits[0].loadings.iloc[:, 0], fits[2].loadings.iloc[:, 0])[0, 1]
    assert table["r"].iloc[0] == pytest.approx(wanted)
    same = seeds.query("method_a == 'a' and seed_a == 0 and method_b == 'b' and seed_b == 0")
    np.testing.assert_array_equal(same["r"], table["r"])
    r = seeds.query("method_a == 'b' and method_b == 'b'")["r"].abs()
    median = agreement.query("method_a == 'b' and method_b == 'b'")["median_r"].item()
    assert median == r.median()
    stability = stability.set_index(["method", "term"])["r"]
    assert stability["b", "(median |r|)"] == median


def test_stability_between_seeds():
    rng = np.random.default_rng(0)
    z, w = rng.normal(size=(20, 12)), rng.normal(size=(6, 12))
    relevance, off = np.arange(12.0), np.arange(12) != 11
    one, two = make_fit(z, w, relevance), make_fit(-z, w, relevance, active=off)
    table = between_seeds(correlate_pairs([one, two])).set_index("term")["r"]
    assert table["(median |r|)"] == pytest.approx(1)
    assert table["(Jaccard index of active terms)"] == pytest.approx(11 / 12)
    # the most relevant term of the first is off in the second, so it is not among its ten
    assert table["(shared of the 10 most relevant)"] == 9
    assert table["(number of pairs)"] == 1
    assert "SIMULATED_PATHWAY_12" not in table.index
    assert between_seeds(correlate_pairs([one])).empty


def test_stability_leaves_dense_factors_out_where_there_are_names():
    """Two seeds with the same factors in another order agree."""
    z = np.random.default_rng(0).standard_normal((5, 3))
    fits = [make_fit(z[:, order], np.ones((6, 3)), [1, 2, 3]) for order in ([0, 1, 2], [0, 2, 1])]
    for fit in fits:
        fit.terms.index = fit.loadings.columns = pd.Index(["A", "dense_1", "dense_2"], name="term")
        fit.terms["kind"] = ["annotated", "dense", "dense"]
    table = between_seeds(correlate_pairs(fits)).set_index("term")["r"]
    assert "dense_1" not in table.index
    assert table["(median |r|)"] == pytest.approx(1)
    assert table["(shared of the 10 most relevant)"] == 1
    for fit in fits:  # without any names, such as PCA, factors are compared by their place
        fit.terms["kind"] = "dense"
    assert between_seeds(correlate_pairs(fits)).set_index("term").loc["dense_1", "r"] < 0.99


def test_stability_gives_the_spread_over_pairs():
    z = np.random.default_rng(0).normal(size=(60, 3))
    noise = np.random.default_rng(1).normal(size=(60, 3))
    fits = [
        make_fit(z, np.ones((3, 3)), [3, 2, 1]),
        make_fit(z + noise, np.ones((3, 3)), [3, 2, 1]),
        make_fit(noise, np.ones((3, 3)), [3, 2, 1], active=[True, True, False]),
    ]
    table = between_seeds(correlate_pairs(fits)).set_index("term")
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
    seeds = seed_correlations(correlate_pairs(fits))
    r = abs(np.corrcoef(*z.T)[0, 1])
    table = over_pairs(seeds, "a", "b")
    pd.testing.assert_frame_equal(table, over_pairs(seeds, "b", "a"))
    assert list(table.loc["SIMULATED_PATHWAY_1"]) == pytest.approx([(1 + r) / 2, r, 1, 2, 2])
    assert list(table.loc["SIMULATED_PATHWAY_2"]) == pytest.approx([1, 1, 1, 1, 2])
    alone = over_pairs(seeds, "b", "b")
    assert list(alone.loc["SIMULATED_PATHWAY_1"]) == pytest.approx([r, r, r, 1, 1])
    assert over_pairs(seeds, "a", "a").empty


def test_correlations_of_every_pair_of_seeds():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(3, 20, 2))
    w = rng.normal(size=(6, 2))
    fits = [
        make_fit(z[0], w, [1, 2], method="a", seed=0),
        make_fit(z[1], w, [1, 2], method="a", seed=1, active=[True, False]),
        make_fit(z[2], w, [1, 2], method="b", seed=7),
    ]
    everything = seed_correlations(correlate_pairs(fits))
    itself = everything[everything["method_b"] == "a"]  # two seeds of one method
    assert list(itself["seed_a"]) == [0, 0] and list(itself["seed_b"]) == [1, 1]
    np.testing.assert_allclose(itself["r"], [np.corrcoef(z[0][:, 0], z[1][:, 0])[0, 1], np.nan])
    table = everything[everything["method_b"] == "b"]
    assert list(zip(table["seed_a"], table["seed_b"], strict=True)) == [(0, 7)] * 2 + [(1, 7)] * 2
    r = [np.corrcoef(z[i][:, k], z[2][:, k])[0, 1] for i in (0, 1) for k in (0, 1)]
    np.testing.assert_allclose(table["r"], [*r[:3], np.nan])
    assert seed_correlations(correlate_pairs(fits[:1])).empty


def test_a_fit_with_families_is_compared_with_one_that_has_none():
    z = np.random.default_rng(0).standard_normal((30, 3))
    one, other = (make_fit(z, np.ones((5, 3)), [3, 2, 1], method=m) for m in ("a", "b"))
    one.terms["family"] = one.terms.index[0]
    found = shared(Pair.of(one, other))
    assert found.jaccard == 1 and found.families == ()
    assert len(shared(Pair.of(one, one)).families) == 2
