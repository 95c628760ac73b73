"""What every step does: its log, its errors, and the machine that it says it ran on."""

import importlib
import logging
import os
import subprocess
import sys

import pytest

from intae.benchmark import host
from intae.benchmark.logs import ended_by_slurm, log_to
from intae.errors import ConfigError, IntaeError


def run(path, error):
    with pytest.raises(SystemExit), log_to(path):
        logging.info("at work")
        print("said")
        raise error
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "error", [IntaeError("no gene matches"), ConfigError("no gene matches"), OSError("no room")]
)
def test_what_a_user_can_fix_is_told_in_one_sentence(tmp_path, error):
    text = run(tmp_path / "folder/step.log", error)
    assert text.splitlines()[-1] == f"Error: {error}"
    assert "Traceback" not in text and "at work" in text and "said" in text


@pytest.mark.parametrize("error", [ValueError("shapes differ"), KeyError("x"), TypeError("y")])
def test_a_fault_of_the_program_keeps_its_traceback(tmp_path, error):
    text = run(tmp_path / "step.log", error)
    assert "Traceback" in text and "in run" in text
    assert type(error).__name__ in text.splitlines()[-1]


def test_the_host_is_described_where_there_is_no_module_resource(monkeypatch):
    monkeypatch.setitem(sys.modules, "resource", None)  # as on Windows
    again = importlib.reload(host)
    assert again.peak_memory_mb() > 1
    described = again.describe_host()
    assert float(described["memory_gb"]) > 0 and int(described["cores"]) >= 1


def test_a_file_is_fetched_where_the_models_cannot_be_imported(root):
    code = (
        "import sys; "
        "sys.modules.update(dict.fromkeys(['torch', 'anndata', 'scanpy', 'sklearn'])); "
        "import intae.benchmark.logs, intae.sources.downloads"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def test_steps_leave_out_what_is_imported_in_vain(root):
    pytest.importorskip("dask.array")
    code = (
        "import sys; sys.path.insert(0, 'scripts'); import _step, intae; intae.Autoencoder\n"
        "import intae.benchmark.score, intae.benchmark.training, intae.benchmark.compare\n"
        "assert {'anndata', 'sklearn.linear_model'} <= set(sys.modules)\n"
        "found = {'dask', 'xarray', 'zarr', 'scipy.stats'} & set(sys.modules)\n"
        "assert not found, f'imported: {found}'\n"
        # whoever needs them later has them
        "import dask.array; assert dask.array.ones(3).sum().compute() == 3\n"
        "import scipy.stats, zarr; assert scipy.stats.norm.cdf(0) == 0.5\n"
        "assert zarr.__spec__ and zarr.Group.__module__.startswith('zarr')\n"
        "import pandas as pd; assert list(pd.Index(['a']).astype('string')) == ['a']\n"
        # and what was imported meanwhile calls them
        "from sklearn.metrics import label_ranking_average_precision_score as score\n"
        "assert score([[1, 0, 0]], [[0.75, 0.5, 1]]) == 0.5"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def test_a_job_of_slurm_that_is_told_to_end_says_so(tmp_path):
    path = tmp_path / "step.log"
    code = (
        "import os, signal; from intae.benchmark.logs import log_to\n"
        f"with log_to({str(path)!r}, {{'mem_mb': 2000, 'runtime': 30}}):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)"
    )
    environment = os.environ | {"SLURM_JOB_ID": "7"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert done.returncode == 143
    first, last = path.read_text().splitlines()
    assert first == "In job 7 of Slurm, which allows 2000 MB and 30 min"
    assert last.startswith("Error: told to end (SIGTERM) after 0 s: at its limit (Slurm allows 20")


def test_elsewhere_the_log_says_nothing_of_slurm(tmp_path, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with log_to(tmp_path / "step.log", {"mem_mb": 2000, "runtime": 30}):
        pass
    assert (tmp_path / "step.log").read_text() == ""


@pytest.mark.parametrize(
    ("line", "over"),
    [
        ("slurmstepd-n1: error: StepId=4.0 exceeded memory limit (3 > 2), being killed", "memory"),
        ("slurmstepd: error: Detected 1 oom_kill event in StepId=4.0.", "memory"),
        ("srun: error: n1: task 0: Out Of Memory", "memory"),
        (
            "slurmstepd: error: *** JOB 4 ON n1 CANCELLED AT 1:00 DUE TO TIME LIMIT ***",
            "time",
        ),
        ("Error: no gene matches", None),
    ],
)
def test_a_failed_run_says_what_slurm_ended_and_why(tmp_path, line, over):
    path = tmp_path / "rule_train/kang17_pca_0/4.log"
    path.parent.mkdir(parents=True)
    path.write_text(f"rule train:\n{line}\n", encoding="utf-8")
    said = ended_by_slurm(tmp_path, since=0)
    assert said == ([f"Slurm ended job 4, over its {over}: {path}"] if over else [])
    assert ended_by_slurm(tmp_path, since=path.stat().st_mtime + 10) == []
