"""Tables of the terms of fits, and the columns of tables of no fit."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
from fits import make_fit

from intae.benchmark.tables import PART_COLUMNS, label, stack
from intae.corruption import corrupt_annotations
from intae.fits import Fit
from intae.metrics.agreement import between_seeds
from intae.metrics.corrupted import corrupted
from intae.metrics.implanted import implanted
from intae.metrics.known_pairs import known_pairs
from intae.metrics.separation import separation_table, term_accuracy
from intae.metrics.terms import corrected_genes, history_of, ranking, terms_of
from intae.metrics.truth import false_positives, recovery, recovery_curves


def test_a_term_that_is_off_has_no_loadings_unless_it_is_read():
    """A network goes on making numbers for a term whose weights are zero; they mean nothing."""
    z = np.random.default_rng(0).standard_normal((5, 2)).astype(np.float32)
    by_hand = make_fit(z, np.ones((6, 2)), [1, 0], active=[True, False])
    model = SimpleNamespace(
        terms_=by_hand.terms, history_=by_hand.history, weights_=by_hand.weights,
        loadings_=pd.DataFrame(z, by_hand.obs.index, by_hand.terms.index), reads_off_terms=False,
    )  # fmt: skip
    for fit in (Fit.of(model, by_hand.about, by_hand.obs), by_hand):
        np.testing.assert_array_equal(fit.loadings, z * [1, 0])
    model.reads_off_terms = True
    np.testing.assert_array_equal(Fit.of(model, by_hand.about, by_hand.obs).loadings, z)


def test_terms_are_ranked_by_relevance():
    fit = make_fit(np.ones((4, 2)), np.ones((3, 2)), [1, 9], seed=3)
    assert list(terms_of(fit)["rank"]) == [2, 1]
    named = label(terms_of(fit), fit.about)
    assert list(named.columns[:3]) == ["dataset", "method", "seed"] and set(named["seed"]) == {3}


def test_what_a_method_says_of_its_terms_is_in_the_table_and_else_empty():
    fit = make_fit(np.ones((4, 2)), np.ones((3, 2)), [1, 9])
    said = ["detected", "q_value", "specific", "family"]
    assert terms_of(fit)[said].isna().all(axis=None)
    fit.terms[said] = [[True, 0.01, 0.5, "A"], [False, 0.4, 1.0, "B"]]
    assert terms_of(fit)[said].values.tolist() == [[True, 0.01, 0.5, "A"], [False, 0.4, 1.0, "B"]]


def test_a_table_without_an_answer_leaves_those_of_others_as_they_are():
    yes, empty = pd.DataFrame({"detected": [True, False]}), pd.DataFrame({"detected": [np.nan]})
    for order in ([yes, empty], [empty, yes]):
        text = stack(order).to_csv(index=False)
        assert sorted(text.split()) == sorted(["detected", "True", "False", '""'])


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
    truth = simulated.copy()  # as if its first term had been given an activity
    truth.obsm["true_activity"] = np.arange(truth.n_obs)[:, None]
    truth.varm["true_genes"] = truth.varm["annotations"][:, :1]
    truth.uns["implanted"] = pd.DataFrame({"null": [""]}, index=fit.terms.index[:1])
    stim = {"term": names[0], "label": "condition", "values": ["stim"]}
    tables = {
        "accuracy": label(scores, fit.about),
        "corrections": label(corrected_genes(fit), fit.about),
        "false_positives": label(false_positives(fit, simulated, share=0.25, fdr=0.05), fit.about),
        "implanted": label(implanted(fit, truth), fit.about),
        "corrupted": label(corrupted(fit, corrupt_annotations(simulated)), fit.about),
        "history": label(history_of(fit), fit.about),
        "known_pairs": label(known_pairs(fit, [stim]), fit.about),
        "recovery": label(recovery(fit, simulated), fit.about),
        "recovery_curves": label(recovery_curves(fit, simulated), fit.about),
        "separation": label(separation_table(fit.loadings, fit.obs[["condition"]]), fit.about),
        "terms": label(terms_of(fit), fit.about),
    }
    for name, columns in PART_COLUMNS.items():
        assert tuple(stack([], name)) == columns
        if name != "stability":
            assert tuple(tables[name]) == columns, name
    assert ("dataset", *between_seeds([])) == PART_COLUMNS["stability"]
    assert len(stack([tables["terms"], tables["terms"].iloc[:0]])) == 8
