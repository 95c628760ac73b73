"""The paper's claims: each check on tables where it must agree, must differ, and was not run."""

import numpy as np
import pandas as pd
import pytest

from intae.paper import claims  # noqa: F401  fills the register of checks
from intae.paper.finding import CHECKS, VERDICTS, duration, number, share
from intae.paper.run import NotRun, Run
from intae.paper.training_checks import largest_fall

METHODS = {
    "autoencoder": {"label": "Autoencoder (published)", "model": "Autoencoder"},
    "autoencoder_exact": {
        "label": "Autoencoder (exact)", "model": "Autoencoder", "params": {"solver": "exact"},
    },
    "fsclvm": {"label": "f-scLVM", "model": "FSCLVM"},
    "ulm": {"role": "control", "model": "Score"},
}  # fmt: skip


def runtime(
    seconds, dataset="d", n_cells=1000, projected=(), iterations=30, device="cpu", n_genes=50
):
    """Return a table of runtimes from method -> seconds, a seed each."""
    return pd.DataFrame(
        {
            "dataset": dataset, "method": method, "seed": seed, "seconds": value, "peak_mb": 1.0,
            "n_cells": n_cells, "n_genes": n_genes, "n_terms": 40, "iterations": iterations,
            "converged": True, "projected": method in projected, "threads": 1, "device": device,
        }
        for method, values in seconds.items()
        for seed, value in enumerate(values)
    )  # fmt: skip


def table(rows, columns, dataset="d"):
    """Return a tidy table from rows of values."""
    frame = pd.DataFrame(rows, columns=columns.split())
    frame.insert(0, "dataset", dataset)
    return frame


def terms(rows, dataset="d"):
    """Return a table of terms from rows of method, seed, term, relevance, active."""
    frame = table(rows, "method seed term relevance active", dataset)
    return frame.assign(kind="annotated", n_genes=5, genes_added=np.nan, genes_removed=np.nan)


def accuracies(values):
    """Return tables of accuracy and terms from (method, seed) -> term -> accuracy."""
    rows = [(m, s, t, a) for (m, s), scores in values.items() for t, a in scores.items()]
    scores = table(rows, "method seed term accuracy").assign(split="train", label="condition")
    return {"accuracy": scores, "terms": terms([(m, s, t, 1.0, True) for m, s, t, _ in rows])}


def stable(method, median, shared, kind="seeds", dataset="d", spread=0.0):
    rows = [(method, kind, "(median |r|)", median, median - spread, median + spread)]
    rows += [(method, kind, "(shared of the 10 most relevant)", shared, shared - 1, shared + 1)]
    return table(rows, "method kind term r r_min r_max", dataset)


def make_run(seconds=None, **tables):
    """Return a run of data set d with these methods and tables."""
    seconds = {"autoencoder": [6.0, 6.0], "fsclvm": [12.0]} if seconds is None else seconds
    if isinstance(seconds, dict):
        seconds = runtime(seconds)
    host = pd.DataFrame({"cpu": ["a processor"]})
    return Run({"runtime": seconds, "host": host} | tables, METHODS, {"d": "kang17"}, ["s"])


RECOVERED = "method seed metric value"


def judge(name, run, dataset="d", **arguments):
    return CHECKS[name].judge(run, dataset, **arguments)


# time


@pytest.mark.parametrize(
    ("seconds", "n_cells", "verdict"),
    [
        (60.0, 1000, "agrees"),
        (170.0, 1000, "agrees"),
        (60 * 5, 1000, "partly"),
        (60 * 20, 1000, "differs"),
        (60 / 20, 1000, "differs"),
        (6.0, 100, "partly"),  # as much a cell, on a tenth of the cells
    ],
)
def test_runtime_is_compared_cell_by_cell(seconds, n_cells, verdict):
    run = make_run(runtime({"autoencoder": [seconds] * 2}, n_cells=n_cells))
    arguments = {"methods": ["autoencoder"], "minutes": 1, "n_cells": 1000, "n_genes": 50}
    finding = judge("runtime", run, **arguments)
    assert finding.verdict == verdict
    assert f"{number(seconds / 60)} min" in finding.found and "2 seeds" in finding.found
    assert f"{n_cells:,} cells" in finding.found


