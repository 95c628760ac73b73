"""Claims about how far an interpretation holds: where each check agrees, differs, is not run."""

import numpy as np
import pandas as pd
import pytest
from runs import RECOVERED, judge, make_run, runtime, stable, table, terms

from intae.paper.run import NotRun


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


@pytest.mark.parametrize(("large", "verdict"), [(0.9, "agrees"), (np.nan, "partly")])
def test_too_few_cells_where_no_term_is_on_twice(large, verdict):
    """Fits that share no active term agree on nothing, which is not to say as much as others."""
    parts = [stable("autoencoder", np.nan, 0), stable("autoencoder", large, 8, dataset="big")]
    times = [runtime({"autoencoder": [1.0]}), runtime({"autoencoder": [1.0]}, "big", 9000)]
    run = make_run(pd.concat(times), stability=pd.concat(parts))
    finding = judge("too_few_cells", run, method="autoencoder")
    assert finding.verdict == verdict and "median |r| none" in finding.found


def test_corrections_of_a_seed_without_active_terms_are_none():
    table = terms([("fsclvm", s, "A", 1.0, s == 0) for s in (0, 1)]).assign(genes_added="G1 G2")
    finding = judge("corrects_sets", make_run(terms=table), method="fsclvm")
    assert "0 (seed 1)" in finding.found and finding.verdict == "partly"
    assert "Jaccard index is 0.00" in finding.why
