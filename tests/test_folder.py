"""A folder that can be trusted: what runs again, and what does not."""

import json
import os
import shutil
import subprocess
import sys

import pandas as pd
import pytest
import yaml
from workflows import said, small, snakemake, write_cells, write_config, write_sets

from intae.benchmark.cli import main
from intae.io import read_h5ad

PREPARED = "results/own/prepared.h5ad"
FIT = "results/own/pca/seed0/fit.json"


def rules_of(done):
    """Return the names of the rules that a dry run would run."""
    assert done.returncode == 0, said(done)
    table = said(done).split("Job stats:")[-1].splitlines()[3:] if "Job stats" in said(done) else []
    return {line.split()[0] for line in table[: table.index("")] if line} - {"total"}


def replace_with_older(path, write):
    """Replace a file in place; it looks older than before."""
    before = path.stat().st_mtime
    fresh = path.with_name("fresh" + path.suffix)
    write(fresh)
    path.write_bytes(fresh.read_bytes())
    fresh.unlink()
    os.utime(path, (before - 1000, before - 1000))


@pytest.fixture(scope="module")
def fetched(tmp_path_factory):
    """A run of files that lie in a mirror, beside the mirror."""
    top = tmp_path_factory.mktemp("fetched")
    folder, mirror = top / "folder", top / "mirror"
    folder.mkdir()
    mirror.mkdir()
    write_cells(mirror / "cells.h5ad")
    write_sets(mirror / "sets.gmt")
    config = write_config(folder / "mine.yaml", small())
    done = snakemake(folder, PREPARED, *config, mirror=mirror)
    assert done.returncode == 0, said(done)
    return top


@pytest.fixture
def mirrored(fetched, tmp_path):
    """A copy of that run, to be changed: its folder, its config, and the mirror."""
    top = shutil.copytree(fetched, tmp_path / "copy")
    return top / "folder", ["--configfile", str(top / "folder/mine.yaml")], top / "mirror"


def test_where_a_file_came_from_changes_nothing(mirrored, tmp_path):
    folder, config, mirror = mirrored
    for other in (mirror, None, shutil.copytree(mirror, tmp_path / "moved")):
        again = snakemake(folder, PREPARED, "--dry-run", *config, mirror=other)
        assert "Nothing to be done" in said(again), said(again)
    assert (folder / "resources/cells.h5ad").exists()


def test_a_file_of_the_mirror_that_changed_is_fetched_again(mirrored):
    folder, config, mirror = mirrored
    replace_with_older(mirror / "cells.h5ad", lambda path: write_cells(path, seed=1))
    planned = snakemake(folder, PREPARED, "--dry-run", *config, mirror=mirror)
    assert {"fetch", "load", "prepare"} == rules_of(planned)
    assert snakemake(folder, PREPARED, *config, mirror=mirror).returncode == 0
    assert (folder / "resources/cells.h5ad").read_bytes() == (mirror / "cells.h5ad").read_bytes()
    once = snakemake(folder, PREPARED, "--dry-run", *config, mirror=mirror)
    assert "Nothing to be done" in said(once)


def two_seeds(**run):
    """Return a config of two fits and a pair of halves; run: what its entry `run` says more."""
    entries = small() | {"methods": {"pca": {"seeds": [0, 1], "halves": 1, "folds": 0}}}
    return entries | {"run": entries["run"] | run}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A quick run of files of the user's, up to its fit."""
    folder = tmp_path_factory.mktemp("fitted")
    write_cells(folder / "cells.h5ad")
    write_sets(folder / "sets.gmt")
    config = write_config(folder / "mine.yaml", two_seeds(effort="quick"))
    done = snakemake(folder, FIT, *config)
    assert done.returncode == 0, said(done)
    return folder


@pytest.fixture
def quick(fitted, tmp_path):
    """A copy of that run, to be changed, and its config."""
    folder = shutil.copytree(fitted, tmp_path / "copy")
    return folder, ["--configfile", str(folder / "mine.yaml")]


def test_a_users_file_counts_by_its_content(quick):
    folder, config = quick
    dry = (PREPARED, *config, "--dry-run")
    (folder / "sets.gmt").touch()
    (folder / "cells.h5ad").touch()
    assert "Nothing to be done" in said(snakemake(folder, *dry))
    replace_with_older(folder / "sets.gmt", lambda path: write_sets(path, n_sets=2))
    assert rules_of(snakemake(folder, *dry)) == {"prepare_small"}
    replace_with_older(folder / "cells.h5ad", lambda path: write_cells(path, seed=1))
    assert rules_of(snakemake(folder, *dry)) == {"load_small", "prepare_small"}


@pytest.fixture
def mine(tmp_path):
    """A folder with data and a config, but no workflow."""
    write_cells(tmp_path / "cells.h5ad")
    write_sets(tmp_path / "sets.gmt")
    return tmp_path, write_config(tmp_path / "mine.yaml", small())


