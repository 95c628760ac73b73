"""Families of fits: their table, and agreement by family."""

import numpy as np
import pandas as pd
import pytest
from fits import make_fit

from intae.metrics.agreement import Pair, stability_table
from intae.metrics.families import families_of, have_families, jaccard_by_chance, stands_for

A, B, C, D = (f"SIMULATED_PATHWAY_{k}" for k in range(1, 5))


def fit_with(families, active, relevance=(4, 3, 2, 1), seed=0):
    z = np.random.default_rng(seed).normal(size=(30, 4))
    fit = make_fit(z, np.ones((6, 4)), relevance, active=np.array(active, bool))
    fit.terms["family"] = families
    fit.terms["family_r"] = [1.0, 0.9, 0.8, 1.0]
    return fit


def test_table_of_families():
    fit = fit_with([A, A, A, D], [1, 0, 1, 0])
    annotations = pd.DataFrame(0, fit.weights.index, fit.terms.index)
    annotations.iloc[:2, 0] = annotations.iloc[1:4, 1] = annotations.iloc[5, 3] = 1
    (row,) = families_of(fit, annotations).to_dict("records")  # that of D is off
    assert row == {
        "family": A, "n_terms": 3, "n_active": 2, "members": f"{A} | {B} | {C}",
        "active": f"{A} | {C}", "n_genes": 4, "r": pytest.approx(0.85), "r_min": 0.8,
    }  # fmt: skip
    alone = fit_with([A, B, C, D], [1, 0, 0, 0])
    assert families_of(alone, annotations)["r"].isna().all()
    assert have_families([alone.terms, fit.terms]) and not have_families([alone.terms])


def test_loadings_of_a_family_are_those_of_its_most_relevant_active_term():
    fit = fit_with([A, A, A, D], [0, 1, 1, 0], relevance=(0, 1, 2, 0))
    assert list(stands_for(fit.terms)) == [C, C, C, D]


def test_stability_by_family():
    one = fit_with([A, A, C, D], [1, 0, 1, 0])
    other = fit_with([A, B, C, D], [0, 1, 1, 1], seed=1)  # B for A, as `one` would expect, and D
    table = stability_table("donors", [Pair.of(one, other)], lambda: one.terms["family"])
    r = table.set_index("term")["r"]
    assert r["(Jaccard index of active terms)"] == pytest.approx(1 / 4)
    assert r["(Jaccard index of active families)"] == pytest.approx((2 / 3 + 1 / 4) / 2)
    assert r["(Jaccard index, families of all cells)"] == pytest.approx(2 / 3)
    chance = r["(Jaccard index, families drawn at random)"]
    assert 1 / 4 < chance < 2 / 3


def test_a_method_without_families_has_no_such_rows_and_no_fit_of_all_cells():
    fits = [make_fit(np.eye(4), np.ones((6, 4)), [4, 3, 2, 1], seed=s) for s in (0, 1)]
    plain = stability_table("donors", [Pair.of(*fits)], lambda: pytest.fail("fitted"))
    assert not plain["term"].str.contains("famil").any()


def test_families_by_chance_keep_their_sizes():
    families = pd.Series([A, A, C, D], [A, B, C, D])
    on = pd.Index([A, B]), pd.Index([C, D])
    (found,) = jaccard_by_chance(families, [on])
    # nothing is shared unless the family of two has a term on either side: 4 of 6 deals, 1 of 3
    assert found == pytest.approx(4 / 6 / 3, abs=0.05)