def test_projected_times_are_said_to_be():
    run = make_run(runtime({"slalom": [60.0]}, projected=["slalom"]))
    finding = judge(
        "runtime", run, methods=["slalom", "slalom_dense3"], minutes=1, n_cells=1000, n_genes=50
    )
    assert "projected" in finding.found
    with pytest.raises(NotRun, match="slalom_dense3 was not run on d"):
        judge("runtime", run, methods=["slalom_dense3"], minutes=1, n_cells=1000, n_genes=50)


@pytest.mark.parametrize(("slow", "verdict"), [(1620, "agrees"), (400, "partly"), (12, "differs")])
def test_ratio_of_runtimes(slow, verdict):
    run = make_run({"slalom": [slow], "autoencoder": [5.0, 7.0], "fsclvm": [12.0]})
    finding = judge("speedup", run, slow=["slalom"], fast="autoencoder", ratio=270, n_genes=50)
    assert finding.verdict == verdict
    least, most = number(slow / 7), number(slow / 5)
    assert f"{number(slow / 6)} times (slalom, {least} to {most} over fits)" in finding.found
    assert "2 times as long as the autoencoder" in finding.why
    scaled = judge(
        "speedup", run, slow=["slalom"], fast="autoencoder", ratio=270, epochs=60, n_genes=50
    )
    assert f"{number(slow / 12)} times" in scaled.found


RATIO = {"slow": ["slalom"], "fast": "autoencoder", "ratio": 2, "n_genes": 50}


def test_ratio_needs_both():
    with pytest.raises(NotRun, match="autoencoder was not run"):
        judge("speedup", make_run({"slalom": [9.0]}), **RATIO)


@pytest.mark.parametrize(
    ("slow", "slope", "verdict"),
    [(9000, None, "agrees"), (3600, None, "partly"), (60, None, "differs"), (3600, 2.0, "agrees")],
)  # fmt: skip
def test_what_larger_data_would_take(slow, slope, verdict):
    slopes = table(
        [("slalom", "seconds", slope), ("slalom", "peak_mb", 0.0)], "method measure slope"
    )
    extra = {} if slope is None else {"scaling_slopes": slopes}
    run = make_run({"slalom": [slow], "autoencoder": [6.0]}, **extra)
    finding = judge("outgrows", run, slow=["slalom"], fast="autoencoder", n_genes=50)
    assert finding.verdict == verdict
    assert f"slalom {duration(slow * 100 ** (slope or 1) / 86400)}" in finding.found
    assert ("slalom" in finding.why) == (slope is None)
    with pytest.raises(NotRun, match="slalom was not run"):
        judge("outgrows", make_run(), slow=["slalom"], fast="autoencoder", n_genes=50)


@pytest.mark.parametrize(
    ("check", "arguments"),
    [
        ("runtime", {"methods": ["autoencoder"], "minutes": 1, "n_cells": 9, "n_genes": 70}),
        ("speedup", RATIO | {"n_genes": 70}),
        ("outgrows", {"slow": ["slalom"], "fast": "autoencoder", "n_genes": 70}),
        ("loss", {"method": "autoencoder", "after": 1, "loss": 60.0, "epochs": 1, "n_cells": 1000,
                  "n_genes": 70}),
    ],
)  # fmt: skip
def test_what_depends_on_the_genes_needs_as_many(check, arguments):
    run = make_run({"slalom": [9.0], "autoencoder": [1.0]}, history=trained())
    with pytest.raises(NotRun, match="d has 50 genes; the paper's value is for about 70"):
        judge(check, run, **arguments)
    assert judge(check, run, **arguments | {"n_genes": 55}).verdict in VERDICTS


