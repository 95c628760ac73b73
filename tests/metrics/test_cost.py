"""Cost against the number of cells: the slopes, the figure."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from fits import make_fit
from jinja2 import Template
from matplotlib.collections import LineCollection, PathCollection

from intae.benchmark.training import train
from intae.figures.cost import plot_scaling
from intae.fits import about_fit
from intae.metrics.cost import SCALING_COLUMNS, hosts, runtime_row, scaling_row, slopes

LABELS = {"ae": "Autoencoder", "slalom": "slalom", "pca": "PCA"}


def rows(method, sizes, seconds, peak_mb=100.0, *, projected=False, seed=0):
    """Rows of scaling.csv made by hand."""
    return pd.DataFrame(
        {"dataset": "d", "method": method, "seed": seed, "n_cells": sizes, "n_genes": 9,
         "seconds": seconds, "peak_mb": peak_mb, "projected": projected, "threads": 1,
         "device": "cpu", "cpu": "A Processor"}
    )  # fmt: skip


def test_a_fit_that_was_stopped_costs_what_is_projected():
    about = make_fit(np.ones((4, 2)), np.ones((3, 2)), [1, 9]).about
    assert runtime_row(about)["seconds"] == 2.0
    about |= {"projected": True, "projected_seconds": 500.0}
    assert runtime_row(about)["seconds"] == 500.0
    assert hosts([about, about]).to_dict("records") == [{"cpu": "x", "cores": "2", "n_fits": 2}]


def test_slopes_of_known_powers():
    sizes = np.array([100, 200, 400, 800])
    table = pd.concat([
        rows("ae", sizes, 0.01 * sizes**1.5, 300.0), rows("pca", sizes, 5.0, 0.5 * sizes),
    ])  # fmt: skip
    found = slopes(table).set_index(["method", "measure"])
    assert found.loc[("ae", "seconds"), "slope"] == pytest.approx(1.5)
    assert found.loc[("ae", "peak_mb"), "slope"] == pytest.approx(0)
    assert found.loc[("pca", "seconds"), "slope"] == pytest.approx(0)
    assert found.loc[("pca", "peak_mb"), "slope"] == pytest.approx(1)
    assert (found["n_sizes"] == 4).all()


def test_slope_and_its_error_are_those_of_least_squares():
    rng = np.random.default_rng(0)
    sizes = np.array([100, 300, 500, 1000, 3000])
    seconds = sizes * np.exp(rng.normal(0, 0.3, 5))
    found = slopes(rows("ae", sizes, seconds)).set_index("measure").loc["seconds"]
    (slope, _), covariance = np.polyfit(np.log(sizes), np.log(seconds), 1, cov=True)
    assert found["slope"] == pytest.approx(slope)
    assert found["standard_error"] == pytest.approx(np.sqrt(covariance[0, 0]))


def test_slopes_take_the_mean_over_seeds_and_leave_out_what_is_too_short():
    table = pd.concat([
        rows("ae", [10, 100, 1000], [0.05, 1.0, 8.0]), rows("ae", [1000], [12.0], seed=1),
        rows("pca", [10, 100], [0.01, 0.02]),
    ])  # fmt: skip
    found = slopes(table).set_index(["method", "measure"])
    assert found.loc[("ae", "seconds"), "slope"] == pytest.approx(1)  # 1 s to 10 s
    assert found.loc[("ae", "seconds"), "n_sizes"] == 2
    assert np.isnan(found.loc[("ae", "seconds"), "standard_error"])  # a line has two points
    assert ("pca", "seconds") not in found.index
    assert slopes(rows("ae", [10], [1.0])).empty


def test_a_row_says_what_a_fit_cost(simulated):
    params = {"n_dense": 1, "max_iter": 4, "budget": 1e-6}
    model, about = train(simulated, "Slalom", params, seed=222, threads=1)
    row = scaling_row(about_fit(model, about | {"dataset": "d", "method": "slalom"}))
    assert tuple(row) == SCALING_COLUMNS
    assert row["projected"] and row["seconds"] == model.projected_seconds_ > model.seconds_
    assert (row["n_cells"], row["n_terms"]) == (200, 9)
    assert row["cpu"] and row["peak_mb"] > 50


def test_figure_shows_points_slopes_and_what_is_projected():
    table = pd.concat([
        rows("ae", [1000, 2000, 4000], [1.0, 2.0, 4.0]), rows("ae", [4000], [6.0], seed=1),
        rows("slalom", [1000, 2000, 4000], [900.0, 4000.0, 16000.0], 500.0, projected=True),
        rows("pca", [1000, 2000, 4000], [0.01, 0.02, 0.03]),
    ])  # fmt: skip
    figure = plot_scaling(table, slopes(table), LABELS)
    time, memory = figure.axes
    assert time.get_xscale() == time.get_yscale() == memory.get_yscale() == "log"
    lines = {line.get_label(): line for line in time.lines}
    assert len(lines) == 3
    np.testing.assert_allclose(time.lines[0].get_xdata(), [1000, 2000, 4000])
    np.testing.assert_allclose(time.lines[0].get_ydata(), [1, 2, 5])
    points, of_memory = (
        [c for c in axis.collections if isinstance(c, PathCollection)] for axis in (time, memory)
    )
    full, hollow, _ = (dots.get_facecolors()[:, :3] for dots in points)
    assert (hollow == 1).all() and not (full == 1).all()
    assert not (of_memory[1].get_facecolors()[:, :3] == 1).all()
    drawn = [c.get_segments() for c in time.collections if isinstance(c, LineCollection)]
    spread = [segment.tolist() for segments in drawn for segment in segments]
    assert spread == [[[4000, 4], [4000, 6]]]  # of the two seeds
    notes = [text.get_text() for text in time.get_legend().get_texts()]
    assert notes[0].startswith("slalom: 2.08 ± ")
    assert notes[1].startswith("Autoencoder: 1.16 ± ")
    assert notes[2:] == ["PCA: none (too few sizes, or too short)", "hollow: projected"]
    assert "A Processor, 1 thread per fit" in time.get_title(loc="left")
    assert [t.get_text() for t in memory.get_xticklabels()] == ["1,000", "2,000", "4,000"]


def test_slopes_have_a_true_minus_and_say_where_two_sizes_are_all():
    table = pd.concat([
        rows("ae", [1000, 2000, 4000], [4.0, 2.0, 1.0]), rows("pca", [1000, 2000], [1.0, 2.0]),
    ])  # fmt: skip
    time = plot_scaling(table, slopes(table), LABELS).axes[0]
    notes = [text.get_text() for text in time.get_legend().get_texts()]
    assert notes == ["PCA: 1.00 (2 sizes)", "Autoencoder: \N{MINUS SIGN}1.00 ± 0.00"]


@pytest.mark.parametrize("projected", [True, False])
def test_the_caption_tells_of_hollow_points_where_slalom_runs(projected):
    text = (Path(__file__).parents[2] / "report/scaling.rst").read_text(encoding="utf-8")
    scaling = {"sizes": [10, 20], "seed": 0, "budget": 600}
    facts = {"scaling": scaling, "projected": projected, "dataset": "d"}
    told = SimpleNamespace(params=SimpleNamespace(facts=facts))
    caption = Template(text, trim_blocks=True).render(snakemake=told)
    assert ("Hollow (slalom): stopped by its budget (600 s)" in caption) is projected
    assert "\n\n.. raw:: html\n\n   </details>" in caption  # a directive stands after an empty line
