"""A run that is killed at random moments, all its processes, and started again ends the same.

INTAE_TEST_KILLS=20 says how many times; minutes.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
from workflows import ROOT, said, snakemake, write_config

from intae.benchmark.runs import compare_runs

KILLS = int(os.environ.get("INTAE_TEST_KILLS", 0))
CONFIG = {
    "run": {"datasets": ["simulated"], "methods": ["pca", "score_genes"]},
    "datasets": {
        "simulated": {"params": {"n_cells": 300, "n_genes": 60, "n_terms": 6, "n_active": 3}}
    },
}


@pytest.mark.skipif(not KILLS, reason="INTAE_TEST_KILLS says how many kills; they take minutes")
def test_killed_at_random_moments_and_started_again_it_ends_the_same(tmp_path):
    config = write_config(tmp_path / "mine.yaml", CONFIG)
    began = time.monotonic()
    done = snakemake(tmp_path, *config)
    assert done.returncode == 0, said(done)
    whole = time.monotonic() - began
    shutil.move(tmp_path / "results", tmp_path / "undisturbed")
    shutil.rmtree(tmp_path / ".snakemake")
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--cores", "2"]
    rng, killed, finished = random.Random(0), 0, 0
    while killed < KILLS:
        run = subprocess.Popen(
            [*command, *config], cwd=tmp_path, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            run.wait(rng.uniform(0.02, 0.3) * whole)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
            killed += 1
        else:
            assert run.returncode == 0
            ends_the_same(tmp_path)
            finished += 1
            shutil.rmtree(tmp_path / "results")  # killed once more from its start
            shutil.rmtree(tmp_path / ".snakemake")
        if (tmp_path / ".snakemake").exists():
            unlocked = snakemake(tmp_path, *config, "--unlock")
            assert unlocked.returncode == 0, said(unlocked)
    done = snakemake(tmp_path, *config)
    assert done.returncode == 0, said(done)
    ends_the_same(tmp_path)
    print(f"{killed} kills, {finished + 1} runs to the end, each of {whole:.0f} s undisturbed")


def ends_the_same(folder):
    """Assert that tables are those of the undisturbed run but for times, and nothing is left."""
    results = folder / "results"
    lines, differ = compare_runs(folder / "undisturbed", results)
    assert not differ, "\n".join(lines)
    here, there = (
        {path.relative_to(top) for path in top.rglob("*") if path.is_file()}
        for top in (results, folder / "undisturbed")
    )
    assert here == there, here ^ there
