"""Recovery of a planted truth, against counts made another way."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fits import make_fit
from scipy.stats import ttest_ind
from sklearn.metrics import average_precision_score, precision_score, recall_score

import intae
from intae.metrics.truth import OUTCOMES, RULES, false_positives, overlap, recovery, recovery_curves


@pytest.fixture(scope="module")
def truth():
    return intae.simulate(n_cells=300, n_genes=80, n_terms=10, n_active=4, n_dense=1, seed=0)


def names(genes, mask):
    return [" ".join(genes[column]) for column in mask.T]


@pytest.fixture(scope="module")
def perfect(truth):
    """The truth as a fit."""
    w = truth.varm["true_weights"][:, :10]
    known, active = truth.varm["annotations"] > 0, active_in(truth)
    fit = make_fit(
        truth.obsm["true_loadings"][:, :10] * active, w, strength_in(truth), active=active,
        added=names(truth.var_names, (w != 0) & ~known),
        removed=names(truth.var_names, (w == 0) & known & active),
    )  # fmt: skip
    fit.obs["condition"] = truth.obs["condition"].to_numpy()
    return fit


@pytest.fixture(scope="module")
def noisy(truth, perfect):
    """A fit that is right here and there: weights with noise, a planted term and another off."""
    rng = np.random.default_rng(3)
    w = perfect.weights.to_numpy() + 0.3 * rng.standard_normal((80, 10))
    w[:, strength_in(truth).argmin()] = 0
    active = active_in(truth)
    on = np.ones(10, bool)
    on[[np.flatnonzero(active)[0], np.flatnonzero(~active)[0]]] = False
    z = truth.obsm["true_loadings"][:, :10] + rng.standard_normal((300, 10))
    fit = make_fit(z * on, w * on, rng.random(10) * on, active=on)
    fit.obs["condition"] = truth.obs["condition"].to_numpy()
    return fit


def active_in(truth):
    return truth.uns["true_terms"]["active"].to_numpy()[:10]


def strength_in(truth):
    return truth.uns["true_terms"]["strength"].to_numpy()[:10]


def test_the_truth_itself_is_perfect(truth, perfect):
    values = recovery(perfect, truth).set_index("metric")["value"]
    assert len(values) == 8
    np.testing.assert_allclose(values, 1)
    curves = recovery_curves(perfect, truth)
    assert set(curves["what"]) == {"terms", "added genes", "wrong genes"}
    np.testing.assert_allclose(curves["precision"], 1)
    np.testing.assert_allclose(curves.groupby("what")["recall"].max(), 1)
    counts = false_positives(perfect, truth).set_index(["rule", "outcome"])
    assert (counts.loc[pd.IndexSlice[:, "true"], "n"] == [4, 4, 1]).all()
    assert counts.loc[pd.IndexSlice[:, list(OUTCOMES[1:])], "n"].sum() == 0
    assert (counts.groupby("rule")["of"].sum() == 10).all()


def test_the_truth_upside_down_is_not(truth, perfect):
    strength = strength_in(truth)
    w = perfect.weights
    fit = make_fit(perfect.loadings, w, strength.max() - strength)
    values = recovery(fit, truth).set_index("metric")["value"]
    assert values["average precision of active terms"] < 0.7
    assert np.isnan(values["precision of added genes"])
    assert values["recall of added genes"] == 0


def test_added_and_removed_genes_are_counted(truth):
    known, active = truth.varm["annotations"] > 0, active_in(truth)
    member = truth.varm["true_weights"][:, :10] != 0
    rng = np.random.default_rng(0)
    added, removed = (rng.random((80, 10)) < 0.3) & ~known, (rng.random((80, 10)) < 0.3) & known
    fit = make_fit(
        np.ones((300, 10)), rng.random((80, 10)), np.ones(10),
        added=names(truth.var_names, added), removed=names(truth.var_names, removed),
    )  # fmt: skip
    values = recovery(fit, truth).set_index("metric")["value"]
    for name, score in (("precision", precision_score), ("recall", recall_score)):
        expected = score(member[~known], added[~known])
        assert values[f"{name} of added genes"] == pytest.approx(expected)
        inside = known & active
        expected = score(~member[inside], removed[inside])
        assert values[f"{name} of removed genes"] == pytest.approx(expected)


def test_curves_follow_the_rankings(truth, noisy):
    """Each point, counted by hand: so many ranked, so many of them right."""
    curves = recovery_curves(noisy, truth).set_index("what")
    known, active = truth.varm["annotations"] > 0, active_in(truth)
    member = truth.varm["true_weights"][:, :10] != 0
    on = noisy.terms["active"].to_numpy()
    size = np.abs(noisy.weights.to_numpy())
    rms = [np.sqrt(np.mean(size[known[:, k], k] ** 2)) or 1 for k in range(10)]
    pairs = [(g, k) for g in range(80) for k in range(10) if on[k]]
    rankings = {
        "terms": (
            [(noisy.terms["relevance"].iloc[k], active[k]) for k in range(10) if on[k]],
            active.sum(),
        ),
        "added genes": (
            [(size[g, k], member[g, k]) for g, k in pairs if not known[g, k] and size[g, k]],
            (member & ~known).sum(),
        ),
        "wrong genes": (
            [(-size[g, k] / rms[k], not member[g, k]) for g, k in pairs if known[g, k] & active[k]],
            (known & ~member & active).sum(),
        ),
    }
    for what, (ranking, n_sought) in rankings.items():
        right = [r for _, r in sorted(ranking, key=lambda pair: -pair[0])]
        found = np.flatnonzero(right)
        curve = curves.loc[[what]]
        np.testing.assert_array_equal(curve["n_ranked"], found + 1)
        np.testing.assert_allclose(curve["recall"], np.arange(1, len(found) + 1) / n_sought)
        np.testing.assert_allclose(curve["precision"], np.arange(1, len(found) + 1) / (found + 1))
        assert curve["recall"].max() < 1  # the planted term that is off is not found
    # the area under the curve is the average precision, but for what is not ranked at all
    terms = curves.loc["terms"]
    area = (np.diff(terms["recall"], prepend=0) * terms["precision"]).sum()
    whole = average_precision_score(active, noisy.terms["relevance"])
    last = 1 - terms["recall"].max()
    assert area == pytest.approx(whole - last * active.mean())


def test_terms_that_are_off_are_ranked_where_the_method_does(truth, noisy):
    fit = replace(noisy, terms=noisy.terms.copy())
    off = ~fit.terms["active"].to_numpy()
    sought = active_in(truth)[off]
    fit.terms["evidence"] = np.where(off, -1.0, 1.0)
    fit.terms.loc[off, "evidence"] = np.where(sought, -0.5, -2.0)
    n_on = (~off).sum()
    terms = recovery_curves(fit, truth).query("what == 'terms'")
    assert terms["n_ranked"].max() == n_on + 1  # the planted one comes before the other
    assert terms["recall"].max() == 1


def test_long_curves_are_thinned_but_keep_their_ends(truth, noisy):
    whole = recovery_curves(noisy, truth).query("what == 'wrong genes'")
    thin = recovery_curves(noisy, truth, n_points=4).query("what == 'wrong genes'")
    assert len(thin) == 4 < len(whole)
    assert list(thin.iloc[[0, -1]]["recall"]) == list(whole.iloc[[0, -1]]["recall"])
    assert thin["recall"].isin(whole["recall"]).all()


def test_plain_scores_say_nothing_of_genes(truth):
    known = truth.varm["annotations"].astype(float)
    fit = make_fit(np.asarray(truth.X @ known), known / known.sum(0), np.arange(10.0))
    fit.obs["condition"] = truth.obs["condition"].to_numpy()
    values = recovery(fit, truth).set_index("metric")["value"]
    assert values[["average precision of active terms", "loadings |r|"]].notna().all()
    assert values.drop(["average precision of active terms", "loadings |r|"]).isna().all()
    assert set(recovery_curves(fit, truth)["what"]) == {"terms"}


def test_false_positives_by_each_rule(truth, noisy):
    counts = false_positives(noisy, truth, share=0.3, fdr=0.05).set_index(["rule", "outcome"])
    assert list(dict.fromkeys(counts.index.get_level_values("rule"))) == list(RULES)
    known, active = truth.varm["annotations"] > 0, active_in(truth)
    terms = noisy.terms
    on, relevance = terms["active"].to_numpy(), terms["relevance"].to_numpy()
    top = np.isin(np.arange(10), [k for k in np.argsort(-relevance) if on[k]][:4])
    z, treated = noisy.loadings.to_numpy(), (truth.obs["condition"] == "stimulated").to_numpy()
    p = np.array(
        [ttest_ind(z[treated, k], z[~treated, k], equal_var=False).pvalue if on[k] else 1.0
         for k in range(10)]
    )  # fmt: skip
    passed = np.sort(p) <= 0.05 * np.arange(1, 11) / 10  # Benjamini and Hochberg's line
    different = p <= (np.sort(p)[passed].max() if passed.any() else -1)
    carrier = np.arange(10) == strength_in(truth).argmax()
    for rule, chosen, true in zip(
        RULES, (on, top, different), (active, active, carrier), strict=True
    ):
        near = np.zeros(10, bool)
        for k in np.flatnonzero(~true):
            near[k] = max((known[:, k] & known[:, j]).sum() for j in np.flatnonzero(true)) >= (
                0.3 * known[:, k].sum()
            )
        expected = [(chosen & g).sum() for g in (true, near, ~true & ~near)]
        assert list(counts.loc[rule, "n"]) == expected
        assert list(counts.loc[rule, "of"]) == [true.sum(), near.sum(), (~true & ~near).sum()]


def test_overlap_is_a_share_of_the_set_itself():
    known = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 0], [1, 0, 1]], bool)
    np.testing.assert_allclose(overlap(known, np.array([True, False, False])), [1, 1, 1])
    np.testing.assert_allclose(overlap(known, np.array([False, True, False])), [0.5, 1, 0])
    np.testing.assert_allclose(overlap(known, np.zeros(3, bool)), 0)


def test_a_fit_without_gene_sets_has_nothing_to_recover(truth):
    fit = make_fit(np.ones((300, 2)), np.ones((80, 2)), [1, 2])
    fit.terms["kind"] = "dense"
    for compare in (recovery, recovery_curves, false_positives):
        assert compare(fit, truth).empty
