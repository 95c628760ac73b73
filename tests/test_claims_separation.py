"""Claims about terms that separate cells: where each check agrees, differs, is not run."""

import pytest
from runs import accuracies, judge, make_run, runtime, table

from intae.paper.run import NotRun


def separated(aurocs, value="B cells"):
    rows = [("autoencoder", s, "BCR", "cell_type", value, 10, a) for s, a in enumerate(aurocs)]
    rows += [("autoencoder", s, "OTHER", "cell_type", value, 10, 0.97) for s in range(len(aurocs))]
    return table(rows, "method seed term label value n_cells auroc")


SEPARATES = {"method": "autoencoder", "term": "BCR", "label": "cell_type", "values": ["b cell"]}


@pytest.mark.parametrize(
    ("aurocs", "verdict"),
    [((0.95, 0.92), "agrees"), ((0.05, 0.92), "agrees"), ((0.95, 0.7), "partly"),
     ((0.5, 0.6), "differs")],
)  # fmt: skip
def test_separates(aurocs, verdict):
    finding = judge("separates", make_run(separation=separated(aurocs)), **SEPARATES)
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