@pytest.mark.parametrize(("cuda", "verdict"), [(2.0, "agrees"), (5.0, "differs")])
def test_gpu(cuda, verdict):
    both = [runtime({"autoencoder": [6.0]}), runtime({"autoencoder": [cuda]}, device="cuda:0")]
    finding = judge("gpu_speedup", make_run(pd.concat(both)), None, method="autoencoder")
    assert finding.verdict == verdict and f"{number(6 / cuda)} times" in finding.found
    on_cpu = {"autoencoder_cpu": {"model": "Autoencoder", "params": {"device": "cpu"}}}
    renamed = pd.concat([both[0].assign(method="autoencoder_cpu"), both[1]])
    beside = Run({"runtime": renamed}, METHODS | on_cpu)
    assert judge("gpu_speedup", beside, None, method="autoencoder") == finding
    with pytest.raises(NotRun, match="ran on cpu only"):
        judge("gpu_speedup", make_run(both[0]), None, method="autoencoder")


# separation


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


# terms


def ranked(*orders):
    """Return a table of terms from one order of one-letter terms a seed, most relevant first."""
    return terms(
        [
            ("autoencoder", s, t, 9.0 - i, True)
            for s, o in enumerate(orders)
            for i, t in enumerate(o)
        ]
    )


@pytest.mark.parametrize(
    ("orders", "verdict"),
    [(("ABC", "ACB"), "agrees"), (("ABC", "BAC"), "partly"), (("BAC", "BCA"), "differs")],
)
def test_rank_of_a_term(orders, verdict):
    run = make_run(terms=ranked(*orders))
    finding = judge("rank_of", run, method="autoencoder", term="A", rank=1)
    assert finding.verdict == verdict
    assert f"{orders[1].index('A') + 1} (seed 1)" in finding.found
    with_leeway = judge("rank_of", run, method="autoencoder", term="A", rank=2, leeway=1)
    assert with_leeway.verdict == "agrees"
    with pytest.raises(NotRun, match="Z is not a term"):
        judge("rank_of", run, method="autoencoder", term="Z", rank=1)


@pytest.mark.parametrize(
    ("orders", "verdict"),
    [(("ABCD", "BACD"), "agrees"), (("ACBD", "ACBD"), "partly"), (("CDAB", "DCAB"), "differs")],
)
def test_top_terms(orders, verdict):
    run = make_run(terms=ranked(*orders))
    arguments = {"method": "autoencoder", "terms": ["A", "B"], "n": 2}
    finding = judge("top_terms", run, **arguments)
    assert finding.verdict == verdict
    assert f"{len(set(orders[0][:2]) & {'A', 'B'})} (seed 0)" in finding.found
    with pytest.raises(NotRun):
        judge("top_terms", run, **arguments | {"method": "autoencoder_exact"})


def correlated(values):
    rows = [("autoencoder", "fsclvm", t, r, i + 1) for i, (t, r) in enumerate(values.items())]
    return table(rows, "method_a method_b term r relevance_rank")


@pytest.mark.parametrize(
    ("values", "verdict"),
    [((0.2, -0.25, 0.9), "agrees"), ((0.4, 0.35, 0.1), "partly"), ((0.9, -0.8, 0.7), "differs"),
     ((np.nan, np.nan, np.nan), "differs")],
)  # fmt: skip
def test_agreement_of_two_methods(values, verdict):
    correlation = correlated(dict(zip("ABC", values, strict=True)) | {"LEAST": 0.99})
    run = make_run(correlation=correlation, stability=stable("autoencoder", 0.42, 5))
    arguments = {"pair": ["fsclvm", "autoencoder"], "median": 0.21, "above": 5, "n_terms": 3}
    finding = judge("agreement", run, **arguments)
    assert finding.verdict == verdict
    if not np.isnan(values[0]):
        assert share(np.median(np.abs(values))) in finding.found
        assert "Autoencoder (published) 0.42" in finding.why
    assert "pairs of seeds" not in finding.found
    with pytest.raises(NotRun, match="slalom did not run to the end"):
        judge("agreement", run, **arguments | {"pair": ["autoencoder", "slalom"]})


