"""The shipped profile on a real Slurm: with accounting and without, with GPUs declared and without.

It installs Debian's packages, so it runs only if asked for: INTAE_TEST_SLURM=1, as root, with
snakemake-executor-plugin-slurm in the environment of the tests.
"""

import importlib.util
import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from anndata import AnnData
from scipy import sparse

import intae
from intae.benchmark.logs import ended_by_slurm
from intae.benchmark.runs import compare_runs

ROOT = Path(__file__).parents[2]
PARTS = ["Snakefile", "config.yaml", "rules", "scripts", "report", "envs", "profiles"]
# Of so few cells only fits go through the queue.
QUEUED = ["folds", "halves", "sweep_default", "sweep_point", "train", "train_and_score"]
# The first attempt of the one asks for 2000 MB, of the other for 1 minute; both take the same at
# each attempt, so that only more of it helps.
HOG = "autoencoder.seed0.train.log:memory=3000 pca.seed0.train.log:seconds=85"

if os.environ.get("INTAE_TEST_SLURM") != "1":
    pytest.skip("installs packages; INTAE_TEST_SLURM=1 runs it", allow_module_level=True)
if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
    pytest.skip("needs snakemake-executor-plugin-slurm", allow_module_level=True)

spec = importlib.util.spec_from_file_location("cluster", Path(__file__).with_name("cluster.py"))
cluster = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cluster)


