"""The shipped profile on a real Slurm: with accounting and without, with GPUs declared and without.

It installs Debian's packages, so it runs only if asked for: INTAE_TEST_SLURM=1, as root, with
snakemake-executor-plugin-slurm in the environment of the tests.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOG = Path(__file__).parent / "hog"
PARTS = ["Snakefile", "config.yaml", "rules", "scripts", "report", "envs", "profiles"]
LOCAL = {"join", "claims", "compare_simulated", "figures_simulated", "figures_of_the_run"}
OVER_MEMORY = "pca.seed0.train.log:memory=3000"  # the first attempt asks for 2000 MB
OVER_TIME = "autoencoder.seed0.train.log:seconds=100"  # the first attempt asks for 1 minute

if os.environ.get("INTAE_TEST_SLURM") != "1":
    pytest.skip("installs packages; INTAE_TEST_SLURM=1 runs it", allow_module_level=True)
if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
    pytest.skip("needs snakemake-executor-plugin-slurm", allow_module_level=True)

spec = importlib.util.spec_from_file_location("cluster", Path(__file__).with_name("cluster.py"))
cluster = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cluster)


@pytest.fixture(params=[(False, False), (False, True), (True, False), (True, True)], ids=[
    "plain", "gres", "accounting", "accounting+gres"
])  # fmt: skip
def running(request):
    """A cluster: its environment, whether it has accounting, whether it has GPUs."""
    accounting, gres = request.param
    reason = cluster.why_not(accounting)
    if reason:
        pytest.skip(reason)
    with cluster.cluster(accounting, gres) as env:
        yield env, accounting, gres


def run(folder, env, *arguments, hog="", timeout=900):
    """Run the workflow through the profile, as the README says, and return what it said."""
    for part in PARTS:
        source = ROOT / part
        if not (folder / part).exists():
            (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / part)
    config = ["--configfile", str(ROOT / "tests/config/cluster.yaml")]
    command = [sys.executable, "-m", "snakemake", "--profile", "profiles/slurm", *config]
    env = env | {"OMP_NUM_THREADS": "1", "INTAE_TEST_HOG": hog}
    env["PYTHONPATH"] = os.pathsep.join([str(HOG), str(ROOT)])
    done = subprocess.run(
        [*command, *arguments], cwd=folder, env=env, text=True, timeout=timeout, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    (folder / "said.txt").write_text(done.stdout)
    return done


def submitted(folder, env, said):
    """Return rule -> how Slurm was asked, a dict for each submission, in their order."""
    found = {}
    for rule, job in re.findall(r"slurmid|rule_(\w+?)/\S*?(\d+)\.log\)", said):
        found.setdefault(rule, []).append(job)
    return found


def asked(env, job):
    """Return what Slurm knows of a job that ended a while ago."""
    done = subprocess.run(
        ["scontrol", "show", "job", job], env=env, capture_output=True, text=True, check=True
    )
    return dict(field.split("=", 1) for field in done.stdout.split() if "=" in field)


def test_the_profile_runs_to_the_end(running, tmp_path):
    env, _, gres = running
    gpus = ["--config", "cluster_gpus=gres" if gres else "cluster_gpus=none"]
    done = run(tmp_path, env, *gpus)
    assert done.returncode == 0, done.stdout[-5000:]
    assert (tmp_path / "results/paper.html").exists()
    jobs = submitted(tmp_path, env, done.stdout)
    assert not LOCAL & set(jobs)
    assert {"train", "score", "halves", "folds", "sweep_point"} <= set(jobs)
