"""What steps ask a cluster for, and what the profiles say."""

import re

import pytest
import yaml

from intae.benchmark.config import DEFAULTS, load_config
from intae.benchmark.plan import Benchmark
from intae.benchmark.requests import (
    FEW_MB,
    STEPS,
    fit_request,
    fits_quickly,
    gpu_request,
    is_quick,
    loads_quickly,
)

FITS = ("train", "train_and_score", "halves", "folds", "part", "sweep_default", "sweep_point")


@pytest.fixture
def benchmark(root, monkeypatch):
    monkeypatch.delenv("INTAE_MIRROR", raising=False)
    return Benchmark(yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8")))


def profile(root, name):
    text = (root / "profiles" / name / "config.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def test_requests_follow_the_data_and_double_with_each_attempt(benchmark):
    entry = benchmark.method("pca")
    small, large = fit_request(entry, 0.1, 1), fit_request(entry, 100, 1)
    assert small["mem_mb"] < 2500 and small["runtime"] <= 90
    assert large["mem_mb"] > 2 * small["mem_mb"] and large["runtime"] > 2 * small["runtime"]
    third = fit_request(entry, 100, 3)
    assert third == {name: 4 * value for name, value in large.items()}
    assert all(type(value) is int for value in fit_request(entry, 0.123, 2).values())
    for step in STEPS.values():
        assert step.memory(1, 2) == pytest.approx(2 * step.memory(1, 1), abs=1)
        assert step.runtime(1, 2) == pytest.approx(2 * step.runtime(1, 1), abs=1)


def test_large_files_which_are_read_in_chunks_ask_for_little_more():
    for step in STEPS.values():
        assert step.memory(4000, 1) < 35_000  # four gigabytes: a million cells
        assert step.memory(251, 1) - step.memory(250, 1) == 4
        assert step.memory(250, 1) > step.memory(249, 1)


def test_what_the_config_asks_for_a_method_comes_first(benchmark):
    entry = benchmark.method("pca") | {"mem_mb": 500, "runtime": 3}
    assert fit_request(entry, 1000, 1) == {"mem_mb": 500, "runtime": 3}
    assert fit_request(entry, 1000, 2) == {"mem_mb": 1000, "runtime": 6}


@pytest.mark.parametrize(
    ("switch", "asked"),
    [
        ("none", {"gpu": 0, "gres": None}),
        ("gpu", {"gpu": 1, "gres": None}),
        ("gres", {"gpu": 0, "gres": "gpu:1"}),
    ],
)
def test_networks_ask_a_cluster_for_a_gpu_only_if_the_config_says_so(benchmark, switch, asked):
    network, other = benchmark.method("autoencoder"), benchmark.method("autoencoder_exact")
    assert gpu_request(network, switch, local=False) == asked
    assert gpu_request(other, switch, local=False) == {"gpu": 0, "gres": None}
    # on this machine, the limit of the default profile counts networks
    assert gpu_request(network, switch, local=True) == {"gpu": 1, "gres": None}
    assert gpu_request(other, switch, local=True) == {"gpu": 0, "gres": None}


def test_gpus_are_off_unless_the_config_says_so(benchmark):
    assert benchmark.config["cluster_gpus"] == "none"


def test_all_fits_ask_in_the_same_way(root):
    text = (root / "rules/fit.smk").read_text(encoding="utf-8")
    rules = text.split("\nrule ")[1:]
    asking = {rule.split(":")[0] for rule in rules if "**asked_of_fit(" in rule}
    inheriting = {
        child for parent, child in re.findall(r"use rule (\w+) as (\w+)", text) if parent in asking
    }
    assert asking | inheriting == set(FITS)
    assert "gpu=" not in text


def test_only_what_is_known_to_fit_quickly_is_scored_in_the_same_step(benchmark):
    quick = {name for name in benchmark.config["methods"] if fits_quickly(benchmark.method(name))}
    assert {"autoencoder_exact", "fsclvm_annotation", "plier", "ulm", "pca"} <= quick
    assert not quick & {"autoencoder", "autoencoder_masked", "fsclvm", "slalom"}
    entry = benchmark.method("ulm")
    assert not fits_quickly(entry | {"params": {"method": "ucell"}})  # of another package
    assert not fits_quickly(entry | {"model": "theirs:Model"})  # nothing is known of it


def test_few_known_cells_are_too_little_to_queue_for(benchmark):
    assert is_quick(benchmark, "simulated") and is_quick(benchmark, "planted")
    assert not is_quick(benchmark, "kang17")  # 13,500 cells
    assert not is_quick(benchmark, "macosko15")  # whose number the config does not say
    # they take the cells of kang17
    assert not is_quick(benchmark, "implanted_groups") and not is_quick(benchmark, "corrupted")


def test_small_files_of_the_user_are_too_little_to_queue_for(tmp_path):
    cells, sets = tmp_path / "cells.h5ad", tmp_path / "sets.gmt"
    cells.touch()
    sets.write_text("A\t\tx\ty\n", encoding="utf-8")
    own = {"source": "file", "file": str(cells), "gene_sets": ["own"]}
    config = {
        "run": {"datasets": ["own", "part"]},
        "gene_sets": {"own": {"file": str(sets)}},
        "datasets": {"own": own, "part": own | {"subset": {"n_cells": 100}}},
    }
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")

    def small():
        benchmark = Benchmark(load_config([DEFAULTS, path]))
        return [f(benchmark, d) for d in ("own", "part") for f in (is_quick, loads_quickly)]

    assert small() == [True] * 4
    with cells.open("r+b") as file:
        file.truncate(int(FEW_MB * 1e6) + 1)
    # of the part, all cells are loaded first
    assert small() == [False, False, True, False]


def test_the_default_profile_trains_one_network_at_a_time(root):
    assert profile(root, "default")["resources"] == ["gpu=1"]


def test_the_slurm_profile_works_without_accounting_and_tries_again(root):
    options = profile(root, "slurm")
    assert options["slurm-status-command"] == "squeue"
    assert options["retries"] >= 2
    assert "config" not in options  # GPUs are off
    # the limit of profiles/default, which comes on top, is for one machine
    assert options["set-resource-scopes"] == ["gpu=local"]
    assert options["local-cores"] == 2
