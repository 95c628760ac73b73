"""What a run was made with and what it lacks; two runs told apart."""

import json
import shutil

import pandas as pd
import pytest

from intae.benchmark.cli import main
from intae.benchmark.config import DEFAULTS, load_config
from intae.benchmark.plan import Benchmark
from intae.benchmark.runs import MISSING, compare_runs, read_missing, write_missing, write_run
from intae.errors import ConfigError, IntaeError


@pytest.fixture
def runs(tmp_path):
    """Two runs that are the same."""
    for name in ("a", "b"):
        (tmp_path / name / "tables").mkdir(parents=True)
        table = pd.DataFrame(
            {"dataset": "d", "method": ["pca", "pca", "ulm"], "seed": [0, 1, 0],
             "r": [0.1, 0.2, None], "seconds": [1.0, 2.0, 3.0]}
        )  # fmt: skip
        table.to_csv(tmp_path / name / "tables/agreement.csv", index=False)
        write_run({"config": {"run": {"seed": 1}}, "revision": "abc"}, tmp_path / name / "run.json")
    return tmp_path / "a", tmp_path / "b"


def change(run, **values):
    path = run / "tables/agreement.csv"
    table = pd.read_csv(path)
    for column, value in values.items():
        table.loc[1, column] = value
    table.to_csv(path, index=False)


def test_the_same_is_the_same(runs, capsys):
    assert compare_runs(*runs) == ([], False)
    assert main(["compare", *map(str, runs)]) == 0
    assert capsys.readouterr().out == "no difference\n"


def test_times_are_told_and_count_for_nothing(runs):
    change(runs[1], seconds=2.5)
    lines, differ = compare_runs(*runs)
    assert not differ
    assert lines == [
        "table agreement: seconds differs in 1 of 3 rows, at most by 0.5 (2 and 2.5: d pca 1)"
    ]


def test_the_largest_difference_of_each_table_is_told(runs, capsys):
    change(runs[1], r=0.5)
    assert main(["compare", *map(str, runs)]) == 1
    said = capsys.readouterr().out
    assert "agreement: r differs in 1 of 3 rows, at most by 0.3 (0.2 and 0.5: d pca 1)" in said


def test_rows_tables_and_values_that_one_lacks(runs):
    change(runs[1], method="aucell", r=None)
    shutil.copy(runs[0] / "tables/agreement.csv", runs[0] / "tables/terms.csv")
    lines, differ = compare_runs(*runs)
    assert differ
    assert f"table agreement: 1 rows only in {runs[1]}, such as d aucell 1" in lines
    assert f"table terms: only in {runs[0]}" in lines


def test_what_they_were_made_with(runs):
    write_run({"config": {"run": {"seed": 2}}, "revision": "abc"}, runs[1] / "run.json")
    assert compare_runs(*runs) == (["config: run: seed: 1 and 2"], False)
    (runs[1] / "run.json").unlink()
    assert compare_runs(*runs)[0][0].startswith("made with: not known of both")


def test_a_folder_without_a_run_is_refused(runs, tmp_path):
    with pytest.raises(IntaeError, match="holds no tables/"):
        compare_runs(runs[0], tmp_path)


def failed(**names):
    row = dict.fromkeys(MISSING, "") | {"step": "train", "why": "it is so", "dataset": "simulated"}
    return row | names


def planned(tmp_path, rows, **config):
    write_missing(rows, tmp_path / "missing.csv")
    path = tmp_path / "mine.yaml"
    run = {"datasets": ["simulated", "drawn"], "methods": ["pca", "ulm"]}
    drawn = {"source": "simulated", "annotations_of": "simulated"}
    own = {"results": str(tmp_path), "leave_out_failed": True, "run": run,
           "datasets": {"drawn": drawn}}  # fmt: skip
    path.write_text(json.dumps(own | config))
    return Benchmark(load_config([DEFAULTS, path]))


def test_a_method_that_failed_is_left_out_of_its_data_set(tmp_path):
    rows = [failed(method="pca", seed="0")]
    left = planned(tmp_path, rows)
    assert left.methods_of("simulated") == ["ulm"]
    assert left.methods_of("drawn") == ["pca", "ulm"]
    assert left.left_out == read_missing(tmp_path / "missing.csv") == rows
    again = planned(tmp_path, rows, leave_out_failed=False)
    assert again.methods_of("simulated") == ["pca", "ulm"] and not again.left_out


def test_a_data_set_that_failed_is_left_out_with_those_made_of_it(tmp_path):
    with pytest.raises(ConfigError, match="nothing is left"):
        planned(tmp_path, [failed(step="load")])
    left = planned(tmp_path, [failed(step="load", dataset="drawn")])
    assert left.datasets == ["simulated"]


def test_nothing_failed_leaves_no_table(tmp_path):
    write_missing([failed()], tmp_path / "missing.csv")
    write_missing([], tmp_path / "missing.csv")
    assert not list(tmp_path.iterdir()) and read_missing(tmp_path / "missing.csv") == []
