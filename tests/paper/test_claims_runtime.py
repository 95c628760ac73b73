"""Claims about time: where each check agrees, differs, is not run."""

import pandas as pd
import pytest
from runs import METHODS, judge, make_run, runtime, table, trained

from intae.paper.checks.register import VERDICTS
from intae.paper.run import NotRun, Run
from intae.paper.words import duration, number


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


def test_a_time_that_does_not_grow_stays_as_it_is():
    slopes = table(
        [("autoencoder", "seconds", 0.0), ("slalom", "seconds", 1.0)], "method measure slope"
    )
    run = make_run({"autoencoder": [86400.0], "slalom": [86400.0]}, scaling_slopes=slopes)
    finding = judge("outgrows", run, slow=["slalom"], fast="autoencoder", n_genes=50)
    assert (
        "Autoencoder (published) 24 hours" in finding.found and "slalom 100 days" in finding.found
    )
