"""Claims about which terms matter: where each check agrees, differs, is not run."""

import numpy as np
import pytest
from runs import judge, make_run, stable, table, terms

from intae.paper.run import NotRun
from intae.paper.words import share


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
    known = {"terms": ranked(["A", "B", "C", "LEAST"])}
    run = make_run(correlation=correlation, stability=stable("autoencoder", 0.42, 5), **known)
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
        correlation=first, correlation_seeds=seeds, terms=ranked(["A", "B", "LEAST"]),
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


def off(*rows):
    """Return a table of terms from one row of (term, relevance, active) each."""
    return terms([("autoencoder", 0, *row) for row in rows])


def test_a_term_that_is_off_has_no_rank():
    table = off(("A", 2.0, True), ("B", 0.0, False), ("C", 0.0, False))
    finding = judge("rank_of", make_run(terms=table), method="autoencoder", term="B", rank=2)
    assert finding.verdict == "differs" and "B is off from 1 seed" in finding.why


def test_terms_that_are_off_are_no_top_terms():
    table = off(("A", 2.0, True), ("B", 0.0, False), ("C", 0.0, False))
    run = make_run(terms=table)
    finding = judge("top_terms", run, method="autoencoder", terms=["A", "B", "C"], n=3)
    assert "1 (seed 0 only) of 3" in finding.found and finding.verdict == "differs"
    assert finding.why == "The first 1 of seed 0: A."
    nothing = judge(
        "top_terms", make_run(terms=off(("A", 0.0, False))), method="autoencoder", terms=["A"]
    )
    assert nothing.verdict == "differs" and nothing.why == "No term of seed 0 is on."


def test_agreement_is_about_the_terms_relevant_to_the_second_method():
    """The correlation's own ranks are by the reference of the config, which may be another."""
    values = {"A": 0.9, "B": 0.9, "C": 0.1, "D": 0.1}
    order = terms(
        [("fsclvm", 0, t, r, True) for t, r in zip("CDAB", (4.0, 3.0, 2.0, 1.0), strict=True)]
    )
    run = make_run(correlation=correlated(values), terms=order)
    arguments = {"pair": ["autoencoder", "fsclvm"], "median": 0.1, "above": 0, "n_terms": 2}
    finding = judge("agreement", run, **arguments)
    assert finding.verdict == "agrees" and "median |r| 0.10" in finding.found
