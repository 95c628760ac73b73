"""Claims about which terms matter: where each check agrees, differs, is not run."""

import numpy as np
import pytest
from runs import judge, make_run, stable, table, terms

from intae.paper.finding import share
from intae.paper.run import NotRun


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
    with pytest.raises(NotRun, match="slalom did not run to the end"):
        judge("agreement", run, **arguments | {"pair": ["autoencoder", "slalom"]})


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
