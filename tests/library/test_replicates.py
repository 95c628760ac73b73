"""Terms between conditions: scipy's tests, donors count once, p values are what they say."""

import logging

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from intae.errors import IntaeError
from intae.replicates import between_conditions


def draw(rng, n_donors, *, paired, n_terms=3, n_cells=20, effect=0.0, donor_sd=1.0):
    """Loadings of cells of donors that differ by themselves, and their labels."""
    donors = np.repeat(np.arange(n_donors), n_cells)
    if paired:
        other = np.tile(np.arange(n_cells) % 2 == 1, n_donors)
        shift = rng.normal(size=(n_donors, n_terms)) * donor_sd  # of the condition, in each donor
        own = rng.normal(size=(n_donors, n_terms)) * 3
        mean = own[donors] + other[:, None] * (effect + shift[donors])
    else:
        other = donors % 2 == 1
        mean = rng.normal(size=(n_donors, n_terms))[donors] * donor_sd + effect * other[:, None]
    names = [f"c{i}" for i in range(len(donors))]
    loadings = pd.DataFrame(mean + rng.normal(size=mean.shape), names).add_prefix("T")
    condition = pd.Series(np.where(other, "stim", "ctrl"), names, name="condition")
    return loadings, condition, pd.Series([f"d{d}" for d in donors], names)


def means(loadings, condition, donor, value):
    rows = (condition == value).to_numpy()
    return loadings[rows].groupby(donor[rows]).mean()


@pytest.mark.parametrize("paired", [True, False])
def test_means_of_donors_are_compared_by_scipys_tests(paired):
    given = draw(np.random.default_rng(1), 8, paired=paired, effect=0.5)
    table = between_conditions(*given).set_index("term").sort_index()
    a, b = (means(*given, value) for value in ("ctrl", "stim"))
    known = stats.ttest_rel(b, a) if paired else stats.ttest_ind(b, a, equal_var=False)
    np.testing.assert_allclose(table["p_value"], known.pvalue)
    np.testing.assert_allclose(table["t"], known.statistic)
    np.testing.assert_allclose(table["effect"], b.mean() - a.mean())
    np.testing.assert_allclose(table["low"], known.confidence_interval().low)
    assert (table["low"] < table["effect"]).all() and (table["effect"] < table["high"]).all()
    np.testing.assert_allclose(table["p_adjusted"], stats.false_discovery_control(known.pvalue))
    assert set(table["test"]) == {"paired" if paired else "Welch"}
    assert (table["n_reference"] == (8 if paired else 4)).all()


@pytest.mark.parametrize("paired", [True, False])
def test_p_values_are_uniform_where_there_is_no_effect(paired):
    """30 terms of 30 draws of donors that differ; a test that counted cells would call most."""
    rng = np.random.default_rng(7)
    draws = (draw(rng, 8, paired=paired, n_cells=24, n_terms=30) for _ in range(30))
    p = np.concatenate([between_conditions(*drawn)["p_value"] for drawn in draws])
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert 0.03 < (p < 0.05).mean() < 0.07


def test_an_effect_is_found_where_it_is():
    loadings, condition, donor = draw(np.random.default_rng(2), 8, paired=True, donor_sd=0.2)
    cell_type = pd.Series(np.where(np.arange(len(donor)) // 2 % 2, "B", "T"), donor.index)
    loadings.loc[((condition == "stim") & (cell_type == "B")), "T1"] += 2
    table = between_conditions(loadings, condition, donor, cell_type, min_cells=5)
    first = table.iloc[0]
    assert (first["cell_type"], first["term"]) == ("B", "T1") and first["p_adjusted"] < 0.01
    assert 1.5 < first["effect"] < 2.5 and first["low"] < 2 < first["high"]
    assert len(table) == 6
    np.testing.assert_allclose(table["p_adjusted"], stats.false_discovery_control(table["p_value"]))


def test_the_reference_is_subtracted():
    loadings, condition, donor = draw(np.random.default_rng(3), 8, paired=True)
    table = between_conditions(loadings, condition, donor).set_index("term")
    turned = between_conditions(loadings, condition, donor, groups=("stim", "ctrl"))
    turned = turned.set_index("term")
    np.testing.assert_allclose(turned["effect"], -table.loc[turned.index, "effect"])
    ordered = pd.Series(pd.Categorical(condition, ["stim", "ctrl"]), condition.index)
    by_category = between_conditions(loadings, ordered, donor).set_index("term")
    pd.testing.assert_frame_equal(by_category, turned)


def test_donors_with_one_condition_are_left_out_of_pairs(caplog):
    loadings, condition, donor = draw(np.random.default_rng(4), 8, paired=True)
    keep = ~((donor.isin(["d6", "d7"])) & (condition == "stim"))
    with caplog.at_level(logging.WARNING):
        table = between_conditions(loadings[keep], condition[keep], donor[keep])
    assert (table["n_reference"] == 6).all() and (table["test"] == "paired").all()
    assert "left out of the paired test: 2" in caplog.text


def test_too_few_donors_are_refused_with_the_reason(caplog):
    loadings, condition, donor = draw(np.random.default_rng(5), 4, paired=False)
    with pytest.raises(IntaeError, match=r"2 and 2 donors \(with at least 10 cells\); 3 per cond"):
        between_conditions(loadings, condition, donor)
    loadings, condition, donor = draw(np.random.default_rng(5), 6, paired=True)
    keep = donor.isin(["d0", "d1"]) | (condition == "ctrl")
    with pytest.raises(IntaeError, match="donors with both conditions: 2, with one: 4"):
        between_conditions(loadings[keep], condition[keep], donor[keep])
    with pytest.raises(IntaeError, match=r"0 and 0 donors \(with at least 30 cells\)"):
        between_conditions(loadings, condition, donor, min_cells=30)
    # one cell type of two is compared
    cell_type = pd.Series("T", donor.index)
    cell_type[donor.isin(["d0", "d1"])] = "B"
    with caplog.at_level(logging.WARNING):
        table = between_conditions(loadings, condition, donor, cell_type)
    assert (
        set(table["cell_type"]) == {"T"}
        and "not compared: B: donors with both conditions: 2" in caplog.text
    )


def test_labels_that_are_missing_or_not_two_are_told_of(caplog):
    loadings, condition, donor = draw(np.random.default_rng(6), 8, paired=True)
    with_gap = condition.where(np.arange(len(condition)) > 2)
    with caplog.at_level(logging.WARNING):
        between_conditions(loadings, with_gap, donor, min_cells=5)
    assert "3 cells without a label are left out" in caplog.text
    three = condition.where(donor != "d0", "late")
    with pytest.raises(IntaeError, match=r"'condition' has 3 values \(ctrl, late, stim\); say"):
        between_conditions(loadings, three, donor)
    assert (
        between_conditions(loadings, three, donor, groups=("ctrl", "stim"))["n_other"] == 7
    ).all()
    for groups, message in (
        (("ctrl", "Stim"), "no value 'Stim'; did you mean 'stim'"),
        (("ctrl", "ctrl"), "give two conditions"),
        ("ctrl", "give two conditions"),
    ):
        with pytest.raises(IntaeError, match=message):
            between_conditions(loadings, condition, donor, groups=groups)


def test_terms_that_do_not_vary_are_not_tested():
    loadings, condition, donor = draw(np.random.default_rng(8), 8, paired=True)
    table = between_conditions(loadings.assign(off=0.0), condition, donor)
    assert sorted(table["term"]) == ["T0", "T1", "T2"]