def test_agreement_over_all_pairs_of_seeds():
    first = correlated({"A": 0.9, "B": 0.9, "LEAST": 0.9})  # the first seeds alone would differ
    seeds = table(
        [("autoencoder", a, "fsclvm", 222, t, r)
         for a, values in enumerate([(0.9, 0.9), (0.1, -0.3), (-0.1, np.nan)])
         for t, r in zip("AB", values, strict=True)]
        + [("autoencoder", 0, "autoencoder", 1, "A", 0.99), ("slalom", 0, "fsclvm", 0, "A", 0.99)],
        "method_a seed_a method_b seed_b term r",
    )  # fmt: skip
    run = make_run(
        correlation=first, correlation_seeds=seeds,
        stability=stable("autoencoder", 0.42, 5, spread=0.02),
    )  # fmt: skip
    pair = ["fsclvm", "autoencoder"]
    finding = judge("agreement", run, pair=pair, median=0.4, above=5, n_terms=2)
    # medians 0.9, 0.2 and 0.1
    assert finding.verdict == "agrees"
    assert finding.found == (
        "median |r| 0.40 (0.10 to 0.90) over 1.67 (1 to 2) of the 2 most relevant terms (the "
        "others are off in one of the two), 0.667 (0 to 2) above 0.5; 3 pairs of seeds"
    )
    assert "Autoencoder (published) 0.42 (0.40 to 0.44)." in finding.why
    finding = judge("agreement_of_terms", run, pair=pair, terms={"A": 0.4, "B": 0.9})
    assert finding.found == "A 0.37 (0.10 to 0.90) (paper 0.40); B 0.60 (0.30 to 0.90) (paper 0.90)"
    assert finding.verdict == "partly"


@pytest.mark.parametrize(
    ("values", "verdict"),
    [((0.7, -0.4), "agrees"), ((0.7, 0.9), "partly"), ((0.1, np.nan), "differs")],
)
def test_agreement_term_by_term(values, verdict):
    run = make_run(correlation=correlated(dict(zip("AB", values, strict=True))))
    arguments = {"pair": ["autoencoder", "fsclvm"], "terms": {"A": 0.6, "B": -0.5, "GONE": 1}}
    finding = judge("agreement_of_terms", run, **arguments)
    assert finding.verdict == verdict
    assert f"A {share(values[0])} (paper 0.60)" in finding.found
    assert ("off in one" in finding.found) == np.isnan(values[1])
    with pytest.raises(NotRun, match="none of the terms GONE"):
        judge("agreement_of_terms", run, **arguments | {"terms": {"GONE": 1}})


# training


def trained(off=(0, 5, 9), F=(60.0, 45.0, 40.0), zero=(0.5, 0.9, 0.99)):
    rows = [
        ("autoencoder", s, i + 1, F[i], off[i], zero[i]) for s in (0, 1) for i in range(len(off))
    ]
    return table(rows, "method seed iteration F n_deactivated inactive_zero_share")


LIKE = {"method": "autoencoder", "epochs": 30, "n_cells": 1000}


@pytest.mark.parametrize(("off", "verdict"), [(4, "agrees"), (6, "partly"), (9, "differs")])
def test_deactivated_terms(off, verdict):
    rows = [("autoencoder", s, t, 1.0, t >= off) for s in (0, 1) for t in range(10)]
    run = make_run(terms=terms(rows))
    finding = judge("deactivated", run, n_off=40, n_terms=100, **LIKE)
    assert finding.verdict == verdict and f"of 10 ({off / 10:.0%})" in finding.found
    assert "steps" not in finding.why
    short = judge("deactivated", run, n_off=40, n_terms=100, **LIKE | {"n_cells": 13500})
    assert "510 training steps, against 6,540" in short.why
    with pytest.raises(NotRun):
        judge("deactivated", run, n_off=1, n_terms=2, **LIKE | {"method": "autoencoder_exact"})


@pytest.mark.parametrize(
    ("after", "loss", "verdict"),
    [(1, 61.6, "agrees"), (None, 39.0, "agrees"), (None, 50.0, "partly"), (1, 149.6, "differs")],
)
def test_loss(after, loss, verdict):
    run = make_run(history=trained())
    finding = judge("loss", run, after=after, loss=loss, n_genes=50, **LIKE)
    assert finding.verdict == verdict
    assert finding.found.startswith("60 " if after else "40 ")
    with pytest.raises(NotRun, match="did not train for 9"):
        judge("loss", run, after=9, loss=loss, n_genes=50, **LIKE)


