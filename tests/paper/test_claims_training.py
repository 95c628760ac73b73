"""Claims about how training goes: where each check agrees, differs, is not run."""

import numpy as np
import pytest
from runs import judge, make_run, terms, trained

from intae.paper.checks.training import largest_fall
from intae.paper.run import NotRun

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
