"""Claims about the methods in general: where each check agrees, differs, is not run."""

import numpy as np
import pandas as pd
import pytest
from runs import RECOVERED, accuracies, judge, make_run, runtime, stable, table

from intae.paper.run import NotRun, Run
from intae.paper.words import share


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


def test_only_simulations_with_all_methods_are_compared():
    """A method that ran on the easy simulation only is not better for that."""
    easy = recovered({"autoencoder": 0.9, "ulm": 0.8, "masked": 0.7})
    hard = recovered({"autoencoder": 0.3}).assign(dataset="s2")
    run = Run(
        {"runtime": runtime({"autoencoder": [1.0]}, "s"), "recovery": pd.concat([easy, hard])},
        {},
        {},
        ["s", "s2"],
    )
    finding = judge("scores_rank_worse", run, None, scores=["ulm"], models=["autoencoder"])
    assert finding.verdict == "agrees" and "autoencoder 0.90" in finding.found
    run = Run(
        {"runtime": runtime({"autoencoder": [1.0]}, "s"), "recovery": pd.concat([easy, hard])},
        {}, {}, ["s", "s2"],
    )  # fmt: skip
    finding = judge("masks_fail", run, None, masked=["masked"], regularised="autoencoder")
    assert "masked 0.700 against 0.900" in finding.found and finding.verdict == "agrees"


def test_false_terms_are_counted_on_the_same_simulations():
    rows = [("autoencoder", "s", 2), ("ulm", "s", 4), ("autoencoder", "s2", 30)]
    counts = pd.DataFrame(rows, columns=["method", "dataset", "n"]).assign(
        seed=0, rule="differs", outcome="false, alone", of=40
    )
    run = make_run(false_positives=counts)
    arguments = {"scores": ["ulm"], "models": ["autoencoder"], "rule": "differs"}
    finding = judge("false_terms", run, None, **arguments)
    assert finding.verdict == "agrees" and "1 simulated data set" in finding.why
    apart = make_run(false_positives=counts[counts["dataset"].ne("s") | counts["method"].eq("ulm")])
    with pytest.raises(NotRun, match="on the same"):
        judge("false_terms", apart, None, **arguments)