@pytest.mark.parametrize(
    ("last", "verdict"), [(0.99, "agrees"), (0.96, "partly"), (0.7, "differs")]
)
def test_inactive_weights_at_zero(last, verdict):
    run = make_run(history=trained(zero=(0.1, 0.999, last)))
    assert judge("inactive_at_zero", run, **LIKE).verdict == verdict
    with pytest.raises(NotRun, match=r"history\.csv was not made"):
        judge("inactive_at_zero", make_run(), **LIKE)


def test_largest_fall():
    assert largest_fall(np.array([0, 20, 45, 44, 40, 8, 9]), 4) == (45, 8)
    assert largest_fall(np.array([0, 3, 0]), 4) is None
    assert largest_fall(np.array([5, 6, 7]), 4) is None
    assert largest_fall(np.array([40, 39, 38, 37, 4]), 4) == (39, 4)


@pytest.mark.parametrize(
    ("off", "verdict"),
    [((0, 45, 44, 8), "agrees"), ((0, 36, 17, 20), "partly"), ((0, 20, 19, 20), "differs")],
)
def test_collapse(off, verdict):
    run = make_run(history=trained(off, F=(1, 1, 1, 1), zero=(1, 1, 1, 1)))
    arguments = {"method": "autoencoder", "epochs": 5, "fell_after": 4}
    finding = judge("collapse", run, **arguments)
    assert (
        finding.verdict == verdict
        and f"{off[1]} to {off[3 if off[3] < 17 else 2]}" in finding.found
    )
    if verdict == "differs":
        with pytest.raises(NotRun, match="epochs: 80"):
            judge("collapse", run, **arguments | {"epochs": 80, "fell_after": 66})


# trust


@pytest.mark.parametrize(
    ("median", "shared", "verdict"),
    [(0.95, 9, "agrees"), (0.95, 4, "partly"), (0.4, 9, "partly"), (0.4, 5, "differs")],
)
def test_same_from_any_seed(median, shared, verdict):
    stability = pd.concat(
        [stable("autoencoder", median, shared), stable("fsclvm", 0.3, 5, kind="halves")]
    )
    arguments = {"method": "autoencoder", "beside": ["fsclvm", "autoencoder_exact"]}
    finding = judge("same_from_any_seed", make_run(stability=stability), **arguments)
    assert finding.verdict == verdict
    assert f"{shared} ({shared - 1} to {shared + 1}) of 10" in finding.found
    assert "f-scLVM between halves of cells: median |r| 0.30" in finding.why
    with pytest.raises(NotRun, match="several `seeds`"):
        judge("same_from_any_seed", make_run(stability=stability), method="fsclvm")


@pytest.mark.parametrize(
    ("small", "large", "verdict"),
    [(0.3, 0.7, "agrees"), (0.3, 0.32, "partly"), (0.3, None, "partly"), (0.9, 0.9, "differs")],
)
def test_too_few_cells(small, large, verdict):
    stability = [stable("autoencoder", small, 5)]
    times = [runtime({"autoencoder": [6.0, 6.0]}, n_cells=182)]
    if large is not None:
        stability.append(stable("autoencoder", large, 7, dataset="big"))
        times.append(runtime({"autoencoder": [6.0, 6.0]}, dataset="big", n_cells=4000))
    run = make_run(pd.concat(times), stability=pd.concat(stability))
    finding = judge("too_few_cells", run, method="autoencoder")
    assert finding.verdict == verdict
    assert ("4,000 cells" in finding.found) == (large is not None)
    with pytest.raises(NotRun):
        judge("too_few_cells", make_run(stability=stability[0]), method="fsclvm")