def test_a_read_only_checkout_serves_another_folder(mine, tmp_path_factory, root, monkeypatch):
    folder, config = mine
    monkeypatch.setenv("TMPDIR", str(folder / "no temporary folder"))  # nothing needs one
    checkout = tmp_path_factory.mktemp("checkout")
    copied = subprocess.run(["git", "archive", "HEAD"], cwd=root, capture_output=True, check=True)
    subprocess.run(["tar", "x", "-C", str(checkout)], input=copied.stdout, check=True)
    subprocess.run(["chmod", "-R", "a-w", str(checkout)], check=True)
    before = sorted(p for p in checkout.rglob("*") if "__pycache__" not in p.parts)
    elsewhere = ["--directory", str(folder), "-s", str(checkout / "Snakefile"), *config]
    done = snakemake(tmp_path_factory.mktemp("cwd"), "results/own/loaded.h5ad", *elsewhere)
    assert done.returncode == 0, said(done)
    assert (folder / "results/own/loaded.h5ad").exists()
    assert (folder / "results/logs/own/load.log").exists() and not (folder / "logs").exists()
    assert before == sorted(p for p in checkout.rglob("*") if "__pycache__" not in p.parts)
    subprocess.run(["chmod", "-R", "u+w", str(checkout)], check=True)  # so that pytest removes it


def test_another_workflow_uses_this_one_as_a_module(mine, root):
    folder, config = mine
    (folder / "Snakefile").write_text(
        f"""
module terms:
    snakefile: "{root}/Snakefile"
    config: config["terms"]
use rule * from terms as terms_*
rule ours:
    default_target: True
    input: "results/tables/runtime.csv"
"""
    )
    config = write_config(folder / "outer.yaml", {"terms": small()})
    done = snakemake(folder, "--dry-run", *config, snakefile=folder / "Snakefile")
    wanted = {
        "terms_load_small",
        "terms_prepare_small",
        "terms_train_and_score",
        "terms_compare_own",
        "ours",
    }
    assert wanted <= rules_of(done)
    prepared = snakemake(folder, PREPARED, *config, snakefile=folder / "Snakefile")
    assert (folder / PREPARED).exists(), said(prepared)


