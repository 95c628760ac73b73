"""Sweeps over parameters: the points, the fits, what is said of them, the figure."""

import copy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from fits import LONG

import intae
from intae.autoencoder.lambdas import absolute_penalties, size_weights
from intae.benchmark.expand import points_of
from intae.benchmark.plan import Benchmark
from intae.benchmark.refits import SWEEP_COLUMNS
from intae.errors import ConfigError
from intae.figures.sweep import plot_sweep

PAPER = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())


def test_points_are_the_product_and_what_is_given_each_once():
    grid = {"a": [1, 2], "b": ["x", "y"]}
    points = points_of({"grid": grid, "points": [{"c": 3.0}, {"a": 2, "b": "x"}]})
    assert points == [
        {"a": 1, "b": "x"}, {"a": 1, "b": "y"}, {"a": 2, "b": "x"}, {"a": 2, "b": "y"}, {"c": 3.0},
    ]  # fmt: skip
    assert points_of({"grid": {}, "points": []}) == []


def with_sweep(**entry):
    config = copy.deepcopy(PAPER)
    config["sweep"] = {
        "s": {"datasets": ["simulated"], "method": "autoencoder_exact", "grid": {"tol": [0.1]}}
        | entry
    }
    return config


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"datasets": ["simulatd"]}, "sweep: s: there is no data set 'simulatd'; did you mean"),
        ({"datasets": []}, "sweep: s: datasets"),
        ({"method": "autoencoder_exat"}, "there is no method 'autoencoder_exat'; did you mean"),
        ({"method": "slalom"}, "Slalom cannot infer the loadings"),
        ({"grid": {"lamda1": [1]}}, "Autoencoder has no parameter 'lamda1' to sweep over; did you"),
        ({"grid": {"seed": [1]}}, "no parameter 'seed'"),
        ({"grid": {}, "points": [{"lambda9": 1}]}, "no parameter 'lambda9'"),
        ({"method": "fsclvm", "grid": {"fraction1": [0.1]}}, "FSCLVM has no parameter 'fraction1'"),
        ({"grid": {}}, "names no values; give a grid: or points:"),
        ({"grid": {"tol": []}}, "sweep: s: grid: tol"),
        ({"grid": {"fraction1": [0]}}, "fraction1: must be a number above 0, not 0"),
        ({"grid": {"weighting": ["a/b"]}}, "'a/b' cannot stand in a file name"),
        ({"grid": {"fraction1": [0.1], "lambda1": [1]}}, "fraction1 and lambda1 are the same"),
        ({"held_out": "donor"}, "'donor' is unknown; did you mean 'donors'"),
        ({"datasets": ["buettner15"], "held_out": "donors"}, "'buettner15' has no label donor"),
        ({"values": {}}, "sweep: s: unknown key 'values'"),
    ],
)
def test_mistakes_are_named_before_any_job(entry, message):
    with pytest.raises(ConfigError) as error:
        Benchmark(with_sweep(**entry))
    assert message in str(error.value)


def test_a_sweep_runs_where_its_method_does():
    config = with_sweep(datasets=["simulated", "kang17"])
    config["exclude"].append({"dataset": "kang17", "method": "autoencoder_exact"})
    benchmark = Benchmark(config)
    assert benchmark.sweeps_of("simulated") == ["s"]
    assert benchmark.sweeps_of("kang17") == benchmark.sweeps_of("buettner15") == []
    assert benchmark.kind_of_point("s", {"tol": 0.1}) == "grid"
    assert benchmark.kind_of_point("s", {"lambda1": 0.1}) == "point"


def test_parts_leave_out_ablations_and_excluded_pairs():
    config = copy.deepcopy(PAPER)
    config["methods"]["pca"]["role"] = "ablation"
    config["analyses"]["simulated"] = {"scaling": {"sizes": [100, 200]}}
    config["analyses"]["buettner15"] = {"scaling": {"sizes": [90], "methods": ["pca", "slalom"]}}
    config["exclude"].append({"dataset": "simulated", "method": "slalom"})
    benchmark = Benchmark(config)
    shown = {m for m, entry in PAPER["methods"].items() if entry.get("role") != "ablation"}
    assert len(shown) < len(PAPER["methods"])
    assert {m for m, _ in benchmark.parts_of("simulated")} == shown - {"pca", "slalom"}
    assert {n for _, n in benchmark.parts_of("simulated")} == {100, 200}
    assert set(benchmark.parts_of("buettner15")) == {("slalom", 90), ("pca", 90)}
    assert benchmark.parts_of("macosko15") == []
    config["analyses"]["buettner15"]["scaling"]["methods"] = ["pcb"]
    with pytest.raises(ConfigError, match="there is no method 'pcb'; did you mean 'pca'"):
        Benchmark(config)


def test_fractions_are_shares_of_the_largest(simulated):
    params = absolute_penalties(simulated, {}, fraction1=0.2, fraction3=0.1)
    model = intae.Autoencoder(**params).fit(simulated)
    lambdas = model.lambdas_
    assert lambdas["lambda1"] == pytest.approx(0.2 * lambdas["lambda1_max"])
    assert lambdas["lambda2"] == lambdas["lambda1"]
    assert lambdas["lambda3"] == pytest.approx(0.1 * lambdas["lambda3_max"])
    own = intae.Autoencoder().fit(simulated).lambdas_  # the same groups' weights as by default
    assert lambdas["lambda3_max"] == pytest.approx(own["lambda3_max"])
    annotations = np.asarray(simulated.varm["annotations"], float)
    np.testing.assert_allclose(model.group_weights_, size_weights(annotations, len(model.terms_)))