def run(folder, env, *arguments, hog=HOG, meanwhile=lambda run: None):
    """Run the workflow through the profile, as the README says; return what it says."""
    for part in PARTS:
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / part)
    config = ["--configfile", str(ROOT / "tests/config/cluster.yaml")]
    command = [sys.executable, "-m", "snakemake", "--profile", "profiles/slurm", *config]
    env = env | {"INTAE_TEST_HOG": hog, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    env["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent / "hog"), str(ROOT)])
    with (folder / "said.txt").open("w", encoding="utf-8") as said:
        started = subprocess.Popen(
            [*command, *arguments], cwd=folder, env=env, stdout=said, stderr=subprocess.STDOUT
        )
    try:
        meanwhile(started)
        started.wait(900)
    finally:
        started.kill()
    said = (folder / "said.txt").read_text(encoding="utf-8")
    return subprocess.CompletedProcess(started.args, started.returncode, said)


def attempts(folder, rule, method):
    """Return what each attempt of a step asked for, in their order: resource -> amount.

    From Snakemake's own log, which has more than the console; what a failed job said in its own
    run, where it is number 0, stands there as well.
    """
    (log,) = (folder / ".snakemake/log").glob("*.log")
    blocks = re.findall(
        rf"^rule {rule}:\n(?:    .*\n)*?    jobid: [1-9].*\n"
        rf"(?:    .*\n)*?    wildcards: .*\bmethod={method}\b.*\n"
        r"(?:    .*\n)*?    resources: (.*)",
        log.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    return [dict(field.split("=", 1) for field in block.split(", ")) for block in blocks]


@pytest.mark.parametrize(
    ("accounting", "gpus", "switch"),
    [(False, False, "none"), (False, True, "gpu"), (True, False, "none"), (True, True, "gres")],
    ids=["plain", "gpu", "accounting", "accounting+gres"],
)
def test_the_profile_runs_to_the_end(tmp_path, accounting, gpus, switch):
    reason = cluster.why_not(accounting)
    if reason:
        pytest.skip(reason)
    with cluster.cluster(accounting, gpus) as daemons:
        done = run(tmp_path, daemons.env, "--config", f"cluster_gpus={switch}")
    assert done.returncode == 0, done.stdout[-5000:]
    check(tmp_path, done.stdout, switch)


def check(folder, said, switch):
    """Hold what a run said against what it must have done."""
    assert (folder / "results/figures/simulated/terms.html").exists()

    submitted = re.findall(r"slurm_logs/rule_(\w+)/\S*\.log\)\.", said)
    tried_again = len(re.findall("SLURM status is: '", said))
    assert len(submitted) == len(QUEUED) + tried_again and set(submitted) == set(QUEUED)

    memory = [int(asked["mem_mb"]) for asked in attempts(folder, "train", "autoencoder")]
    assert len(memory) == 2 and memory[1] == pytest.approx(2 * memory[0], abs=1)
    # where control groups watch the memory, the status is OUT_OF_MEMORY
    assert len(re.findall(r"SLURM status is: '(?:FAILED|OUT_OF_MEMORY)'", said)) == 1
    minutes = [int(asked["runtime"]) for asked in attempts(folder, "train_and_score", "pca")]
    assert minutes in ([1, 2], [1, 2, 4])
    assert said.count("SLURM status is: 'TIMEOUT'") == len(minutes) - 1
    reasons = ended_by_slurm(folder / ".snakemake/slurm_logs", since=0)
    over = [re.search("over its (.*):", reason)[1] for reason in reasons]
    assert sorted(over) == ["memory"] + ["time"] * (len(minutes) - 1)

    wanted = {"none": ("0", None), "gpu": ("1", None), "gres": ("0", "gpu:1")}[switch]
    for rule in ("train", "halves", "folds"):
        asked_for = attempts(folder, rule, "autoencoder")
        assert asked_for
        for asked in asked_for:
            assert (asked["gpu"], asked.get("gres")) == wanted


def test_a_run_that_fails_says_what_slurm_ended_and_why(tmp_path):
    reason = cluster.why_not()
    if reason:
        pytest.skip(reason)
    small = tmp_path / "small.yaml"
    small.write_text("methods: {pca: {mem_mb: 300}}", encoding="utf-8")
    with cluster.cluster() as daemons:
        done = run(  # a second --configfile is laid over the first
            tmp_path, daemons.env, str(small), "--", "results/tables/runtime.csv",
            hog="pca.seed0.train.log:memory=2000",
        )  # fmt: skip
    assert done.returncode != 0
    memory = [int(asked["mem_mb"]) for asked in attempts(tmp_path, "train_and_score", "pca")]
    assert memory == [300, 600, 1200]
    end = done.stdout[done.stdout.rindex("Error in rule train") :]
    assert len(re.findall(r"^Slurm ended job \d+, over its memory: ", end, re.MULTILINE)) == 3


def test_daemons_killed_at_random_moments_change_no_table(tmp_path):
    """The controller is killed twice and the node's daemon once, beside jobs that run.

    The node's is the last: a job that ended moments before its controller was killed counts as
    running until the node registers again, which is then at once, but else takes half an hour.
    """
    reason = cluster.why_not()
    if reason:
        pytest.skip(reason)
    rng, kills = random.SystemRandom(), []
    for name in ("undisturbed", "disturbed"):
        (tmp_path / name).mkdir()

    def kill(started):
        for daemon in ("slurmctld", "slurmctld", "slurmd"):
            said = tmp_path / "disturbed/said.txt"
            while started.poll() is None and "SLURM jobid" not in said.read_text():
                time.sleep(1)
            time.sleep(rng.uniform(5, 25))
            if started.poll() is None:
                kills.append((daemon, round(time.monotonic() - began)))
                daemons.kill_and_restart(daemon, seconds=rng.uniform(1, 15))

    with cluster.cluster() as daemons:
        done = run(tmp_path / "undisturbed", daemons.env, hog="")
        assert done.returncode == 0, done.stdout[-5000:]
        began = time.monotonic()
        done = run(tmp_path / "disturbed", daemons.env, hog="", meanwhile=kill)
    assert done.returncode == 0, done.stdout[-5000:]
    assert len(kills) == 3, kills
    lines, differ = compare_runs(*(tmp_path / n / "results" for n in ("undisturbed", "disturbed")))
    assert not differ, (kills, lines)


WORKERS = """
import sys
from dask_jobqueue import SLURMCluster

if __name__ == "__main__":
    cluster = SLURMCluster(cores=1, memory="2GB", walltime="00:20:00", log_directory=sys.argv[1])
    cluster.scale(jobs=2)
    print(cluster.scheduler_address, flush=True)
    sys.stdin.read()  # until the test has ended
"""


def test_chunks_of_cells_go_to_workers_of_dask_that_slurm_started(tmp_path):
    """As docs/large_data.md says; the weights are those of cells in memory."""
    pytest.importorskip("dask_jobqueue")
    reason = cluster.why_not()
    if reason:
        pytest.skip(reason)
    cells = intae.simulate(300, 60, 6, n_active=3, seed=0)
    sets = {f"SET{k}": cells.var_names[10 * k : 10 * k + 15] for k in range(5)}
    lines = [f"{name}\t\t" + "\t".join(genes) for name, genes in sets.items()]
    (tmp_path / "sets.gmt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    cells.X = np.random.default_rng(0).poisson(np.exp(cells.X - cells.X.mean())).astype(np.float32)
    AnnData(sparse.csr_matrix(cells.X), cells.obs[[]], cells.var[[]]).write_h5ad(
        tmp_path / "cells.h5ad"
    )
    (tmp_path / "workers.py").write_text(WORKERS, encoding="utf-8")
    entry = {"source": "file", "file": "cells.h5ad", "gene_sets": ["mine"], "min_genes": 4}
    config = {
        "run": {"datasets": ["mine"], "methods": ["autoencoder_exact"]},
        "gene_sets": {"mine": {"file": "sets.gmt"}},
    }
    weights = []
    with cluster.cluster() as daemons:
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        env = daemons.env | {"PYTHONPATH": path}
        workers = subprocess.Popen(
            [sys.executable, "workers.py", "logs_of_workers"], cwd=tmp_path, env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        address = workers.stdout.readline().strip()
        for name, more in (("memory", {}), ("dask", {"dask": address})):
            own = entry | {"chunked": bool(more)}
            (tmp_path / f"{name}.yaml").write_text(
                yaml.safe_dump(config | more | {"results": name, "datasets": {"mine": own}})
            )
            model = f"{name}/mine/autoencoder_exact/seed0/model.h5"
            subprocess.run(
                [
                    sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"),
                    model, "--cores", "1", "--configfile", str(ROOT / "config.yaml"),
                    f"{name}.yaml",
                ],
                cwd=tmp_path, env=env, check=True,
            )  # fmt: skip
            weights.append(intae.load(tmp_path / model).weights_.to_numpy())
        workers.communicate("")
    for step in ("prepare", "autoencoder_exact.seed0.train"):
        assert f"Dask at {address}" in (tmp_path / f"dask/logs/mine/{step}.log").read_text()
    np.testing.assert_allclose(*weights, atol=1e-10)
