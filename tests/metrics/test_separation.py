"""Separation of labels by single terms, against numbers that are known."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import GroupKFold

from intae.errors import IntaeError
from intae.metrics.separation import balanced_accuracy, best_term, folds, term_accuracy


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
    with pytest.raises(IntaeError, match="'condition' has one value only"):
        term_accuracy(pd.DataFrame({"t": [1.0, 2]}), pd.Series(["a", "a"], name="condition"))


def test_balanced_accuracy_is_scikit_learns():
    rng = np.random.default_rng(0)
    truth, guess = rng.integers(0, 4, 50), rng.integers(0, 5, 50)
    truth[truth == 2] = 3  # a class that these cells do not hold
    with pytest.warns(UserWarning, match="not in y_true"):
        expected = balanced_accuracy_score(truth, guess)
    assert balanced_accuracy(truth, guess) == pytest.approx(expected)


def test_folds_are_whole_donors_and_never_of_one_class():
    codes, donor = np.array([0, 0, 1, 1] * 6), pd.Series(list("abcdef") * 4)
    found = list(folds(codes, donor, 3))
    assert len(found) == 3
    for train, test in found:
        assert set(donor[train]).isdisjoint(donor[test])
    assert len(list(folds(codes, pd.Series(["a", "b"] * 12), 5))) == 2  # two donors, two folds
    # without the one donor of class 1 there is nothing to learn
    alone = pd.Series(np.where(codes == 1, "x", np.where(np.arange(24) % 2, "y", "z")))
    assert all(len(set(codes[train])) == 2 for train, _ in folds(codes, alone, 3))


def test_best_term_is_chosen_on_the_training_cells():
    rng = np.random.default_rng(0)
    label = pd.Series(np.repeat(["a", "b"], 100), name="condition")
    train = np.arange(200) % 2 == 0
    y = (label == "b").to_numpy()
    lure = np.where(train, rng.normal(size=200), y * 100.0)  # perfect where nobody looked
    z = pd.DataFrame({"lure": lure, "good": y + 0.3 * rng.normal(size=200)})
    found = best_term(z, label, train)
    assert found["best_term"] == "good"
    regression = LogisticRegression().fit(z.loc[train, ["good"]], y[train])
    assert found["best_accuracy_held_out"] == pytest.approx(
        regression.score(z.loc[~train, ["good"]], y[~train]), abs=0.02
    )
    assert best_term(z, label, y) == {}  # one class to train on


def one_condition_each():
    """Donors of one condition each, the cells of a condition together, as in COVID-19."""
    sizes = {"a": 90, "b": 80, "c": 70, "d": 20, "e": 15, "f": 10, "g": 10}
    donor = pd.Series(np.repeat(list(sizes), list(sizes.values())))
    condition = donor.map(lambda name: "healthy" if name in "abc" else "severe")
    return donor, condition.rename("condition")


def test_every_class_is_in_each_part_of_each_fold(caplog):
    donor, condition = one_condition_each()
    codes = (condition == "severe").to_numpy(int)
    plain = GroupKFold(4).split(donor, codes, donor)
    assert any(len(set(codes[test])) == 1 for _, test in plain)  # the classes need a rule
    with caplog.at_level("INFO"):
        found = folds(codes, donor)
    assert caplog.messages == ["3 folds of whole donors"]  # of the three healthy donors
    for train, test in found:
        assert set(donor[train]).isdisjoint(donor[test])
        assert set(codes[train]) == set(codes[test]) == {0, 1}
    assert sorted(np.concatenate([test for _, test in found])) == list(range(len(donor)))
    again = folds(codes, donor)
    assert all((a[1] == b[1]).all() for a, b in zip(found, again, strict=True))


def test_a_class_of_a_single_donor_is_told(caplog):
    donor, condition = one_condition_each()
    codes = (condition == "severe").to_numpy(int) + (donor == "d").to_numpy(int)
    found = folds(codes, donor)
    assert len(found) == 4
    assert "no folds of whole donors have every class in each" in caplog.text
    assert "295 of 295 cells are scored" in caplog.text
    x = pd.DataFrame({"t": codes + np.random.default_rng(0).normal(size=len(codes))})
    held = term_accuracy(x, pd.Series(codes), donor).set_index("split").loc["held_out"]
    assert held[["accuracy", "balanced_accuracy", "auroc"]].notna().all()
    assert held["balanced_accuracy"] <= 2 / 3  # nobody can guess the class of that donor


def test_predictions_of_all_folds_are_scored_together():
    donor, condition = one_condition_each()
    truth = (condition == "severe").to_numpy(int)
    rng = np.random.default_rng(1)
    x = truth + rng.normal(size=len(truth))
    guess, right, pairs = np.empty(len(truth), int), 0, 0
    for train, test in folds(truth, donor):
        mean, spread = x[train].mean(), x[train].std()
        z = ((x - mean) / spread)[:, None]
        model = LogisticRegression().fit(z[train], truth[train])
        guess[test] = model.predict(z[test])
        n = truth[test].sum() * (1 - truth[test]).sum()
        right += n * roc_auc_score(truth[test], model.predict_proba(z[test])[:, 1])
        pairs += n
    held = term_accuracy(pd.DataFrame({"t": x}), condition, donor).set_index("split")
    held = held.loc["held_out"]
    assert held["accuracy"] == pytest.approx((guess == truth).mean())
    assert held["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth, guess))
    assert held["auroc"] == pytest.approx(right / pairs)


def test_a_term_that_is_off_is_guessing_whatever_the_folds_hold():
    donor, condition = one_condition_each()
    table = term_accuracy(pd.DataFrame({"off": np.zeros(len(donor))}), condition, donor)
    np.testing.assert_array_equal(table["auroc"], 0.5)
    np.testing.assert_array_equal(table["balanced_accuracy"], 0.5)
