"""Claims about terms that separate cells: where each check agrees, differs, is not run."""

import pandas as pd
import pytest
from runs import accuracies, judge, make_run, runtime, table, terms

from intae.paper.run import NotRun


def separated(aurocs, value="B cells"):
    rows = [("autoencoder", s, "BCR", "cell_type", value, 10, a) for s, a in enumerate(aurocs)]
    rows += [("autoencoder", s, "OTHER", "cell_type", value, 10, 0.97) for s in range(len(aurocs))]
    return table(rows, "method seed term label value n_cells auroc")


def on(*terms_of_seed_0):
    """Return a table of terms of two seeds; which are on from the first is given."""
    rows = [("autoencoder", 0, t, 1.0, active) for t, active in terms_of_seed_0]
    return terms(rows + [("autoencoder", 1, t, 1.0, True) for t, _ in terms_of_seed_0])


SEPARATES = {"method": "autoencoder", "term": "BCR", "label": "cell_type", "values": ["b cell"]}


@pytest.mark.parametrize(
    ("aurocs", "verdict"),
    [((0.95, 0.92), "agrees"), ((0.05, 0.92), "agrees"), ((0.95, 0.7), "partly"),
     ((0.5, 0.6), "differs")],
)  # fmt: skip
def test_separates(aurocs, verdict):
    run = make_run(separation=separated(aurocs), terms=on(("BCR", True), ("OTHER", True)))
    finding = judge("separates", run, **SEPARATES)
    assert finding.verdict == verdict
    assert f"{max(aurocs[0], 1 - aurocs[0]):.3f} (seed 0)" in finding.found
    assert ("separates B cells best is OTHER" in finding.why) == (verdict != "agrees")
    assert ("depends on the seed" in finding.why) == (verdict == "partly")


def test_separates_says_what_the_data_lack():
    run = make_run(separation=separated([0.99, 0.99]))
    two = SEPARATES | {"values": ["b cell|bcell", "astrocyte"]}
    finding = judge("separates", run, **two)
    assert finding.verdict == "partly" and "no cells called astrocyte" in finding.why
    with pytest.raises(NotRun, match="called astrocyte; it has B cells"):
        judge("separates", run, **SEPARATES | {"values": ["astrocyte"]})
    with pytest.raises(NotRun, match="NONE is not a term of d"):
        judge("separates", run, **SEPARATES | {"term": "NONE"})
    with pytest.raises(NotRun, match=r"separation\.csv was not made"):
        judge("separates", make_run(), **SEPARATES)


@pytest.mark.parametrize(
    ("best", "verdict"), [(("A", "A"), "agrees"), (("A", "B"), "partly"), (("B", "B"), "differs")]
)
def test_best_term(best, verdict):
    other = {"A": "B", "B": "A"}
    scores = {("autoencoder", s): {b: 0.9, other[b]: 0.8} for s, b in enumerate(best)}
    finding = judge("best_term", make_run(**accuracies(scores)), method="autoencoder", term="A")
    assert finding.verdict == verdict
    assert [part.split()[0] for part in finding.found.split("; ")] == list(best)
    assert ("The seed changes" in finding.why) == (best == ("A", "B"))


def test_best_term_is_an_annotated_one_and_one_seed_is_said_to_be():
    tables = accuracies({("autoencoder", 0): {"A": 0.8, "dense_1": 0.99}})
    tables["terms"].loc[tables["terms"]["term"] == "dense_1", "kind"] = "dense"
    finding = judge("best_term", make_run(**tables), method="autoencoder", term="A")
    assert finding.verdict == "agrees" and "One seed" in finding.why
    with pytest.raises(NotRun, match="fsclvm_dense3 was not run on d: name it in `run: methods:`"):
        judge("best_term", make_run(**tables), method="fsclvm_dense3", term="A")


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [((0.9, 0.9, 0.7), "agrees"), ((0.9, 0.7, 0.7), "partly"), ((0.7, 0.7, 0.9), "differs")],
)
def test_best_for_all_terms_but_one(ours, verdict):
    names = ["A", "B", "X"]
    scores = {("autoencoder", 0): dict(zip(names, ours, strict=True))}
    scores[("fsclvm", 0)] = dict.fromkeys(names, 0.8)
    run = make_run(**accuracies(scores))
    asked = {"method": "autoencoder", "others": ["fsclvm"], "terms": ["A", "B", "GONE"], "but": "X"}
    finding = judge("best_for_all_but", run, **asked)
    assert finding.verdict == verdict
    assert f"best for {sum(a > 0.8 for a in ours[:2])} of 2 terms" in finding.found
    assert "Not terms of these data: GONE" in finding.why
    with pytest.raises(NotRun, match="none of the terms"):
        judge("best_for_all_but", run, **asked | {"terms": ["GONE"], "but": "Y"})