@pytest.mark.parametrize(
    ("added", "verdict"),
    [(("G1 G2", "G1 G2"), "agrees"), (("G1", "G2"), "partly"), (("", ""), "differs"),
     (("G1",), "partly")],
)  # fmt: skip
def test_corrected_sets(added, verdict):
    corrections = terms([("fsclvm", s, "A", 1.0, True) for s in range(len(added))])
    corrections["genes_added"] = [a or np.nan for a in added]
    off = terms([("fsclvm", s, "OFF", 0.0, False) for s in range(len(added))])
    corrections = pd.concat([corrections, off.assign(genes_added="G7 G8 G9")])
    finding = judge("corrects_sets", make_run(terms=corrections), method="fsclvm")
    assert finding.verdict == verdict
    assert f"added {len(added[0].split())} " in finding.found  # not those of a term that is off
    for precision, right in ((0.1, False), (0.9, True)):
        truth = table([("fsclvm", 0, "precision of added genes", precision)], RECOVERED, "s")
        run = make_run(terms=corrections, recovery=truth)
        changed = judge("corrects_sets", run, method="fsclvm").verdict
        assert changed == (verdict if right or verdict != "agrees" else "partly")
    with pytest.raises(NotRun):
        judge("corrects_sets", make_run(terms=corrections), method="autoencoder_exact")


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [(0.95, None, "agrees"), (0.95, 0.4, "partly"), (0.4, None, "differs"),
     (np.nan, None, "differs")],
)  # fmt: skip
def test_new_cells(ours, theirs, verdict):
    parts = [stable("autoencoder_exact", ours, 9, kind="halves")]
    parts += [stable("fsclvm", theirs, 9, kind="halves")] if theirs else []
    arguments = {"can": ["autoencoder_exact"], "cannot": ["fsclvm"]}
    finding = judge("new_cells", make_run(stability=pd.concat(parts)), None, **arguments)
    assert finding.verdict == verdict and f"{share(ours)} (d)" in finding.found
    parts.append(stable("autoencoder_exact", 0.5, 9, kind="halves", dataset="e"))
    times = pd.concat([runtime({"autoencoder_exact": [1.0]}, d) for d in ("d", "e")])
    two = judge("new_cells", make_run(times, stability=pd.concat(parts)), None, **arguments)
    assert two.verdict == verdict and "On e they depend" in two.why.replace("d and e", "e")
    for run in (make_run(), make_run(stability=stable("autoencoder", 0.3, 4))):
        with pytest.raises(NotRun, match="fitted to halves"):
            judge("new_cells", run, None, **arguments)


@pytest.mark.parametrize(
    ("n_on", "accuracy", "verdict"), [(3, 0.95, "differs"), (3, 0.8, "agrees"), (0, 0.95, "agrees")]
)
def test_needs_tuning(n_on, accuracy, verdict):
    tables = accuracies({("autoencoder", 0): dict.fromkeys("ABCDE", 0.9)})
    exact = accuracies({("autoencoder_exact", 0): dict.fromkeys("ABCDE", accuracy)})
    exact["terms"]["active"] = np.arange(5) < n_on
    tables = {name: pd.concat([tables[name], exact[name]]) for name in tables}
    run = make_run({"autoencoder": [6.0], "autoencoder_exact": [1.0]}, **tables)
    arguments = {"tuned": "autoencoder", "automatic": "autoencoder_exact"}
    assert judge("needs_tuning", run, None, **arguments).verdict == verdict
    with pytest.raises(NotRun, match="on one data set"):
        judge("needs_tuning", make_run({"autoencoder": [1.0]}), None, **arguments)
    by_hand = Run(run.tables, {"autoencoder_exact": {"params": {"lambda1": 1}}})
    with pytest.raises(NotRun, match="set by hand"):
        judge("needs_tuning", by_hand, None, **arguments)


def recovered(values):
    rows = [(m, 0, "average precision of active terms", v) for m, v in values.items()]
    return table(rows, RECOVERED, "s")


@pytest.mark.parametrize(("ulm", "verdict"), [(0.3, "agrees"), (0.7, "partly"), (0.95, "differs")])
def test_scores_without_a_model(ulm, verdict):
    values = {"autoencoder": 0.6, "autoencoder_exact": 0.9, "ulm": ulm}
    times = runtime({m: [1.0] for m in values}, dataset="s")
    arguments = {"scores": ["ulm", "aucell"], "models": ["autoencoder", "autoencoder_exact"]}
    run = make_run(times, recovery=recovered(values))
    finding = judge("scores_rank_worse", run, None, **arguments)
    assert finding.verdict == verdict and f"ulm {ulm:.2f}" in finding.found
    with pytest.raises(NotRun, match="simulated data"):
        judge("scores_rank_worse", make_run(), None, **arguments)


