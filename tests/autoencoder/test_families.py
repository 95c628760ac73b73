"""Families: terms among which the data cannot decide."""

import numpy as np
import pytest
from anndata import AnnData

from intae import Autoencoder

pytestmark = pytest.mark.usefixtures("one_thread")

SETS = {  # of 60 genes; the activity of each gene is below
    "WHOLE": range(20),
    "TWIN": range(20),
    "NEARLY": [*range(19), 55],
    "FIRST_HALF": range(10),
    "SECOND_HALF": range(10, 20),
    "OTHER": range(20, 35),
    "THIRD": range(35, 50),
    "QUIET": range(50, 60),
}


def cells(names=tuple(SETS), second=1.0, seed=0):
    """Make cells with an activity in genes 0 to 19, others in 20 to 34 and 35 to 49.

    `second` is the correlation of the activity of genes 0 to 9 with that of genes 10 to 19.
    """
    rng = np.random.default_rng(seed)
    a, b, other, third = rng.normal(size=(4, 300))
    b = second * a + np.sqrt(1 - second**2) * b
    Y = 0.3 * rng.normal(size=(300, 60))
    for genes, activity in ((slice(0, 10), a), (slice(10, 20), b), (slice(20, 35), other),
                            (slice(35, 50), third)):  # fmt: skip
        Y[:, genes] += activity[:, None]
    data = AnnData((Y - Y.min()).astype(np.float32))
    I = np.zeros((60, len(names)))
    for k, name in enumerate(names):
        I[list(SETS[name]), k] = 1
    data.varm["annotations"], data.uns["terms"] = I, list(names)
    return data


def families(data, **arguments):
    terms = Autoencoder(threads=1, n_dense=0, **arguments).fit(data).terms_
    return terms, {frozenset(part.index) for _, part in terms.groupby("family")}


def test_sets_that_nearly_repeat_each_other_are_a_family():
    terms, found = families(cells(["WHOLE", "TWIN", "NEARLY", "OTHER", "THIRD", "QUIET"]))
    alone = [{"OTHER"}, {"THIRD"}, {"QUIET"}]
    assert found == {frozenset(part) for part in [{"WHOLE", "TWIN", "NEARLY"}, *alone]}
    on = terms[terms["active"]]
    assert set(on["family"]) == set(on.index) and len(on) == 3  # of the twins one is on
    assert not terms.loc["QUIET", "active"] and terms.loc["QUIET", "family_r"] == 1
    assert terms.loc[on.index, "family_r"].eq(1).all()
    assert terms["family_r"].min() > 0.99


def test_families_do_not_depend_on_the_order_of_the_terms():
    names = ["WHOLE", "NEARLY", "OTHER", "THIRD", "QUIET"]
    assert families(cells(names))[1] == families(cells(names[::-1]))[1]


def test_a_term_that_two_others_replace_has_both_in_its_family():
    names = ["WHOLE", "FIRST_HALF", "SECOND_HALF", "OTHER", "QUIET"]
    terms, found = families(cells(names))
    assert terms.loc["WHOLE", "active"] and not terms.loc["FIRST_HALF", "active"]
    assert frozenset({"WHOLE", "FIRST_HALF", "SECOND_HALF"}) in found
    assert frozenset({"OTHER"}) in found and frozenset({"QUIET"}) in found


def test_sets_of_different_activities_are_no_family():
    terms, found = families(cells(["FIRST_HALF", "SECOND_HALF", "OTHER", "QUIET"], second=0.0))
    assert terms["active"].sum() == 3
    assert all(len(part) == 1 for part in found)


def test_families_without_a_minimum_or_without_a_term_that_is_on():
    data = cells(["WHOLE", "TWIN", "OTHER"])
    adam = Autoencoder("adam", epochs=1, threads=1, device="cpu").fit(data).terms_
    none = Autoencoder(lambda3=1e6, n_dense=0, threads=1).fit(data).terms_
    assert not none["active"].any()
    for terms in (adam, none):
        assert list(terms["family"]) == list(terms.index)
        assert terms["family_r"].eq(1).all()


def test_families_are_saved(tmp_path):
    model = Autoencoder(threads=1).fit(cells())
    model.save(tmp_path / "model.h5")
    back = Autoencoder.load(tmp_path / "model.h5").terms_
    assert back["family"].equals(model.terms_["family"])