def test_the_catalog_of_workflows_finds_what_it_asks_for(root):
    usage = yaml.safe_load((root / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert {"mandatory-flags", "software-stack-deployment", "report"} == set(usage)
    assert (root / "Snakefile").exists() and (root / "config.yaml").exists()


def test_what_is_timed_is_fitted_again_with_other_threads(quick):
    folder, _ = quick
    more = two_seeds(effort="quick")
    more["methods"]["pca"]["threads"] = 2
    again = snakemake(folder, FIT, "--dry-run", *write_config(folder / "mine.yaml", more))
    assert rules_of(again) == {"train_and_score"}


def test_a_data_set_that_fails_does_not_stop_others_and_the_report_says_why(mine):
    folder, _ = mine
    bad = read_h5ad(folder / "cells.h5ad")
    bad.X[3] = -1
    bad.write_h5ad(folder / "bad.h5ad")
    both = small()
    both["datasets"]["bad"] = both["datasets"]["own"] | {"file": "bad.h5ad"}
    both["run"]["datasets"].append("bad")
    config = write_config(folder / "mine.yaml", both)
    done = snakemake(folder, *config)
    assert done.returncode != 0
    assert "Steps that failed: 1, listed in results/missing.csv" in said(done)
    assert len(said(done).splitlines()) < 40, said(done)
    assert (folder / "results/figures/own/accuracy.png").exists()
    missing = pd.read_csv(folder / "results/missing.csv")
    assert list(missing["dataset"]) == ["bad"] and list(missing["step"]) == ["load_small"]
    assert "X holds negative values" in missing.loc[0, "why"]
    rest = [*config, "--config", "leave_out_failed=True"]
    assert snakemake(folder, *rest).returncode == 0
    report = snakemake(folder, "--report", "report.html", *rest)
    assert report.returncode == 0, said(report)
    html = (folder / "report.html").read_text()
    assert "missing.csv" in html and "What this run left out" in html
    run = json.loads((folder / "results/run.json").read_text())
    assert run["config"]["leave_out_failed"] and set(run["files"]) == {"cells.h5ad", "sets.gmt"}
    assert all(run["files"].values()) and run["versions"]["numpy"] and run["revision"]
    again = snakemake(folder, "--dry-run", *config)
    assert {"load_small", "prepare_small", "compare_bad"} <= rules_of(again)


@pytest.fixture
def tiny_disk(tmp_path):
    """A disk of 300 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(disk)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("write", ["write_h5ad(cells, path)", "write_table(cells.to_df(), path)"])
def test_on_a_full_disk_one_line_is_said_and_earlier_outputs_stay_whole(tiny_disk, write):
    path = tiny_disk / "output"
    path.write_text("of an earlier run")
    code = (
        "import sys; from pathlib import Path; import intae\n"
        "from intae.benchmark.logs import log_to\n"
        "from intae.benchmark.tables import write_table\n"
        "from intae.io import write_h5ad\n"
        "path = Path(sys.argv[1])\n"
        "with log_to(path.with_name('step.log')):\n"
        "    cells = intae.simulate(800, 200, 20, n_active=5)\n"
        f"    {write}\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    said = (tiny_disk / "step.log").read_text(errors="replace").strip().splitlines()
    assert said[-1].startswith("Error: [Errno 28] No space left on device"), said
    assert len(said) == 1 or "h5ad" in write  # HDF5 adds its own complaints before
    assert path.read_text() == "of an earlier run"
    assert sorted(p.name for p in tiny_disk.iterdir()) == ["output", "step.log"]


def test_in_a_read_only_folder_one_line_is_said(tiny_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    code = "import sys; from intae.benchmark.logs import log_to\nwith log_to(sys.argv[1]): pass"
    command = [sys.executable, "-c", code, str(tiny_disk / "logs/step.log")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: the log cannot be written: [Errno 30] Read-only")
    assert len(done.stderr.strip().splitlines()) == 1


def test_check_says_what_the_run_will_be(mine, capsys, monkeypatch):
    folder, config = mine
    monkeypatch.chdir(folder)
    named = small(methods=("pca", "score_genes"))
    named["analyses"] = {"own": {"terms": ["SET_0"], "conditions": {"a": "first"}}}
    named["methods"]["pca"] = {"halves": 0, "folds": 2}
    write_config(folder / "mine.yaml", named)
    assert main(["check", "mine.yaml"]) == 0
    text = capsys.readouterr().out
    for line in (
        "  scale: counts",
        "  genes: 35 of the 35 in gene sets are in the data",
        "  sets: 3 of 3 kept",
        "  condition: a 30, b 30",
        "  4 fits, all counted: ",
    ):
        assert line in text, text
    assert "size_factor" not in text  # of each cell, so no label
    dry = snakemake(folder, "--dry-run", *config)
    steps = int(next(s for s in said(dry).splitlines() if s.startswith("total")).split()[1])
    assert f"{steps} steps" in text


def test_check_shows_what_loading_warns_of_and_labels_without_gene_sets(mine, capsys, monkeypatch):
    folder, _ = mine
    monkeypatch.chdir(folder)
    cells = read_h5ad("cells.h5ad")
    cells.to_df().assign(group=cells.obs["group"]).to_csv("cells.csv", sep=";")
    config = small(cells="cells.csv")
    write_config(folder / "mine.yaml", config)
    assert main(["check", "mine.yaml"]) == 0
    text = capsys.readouterr().out
    assert "  note: cells.csv: is read with semicolons between its columns" in text
    assert "  condition: a 30, b 30" in text and "  sets: 3 of 3 kept" in text
    config["gene_sets"]["own_sets"] = {"url": "https://example.org/none.gmt"}
    write_config(folder / "mine.yaml", config)
    assert main(["check", "mine.yaml"]) == 0
    text = capsys.readouterr().out
    assert "  60 cells x 40 genes; not prepared: gene sets are missing" in text, text
    assert "  condition: a 30, b 30" in text
    config["datasets"]["own"]["labels"] = {"condition": "grup"}
    write_config(folder / "mine.yaml", config)
    assert main(["check", "mine.yaml"]) == 1
    assert "no column 'grup'" in capsys.readouterr().err


def test_check_says_which_named_terms_the_data_lose(mine, capsys, monkeypatch):
    folder, _ = mine
    monkeypatch.chdir(folder)
    lossy = small() | {"analyses": {"own": {"terms": ["SET_0", "SET_9"]}}}
    lossy["datasets"]["own"] |= {"min_genes": 14, "n_hvgs": None}
    with (folder / "sets.gmt").open("a", encoding="utf-8") as file:
        file.write("SET_9\tx\tGENE0\tGENE1\n")
    write_config(folder / "mine.yaml", lossy)
    assert main(["check", "mine.yaml"]) == 0
    lost = [line for line in capsys.readouterr().out.splitlines() if "not there" in line]
    assert lost == [
        "  not there: the term SET_9, with no more than 14 genes in the data (min_genes)"
    ]


@pytest.mark.parametrize(
    ("analysis", "message"),
    [
        ({"terms": ["SET_9"]}, "there is no gene set 'SET_9'; did you mean 'SET_"),
        ({"conditions": {"c": "third"}}, "no cell has the condition 'c'"),
    ],
)
def test_check_refuses_names_that_the_data_do_not_have(
    mine, capsys, monkeypatch, analysis, message
):
    folder, _ = mine
    monkeypatch.chdir(folder)
    write_config(folder / "mine.yaml", small(methods=("pca",)) | {"analyses": {"own": analysis}})
    assert main(["check", "mine.yaml"]) == 1
    assert message in capsys.readouterr().err


def test_a_standard_run_keeps_the_fits_of_a_quick_one(quick):
    folder, config = quick
    write_config(folder / "mine.yaml", two_seeds())
    assert "Nothing to be done" in said(snakemake(folder, FIT, "--dry-run", *config))
    done = snakemake(folder, "--dry-run", *config)
    whole = said(done)
    trained = {
        line.split()[1] for line in whole.splitlines() if line.startswith("train_and_score ")
    }
    assert trained == {"1"}, whole  # the other seed
    assert {"halves", "train_and_score"} < rules_of(done)