@pytest.mark.parametrize(
    ("plain", "dense", "verdict"),
    [("AA", "BB", "agrees"), ("AA", "BC", "partly"), ("AB", "CC", "differs"),
     ("AA", "AA", "differs")],
)  # fmt: skip
def test_what_changes_the_best_term(plain, dense, verdict):
    scores = {}
    for method, names in (("fsclvm", plain), ("fsclvm_dense3", dense)):
        for seed, name in enumerate(names):
            scores[(method, seed)] = dict.fromkeys("ABC", 0.5) | {name: 0.9}
    run = make_run({"fsclvm": [1, 1], "fsclvm_dense3": [1, 1]}, **accuracies(scores))
    arguments = {"without": "fsclvm", "with_dense": "fsclvm_dense3"}
    assert judge("dense_changes_best", run, **arguments).verdict == verdict
    one = {key: value for key, value in scores.items() if key[1] == 0}
    with pytest.raises(NotRun, match="several seeds"):
        judge("dense_changes_best", make_run(**accuracies(one)), **arguments)


def test_a_projected_fit_counts_for_its_runtime_only():
    run = make_run(runtime({"slalom": [60.0]}, projected=["slalom"]), separation=separated([0.9]))
    with pytest.raises(NotRun, match="larger `budget` in `methods: slalom: params:`"):
        judge("separates", run, **SEPARATES | {"method": "slalom"})


def test_separates_names_what_separates_the_value_that_fails():
    table = pd.concat([separated([0.95]), separated([0.6], "B2")])
    run = make_run(separation=table, terms=on(("BCR", True), ("OTHER", True)))
    finding = judge("separates", run, **SEPARATES | {"values": ["b cell", "b2"]})
    assert finding.verdict == "differs" and "separates B2 best is OTHER" in finding.why


def test_separates_says_from_how_many_seeds_the_term_is_off():
    """An AUROC of one half is not what tells: a term that is on may say nothing, too."""
    table = separated([0.5, 0.6])
    run = make_run(separation=table, terms=on(("BCR", True), ("OTHER", True)))
    assert "is off" not in judge("separates", run, **SEPARATES).why
    run = make_run(separation=table, terms=on(("BCR", False), ("OTHER", True)))
    assert "BCR is off from 1 of 2 seeds" in judge("separates", run, **SEPARATES).why


def test_the_exception_alone_does_not_make_the_rule():
    run = make_run(**accuracies({("autoencoder", 0): {"BUT": 0.6}, ("fsclvm", 0): {"BUT": 0.9}}))
    arguments = {"method": "autoencoder", "others": ["fsclvm"], "terms": ["A", "B"], "but": "BUT"}
    with pytest.raises(NotRun, match="has none of the terms A and B"):
        judge("best_for_all_but", run, **arguments)
    values = {("autoencoder", 0): {"A": 0.9}, ("fsclvm", 0): {"A": 0.6}}
    finding = judge("best_for_all_but", make_run(**accuracies(values)), **arguments)
    assert finding.verdict == "partly" and "Not terms of these data: B and BUT." in finding.why


def test_one_seed_with_dense_factors_does_not_show_that_all_agree():
    values = {("fsclvm", s): {"A": 0.9, "B": 0.5} for s in (0, 1)}
    values[("fsclvm_dense3", 0)] = {"A": 0.5, "B": 0.9}
    arguments = {"without": "fsclvm", "with_dense": "fsclvm_dense3"}
    with pytest.raises(NotRun, match="several seeds"):
        judge("dense_changes_best", make_run(**accuracies(values)), **arguments)
    values[("fsclvm", 1)] = {"A": 0.5, "B": 0.9}  # the seed alone changes it: that is enough
    finding = judge("dense_changes_best", make_run(**accuracies(values)), **arguments)
    assert finding.verdict == "differs"