@pytest.mark.parametrize(("ulm", "verdict"), [(9, "agrees"), (5, "partly"), (1, "differs")])
def test_false_terms(ulm, verdict):
    counts = {"autoencoder": 6, "autoencoder_exact": 2, "ulm": ulm}
    rows = [
        (m, 0, rule, outcome, n, 10)
        for m, value in counts.items()
        for rule, factor in (("differs", 1), ("top ranked", 50))
        for outcome, n in (
            ("true", 99), ("false, overlaps a true one", value * factor),
            ("false, overlaps none", 1),
        )
    ]  # fmt: skip
    false_positives = table(rows, "method seed rule outcome n of", "s")
    models = ["autoencoder", "autoencoder_exact", "fsclvm"]
    arguments = {"scores": ["ulm", "aucell"], "models": models, "rule": "differs"}
    run = make_run(false_positives=false_positives)
    finding = judge("false_terms", run, None, **arguments)
    assert finding.verdict == verdict
    assert f"ulm {ulm + 1}; Autoencoder (published) 7; Autoencoder (exact) 3" in finding.found
    assert "of 20 inactive terms" in finding.why
    again = false_positives.assign(seed=1)
    more = again.assign(n=again["n"].where(again["method"] != "autoencoder", again["n"] + 2))
    both = make_run(false_positives=pd.concat([false_positives, more]))
    assert (
        "Autoencoder (published) 9 (7 to 11);"
        in judge("false_terms", both, None, **arguments).found
    )
    for nothing in (make_run(), make_run(false_positives=false_positives.query("method != 'ulm'"))):
        with pytest.raises(NotRun, match="simulated data"):
            judge("false_terms", nothing, None, **arguments)


@pytest.mark.parametrize(
    ("masked", "stochastic", "verdict"),
    [(0.2, 0.3, "agrees"), (0.2, 0.8, "partly"), (0.7, 0.8, "differs")],
)
def test_masks(masked, stochastic, verdict):
    values = {
        "autoencoder": 0.6,
        "autoencoder_masked": masked,
        "autoencoder_stochastic": stochastic,
    }
    names = ["autoencoder_masked", "autoencoder_stochastic"]
    run = make_run(runtime({m: [1.0] for m in values}, dataset="s"), recovery=recovered(values))
    arguments = {"masked": names, "regularised": "autoencoder"}
    assert judge("masks_fail", run, None, **arguments).verdict == verdict
    scores = {(m, 0): {"A": v} for m, v in values.items()}
    real = make_run({m: [1.0] for m in values}, **accuracies(scores))
    finding = judge("masks_fail", real, None, **arguments)
    assert finding.verdict == verdict and "best accuracy" in finding.found
    with pytest.raises(NotRun, match="run: methods"):
        judge("masks_fail", make_run(), None, **arguments)


def test_simulations_do_not_speak_for_real_data():
    parts = [stable("autoencoder_exact", 0.9, 9, kind="halves")]
    parts.append(stable("autoencoder_exact", 0.2, 9, kind="halves", dataset="s"))
    times = pd.concat([runtime({"autoencoder_exact": [1.0]}, d) for d in ("d", "s")])
    arguments = {"can": ["autoencoder_exact"], "cannot": []}
    finding = judge("new_cells", make_run(times, stability=pd.concat(parts)), None, **arguments)
    assert finding.verdict == "agrees" and "(s)" not in finding.found
    alone = make_run(runtime({"autoencoder_exact": [1.0]}, "s"), stability=parts[1])
    assert judge("new_cells", alone, None, **arguments).verdict == "differs"


def test_a_projected_fit_counts_for_its_runtime_only():
    run = make_run(runtime({"slalom": [60.0]}, projected=["slalom"]), separation=separated([0.9]))
    with pytest.raises(NotRun, match="larger `budget` in `methods: slalom: params:`"):
        judge("separates", run, **SEPARATES | {"method": "slalom"})