@pytest.mark.parametrize(
    ("params", "fractions", "weighting"),
    [
        ({"solver": "adam"}, {"fraction1": 0.2}, "paper"),
        ({"lambda3": 0.5}, {"fraction1": 0.2}, "paper"),
        ({"lambda3": 0.5}, {"fraction3": 0.2}, "sqrt-size"),
        ({"weighting": "paper"}, {"fraction3": 0.2}, "paper"),
        ({"lambda0": 0.4}, {"fraction3": 0.2}, "sqrt-size"),
    ],
)
def test_fractions_keep_what_the_method_says(simulated, params, fractions, weighting):
    found = absolute_penalties(simulated, params, **fractions)
    assert found["weighting"] == weighting
    model = intae.Autoencoder(**found | {"epochs": 1}).fit(simulated)
    (name, share), = fractions.items()  # fmt: skip
    number = name[-1]
    largest = model.lambdas_[f"lambda{number}_max"]
    assert model.lambdas_[f"lambda{number}"] == pytest.approx(share * largest)
    if name == "fraction1" and "lambda3" in params:
        assert model.lambdas_["lambda3"] == 0.5


def test_no_fraction_changes_nothing(simulated):
    assert absolute_penalties(simulated, {"lambda1": 0.3}) == {"lambda1": 0.3}


def sweep_table(points, default):
    """Rows of sweep.csv made by hand: point -> (kind, best term), values that count upwards."""
    rows = []
    for i, (point, kind, term) in enumerate([(default, "default", LONG), *points]):
        values = {
            name: 0.1 + i / 100 for name in SWEEP_COLUMNS if name not in ("best_term", "converged")
        }
        name = "default" if kind == "default" else ", ".join(f"{k} {v}" for k, v in point.items())
        rows.append(
            {"dataset": "d", "sweep": "s", "kind": kind, "point": name, "best_term": term}
            | values | {"n_cells": 75, "n_held_out": 25, "n_active": i} | point
        )  # fmt: skip
    return pd.DataFrame(rows)


def test_figure_shows_grid_points_and_default():
    grid = {"fraction1": [0.1, 0.2], "fraction3": [0.3, 0.6]}
    points = [
        ({"fraction1": a, "fraction3": b}, "grid", LONG if (a, b) == (0.2, 0.6) else "OTHER")
        for a in (0.1, 0.2) for b in (0.3, 0.6)
    ]  # fmt: skip
    points.append(({"lambda1": 0.93}, "point", "OTHER"))
    table = sweep_table(points, {"fraction1": 0.2000001, "fraction3": 0.3})
    figure = plot_sweep(table, grid, "Autoencoder")
    active = next(a for a in figure.axes if a.get_title(loc="left") == "active gene sets")
    assert [t.get_text() for t in active.texts] == ["1", "2", "3", "4"]  # down the rows
    assert [t.get_text() for t in active.get_xticklabels()] == ["0.3", "0.6"]
    frames = [p for p in active.patches if p.get_width() == 1]
    assert [frame.get_xy() for frame in frames] == [(0, 1)]  # fraction1 0.2, fraction3 0.3
    strip = figure.axes[4]  # below the second panel of three
    assert [t.get_text() for t in strip.texts] == ["0", "5"]
    names = [t.get_text() for t in figure.axes[3].get_yticklabels()]
    assert names == ["default", "lambda1 0.93"]
    best = next(a for a in figure.axes if "best term" in a.get_title(loc="left"))
    assert [t.get_text()[-1] for t in best.texts] == ["a", "a", "a", "b"]  # the most frequent is a
    legend = [t.get_text().replace("\n", " ") for t in figure.legends[0].get_texts()]
    assert legend == ["a:  OTHER", f"b:  {LONG.replace('_', ' ')}"]


def test_figure_of_three_parameters_of_one_and_of_none():
    grid = {"weighting": ["paper", "sqrt-size"], "n_dense": [0, 1], "tol": [0.1, 0.01, 0.001]}
    points = [
        ({"weighting": w, "n_dense": n, "tol": t}, "grid", np.nan)
        for w in grid["weighting"] for n in grid["n_dense"] for t in grid["tol"]
    ]  # fmt: skip
    figure = plot_sweep(
        sweep_table(points, {"weighting": "auto", "n_dense": 0, "tol": 1e-4}), grid, "x"
    )
    first = figure.axes[0]
    assert [t.get_text() for t in first.get_yticklabels()][3] == "weighting sqrt-size\nn_dense 1"
    assert len(first.texts) == 12 and not [p for p in first.patches if p.get_width() == 1]

    one = plot_sweep(
        sweep_table([({"tol": 0.1}, "grid", np.nan)], {"tol": 0.1}), {"tol": [0.1]}, "x"
    )
    assert len(one.axes[0].texts) == 1
    none = plot_sweep(sweep_table([({"tol": 0.1}, "point", np.nan)], {"tol": 0.2}), {}, "x")
    assert [t.get_text() for t in none.axes[0].get_yticklabels()] == ["default", "tol 0.1"]
