"""Config mistakes are told of before anything runs, by the key."""

import copy
import inspect
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

import intae
from intae.benchmark.cli import main
from intae.benchmark.config import check_config, read_config, reference
from intae.benchmark.plan import Benchmark
from intae.benchmark.registry import METHODS
from intae.errors import ConfigError
from intae.parameters import PARAMETERS, check_arguments
from intae.sources import SOURCES, function_of

ROOT = Path(__file__).parents[2]
PAPER = yaml.safe_load((ROOT / "config.yaml").read_text())


@pytest.fixture(autouse=True)
def no_mirror(monkeypatch):
    monkeypatch.delenv("INTAE_MIRROR", raising=False)


def changed(*path, value):
    """Return the paper's config with one key set (or removed, if value is None)."""
    config = copy.deepcopy(PAPER)
    place = config
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return config


def test_the_papers_config_is_valid():
    benchmark = Benchmark(PAPER)
    assert benchmark.datasets == ["simulated", "kang17", "macosko15", "covid_balf", "buettner15"]
    assert ("autoencoder", 1) in benchmark.fits_of("kang17")
    assert "slalom" not in benchmark.methods_of("covid_balf")
    assert benchmark.dataset("kang17")["min_genes"] == 13
    assert len(benchmark.downloads) == 3 + 2 + 13 + 1 + 2


def test_draws_are_data_sets_of_their_own_that_count_seeds_up():
    config = changed("datasets", "planted", "draws", value=3)
    config["datasets"]["planted"]["params"]["seed"] = 7
    config["run"] = {"datasets": ["planted", "simulated", "planted_2"]}
    config["exclude"].append({"dataset": "planted_3", "method": "fsclvm"})
    benchmark = Benchmark(config)
    draws = ["planted_1", "planted_2", "planted_3"]
    assert benchmark.simulations == {"planted": draws, "simulated": ["simulated"]}
    assert benchmark.datasets == ["simulated"]
    assert [benchmark.dataset(d)["params"]["seed"] for d in draws] == [7, 8, 9]
    assert {benchmark.dataset(d)["params"]["n_active"] for d in draws} == {20}
    assert "planted" not in benchmark.config["datasets"]
    for draw in draws:  # excluded by the name of all
        assert "slalom" not in benchmark.methods_of(draw)
        assert ("fsclvm" in benchmark.methods_of(draw)) == (draw != "planted_3")


def test_an_entry_of_exclude_with_lists_is_all_their_pairs():
    excluded = [{"dataset": ["kang17", "planted"], "method": ["pca", "ulm"]}]
    benchmark = Benchmark(changed("exclude", value=excluded))
    for dataset in ("kang17", "planted_1", "planted_5"):
        assert not {"pca", "ulm"} & set(benchmark.methods_of(dataset))
    assert {"pca", "ulm"} <= set(benchmark.methods_of("macosko15"))
    assert len(benchmark.excluded) == 2 * (1 + 5)


def test_one_draw_can_be_run_by_its_name():
    benchmark = Benchmark(changed("run", "datasets", value=["planted_4"]))
    assert benchmark.simulations == {"planted": ["planted_4"]}
    assert benchmark.datasets == []


def test_the_data_set_that_lends_its_gene_sets_is_fetched_though_it_is_not_run():
    benchmark = Benchmark(changed("run", "datasets", value=["planted"]))
    assert {"GSE96583_RAW.tar", "c2.cp.reactome.v4.0.symbols.gmt"} <= set(benchmark.downloads)
    assert benchmark.annotations_of("planted_1") == "kang17"
    config = changed("run", "datasets", value=["planted"])
    config["datasets"]["kang17"] = FILE
    # which speak of labels that this one does not name
    del config["analyses"]["kang17"], config["sweep"]
    with pytest.raises(ConfigError, match="datasets: kang17: there is no file"):
        Benchmark(config)


def test_an_implanted_truth_is_prepared_as_the_data_set_of_its_cells():
    config = changed("datasets", "kang17", "min_genes", value=5)
    config["datasets"]["implanted_groups"]["n_hvgs"] = 300
    config["run"] = {"datasets": ["implanted_groups"]}
    benchmark = Benchmark(config)
    assert benchmark.datasets == []
    assert list(benchmark.simulations) == ["implanted_groups"]
    draw = benchmark.dataset("implanted_groups_2")
    assert (draw["min_genes"], draw["n_hvgs"], draw["gene_sets"]) == (5, 300, ["reactome"])
    assert draw["params"]["seed"] == 1 and draw["labels"] == {}
    assert "GSE96583_RAW.tar" in benchmark.downloads  # the lender's, though it is not run
    assert benchmark.lender_of("implanted_groups_2") == "kang17"
    assert benchmark.holds("implanted", "implanted_groups_1")
    assert not benchmark.holds("truth", "implanted_groups_1")


def test_check_tells_of_draws(tmp_path, capsys):
    (tmp_path / "mine.yaml").write_text(
        "run: {datasets: [planted], methods: [fsclvm_annotation]}\n"
    )
    assert main(["check", str(tmp_path / "mine.yaml")]) == 0
    out = capsys.readouterr().out
    assert "planted_1: source simulated (3,000 cells x the genes of kang17), 1 fit\n" in out
    assert "planted_5: as planted_1, 1 fit\n" in out
    assert "gene sets of kang17" in out and "GSE96583_RAW.tar: to be downloaded" in out
    assert "halves:" not in out and "fits of halves" not in out.replace("and those of halves", "")
    assert "in all: 5 data sets, 5 fits" in out
    (tmp_path / "mine.yaml").write_text("run: {datasets: [implanted_depth], methods: [ulm]}\n")
    assert main(["check", str(tmp_path / "mine.yaml")]) == 0
    out = capsys.readouterr().out
    assert "implanted_depth_1: source implanted (cells of kang17), 1 fit\n" in out
    assert "implanted_depth_3: as implanted_depth_1, 1 fit\n" in out
    assert "cells and gene sets of kang17" in out


def test_what_stands_for_the_papers_data():
    benchmark = Benchmark(PAPER)
    own_names = {name: name for name in ("kang17", "macosko15", "covid_balf", "buettner15")}
    assert benchmark.stands_for() == own_names
    part = changed("analyses", "simulated", value={"paper": "kang17"})
    part["analyses"]["kang17"]["paper"] = None
    found = Benchmark(part).stands_for()
    assert found["simulated"] == "kang17" and "kang17" not in found


def test_effort_says_how_often_fits_are_repeated():
    def run(effort):
        return Benchmark(changed("run", value={"datasets": ["kang17"], "effort": effort}))

    quick, standard, full = map(run, ("quick", "standard", "full"))
    methods = quick.methods_of("kang17")
    assert quick.fits_of("kang17") == [(m, standard.method(m)["seeds"][0]) for m in methods]
    assert not quick.halved("kang17") and not quick.folded("kang17")
    assert not quick.sweeps_of("kang17") and not quick.parts_of("kang17")
    assert standard.config == Benchmark(changed("run", value={"datasets": ["kang17"]})).config
    assert standard.method("autoencoder")["halves"] == 0
    assert full.method("autoencoder") == standard.method("autoencoder") | {"halves": 5}
    assert full.method("autoencoder_exact")["halves"] == 20  # not less than the entry says
    for method in ("slalom", "ulm"):  # which cannot, and a control
        assert full.method(method) == standard.method(method)
    assert full.fits_of("kang17") == standard.fits_of("kang17")
    assert full.sweeps_of("kang17") == standard.sweeps_of("kang17") != []


def test_the_config_given_is_not_changed():
    before = copy.deepcopy(PAPER)
    check_config(PAPER)
    assert before == PAPER


FILE = {"source": "file", "file": "none.h5ad", "gene_sets": ["reactome"]}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("metods",), {}, "unknown key 'metods'; did you mean 'methods'"),
        (("methods",), None, "the key 'methods' is missing"),
        (("datasets", "kang17", "n_hvg"), 5, "datasets: kang17: unknown key 'n_hvg'; did you mean"),
        (("datasets", "kang17", "n_hvgs"), "many", "n_hvgs: must be of type integer or null"),
        (("analyses", "kang17", "paper"), "kang71", "'kang71' is unknown; did you mean 'kang17'"),
        (("datasets", "kang17", "source"), "kang18", "'kang18' is unknown; did you mean 'kang17'"),
        (("datasets", "kang17", "gene_sets"), ["reactom"], "'reactom' in gene_sets; did you mean"),
        (("datasets", "kang17", "gene_sets"), [], "names no gene sets"),
        (("datasets", "kang17", "file"), "x.h5ad", "file: is for source file, not for 'kang17'"),
        (("datasets", "kang17", "genes_in"), "rows", "kang17: genes_in: is for source file, not"),
        (("datasets", "kang17", "metadata"), {"file": "x.csv"}, "metadata: is for source file"),
        (
            ("datasets", "kang17", "labels"),
            "group",
            "must hold keys of its own, not 'group'; write",
        ),
        (("datasets", "mine"), FILE | {"metadata": "meta.csv"}, "write metadata: {file: ...}"),
        (("datasets", "kang17", "labels"), {"celltype": "x"}, "did you mean 'cell_type'"),
        (("datasets", "my data"), FILE, "'my data' does not match"),
        (("datasets", "mine"), FILE, "datasets: mine: there is no file 'none.h5ad'"),
        (("datasets", "mine"), {"source": "file"}, "gene_sets: names no gene sets"),
        (("methods", "pca", "model"), "PCa", "model: there is no model 'PCa'; did you mean 'PCA'"),
        (("methods", "pca", "seeds"), [], "methods: pca: seeds"),
        (("methods", "pca", "seeds"), [1, 1], "methods: pca: seeds"),
        (("methods", "pca", "seeds"), 3, "seeds: must be of type array, not 3"),
        (("methods", "slalom", "halves"), 2, "slalom: halves: Slalom cannot infer the loadings"),
        (("methods", "slalom", "folds"), 4, "slalom: folds: Slalom cannot infer the loadings"),
        (("methods", "pca", "folds"), 1, "methods: pca: folds: one fold would leave no cells"),
        (("methods", "pca", "threads"), 0, "methods: pca: threads"),
        (("run", "datasets"), ["kang"], "run: datasets: there is no entry 'kang'; did you mean"),
        (("run", "methods"), ["slalon"], "did you mean 'slalom'"),
        (("exclude",), [{"dataset": "x", "method": "pca"}], "exclude: there is no dataset 'x'"),
        (("exclude",), [{"dataset": "kang17"}], "the key 'method' is missing"),
        (("analyses", "kang"), {}, "analyses: there is no data set 'kang'; did you mean 'kang17'"),
        (("analyses", "kang17", "scatter"), ["ONE"], "analyses: kang17: scatter"),
        (("gene_sets", "reactome", "file"), "x.gmt", "give one of file:, url: and msigdb:"),
        (("gene_sets", "reactome", "sha256"), "123", "gene_sets: reactome: sha256"),
        (("mirror",), "no/such/folder", "'no/such/folder' is not a folder"),
        (
            ("datasets", "kang17", "draws"),
            2,
            "simulated, implanted or corrupted can be drawn again",
        ),
        (("datasets", "planted", "draws"), 0, "datasets: planted: draws"),
        # each is a data set: a slip of the finger would fill the memory
        (("datasets", "planted", "draws"), 10**9, "datasets: planted: draws"),
        (("datasets", "planted", "params"), {"seed": "x"}, "seed: must be a whole number, not 'x'"),
        (("datasets", "planted_2"), {"source": "simulated"}, "would make 'planted_2'"),
        (("datasets", "planted", "annotations_of"), "kang71", "'kang71'; did you mean 'kang17'"),
        (("datasets", "planted", "annotations_of"), "planted", "there is no data set 'planted'"),
        (("datasets", "simulated", "annotations_of"), "planted_1", "has no gene sets of its own"),
        (("datasets", "macosko15", "annotations_of"), "simulated", "is for source simulated"),
        (("analyses", "planted"), {}, "analyses: planted: has draws"),
        (("datasets", "implanted_groups", "cells_of"), None, "cells_of: is missing"),
        (("datasets", "implanted_groups", "cells_of"), "kang71", "'kang71'; did you mean 'kang17'"),
        (("datasets", "implanted_groups", "cells_of"), "planted", "no real data set 'planted'"),
        (("datasets", "implanted_groups", "gene_sets"), ["reactome"], "are those of kang17"),
        (("datasets", "macosko15", "cells_of"), "kang17", "cells_of: is for source implanted"),
        (("datasets", "macosko15", "cells"), {"batch": "p1"}, "cells: is for source implanted"),
        (("datasets", "corrupted", "prepared_of"), None, "prepared_of: is missing"),
        (("datasets", "corrupted", "prepared_of"), "kang71", "'kang71'; did you mean 'kang17'"),
        (("datasets", "corrupted", "prepared_of"), "simulated", "no real data set 'simulated'"),
        (("datasets", "corrupted", "gene_sets"), ["reactome"], "are those of kang17, corrupted"),
        (("datasets", "macosko15", "prepared_of"), "kang17", "is for source corrupted"),
        (("exclude",), [{"dataset": ["kang17", "x"], "method": "pca"}], "no dataset 'x'"),
        (("exclude",), [{"dataset": "kang17", "method": ["pca", "y"]}], "no method 'y'"),
        (("exclude",), [{"dataset": "kang17", "method": []}], "exclude: 0: method"),
        (("run", "datasets"), ["planned"], "there is no entry 'planned'; did you mean 'planted"),
        (("results",), "", "config, results: is empty; give a name or leave the key out"),
        (("results",), "  ", "config, results: is empty"),
        (("results",), "/", "config, results: '/' is no folder of its own; name one"),
        (("results",), "mine\n", "config, results: 'mine\\n' holds a line break"),
        (("datasets", "mine\n"), FILE, "datasets: the name 'mine\\n' does not match"),
        (("methods", "pca\n"), {"model": "PCA"}, "methods: the name 'pca\\n' does not match"),
        (("run", "methods"), ["pca", "pca"], "run: methods: 'pca' stands there twice; remove one"),
        (("run", "datasets"), ["kang17", "kang17"], "datasets: 'kang17' stands there twice"),
        (("datasets", "kang17", "gene_sets"), ["reactome"] * 2, "'reactome' stands there twice"),
        (("analyses", "kang17", "scatter"), ["A", "A"], "scatter: 'A' stands there twice"),
        (("methods", "pca", "params"), {"n_dense": 2000}, "pca: params: n_dense=2000: more unann"),
    ],
)
def test_mistakes_are_named(path, value, message):
    with pytest.raises(ConfigError) as error:
        Benchmark(changed(*path, value=value))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("method", "params", "message"),
    [
        ("autoencoder", {"lamda1": 1}, "no parameter 'lamda1'; did you mean 'lambda1'"),
        ("autoencoder", {"lambda1": "abc"}, "lambda1 must be a finite number that is not neg"),
        ("autoencoder", {"lambda1": "1e-3"}, "not '1e-3' (text in YAML; write 0.001000)"),
        ("autoencoder", {"lambda1": -1}, "lambda1 must be a finite number that is not negative"),
        ("autoencoder", {"lambda0": float("nan")}, "lambda0 must be a finite number above 0"),
        ("autoencoder", {"n_dense": 1.5}, "n_dense must be an integer of at least 0, not 1.5"),
        ("autoencoder", {"n_dense": True}, "n_dense must be an integer of at least 0, not True"),
        ("autoencoder", {"solver": "exakt"}, "solver must be one of exact, adam, proximal, not"),
        ("autoencoder", {"covariates": "batch"}, "covariates must be a list of columns of obs"),
        ("autoencoder", {"annotated_share": 1}, "annotated_share must be a number in [0, 1)"),
        ("autoencoder", {"seed": 1}, "no parameter 'seed'"),
        ("fsclvm", {"compat": "slalon"}, "compat must be one of None, slalom, not 'slalon'"),
        ("fsclvm", {"compat": "slalom", "n_init": 2}, 'but compat="slalom" has one start'),
        ("slalom", {"budget": 0}, "budget must be a finite number above 0, not 0"),
        ("plier", {"hold_out": 1}, "hold_out must be true or false, not 1"),
        ("ulm", {"method": "umm"}, "method must be one of score_genes, ulm, aucell, mean"),
        ("autoencoder_masked", {"inside": 0.005}, "inside must be larger than outside"),
    ],
)
def test_parameters_are_checked_before_anything_runs(method, params, message):
    with pytest.raises(ConfigError) as error:
        Benchmark(changed("methods", method, "params", value=params))
    assert str(error.value).startswith(f"config, methods: {method}: params: ")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("dataset", "params", "message"),
    [
        ("simulated", {"n_cell": 5}, "'simulated' takes no 'n_cell'; did you mean 'n_cells'"),
        ("simulated", {"n_cells": "5"}, "n_cells must be an integer of at least 2, not '5'"),
        ("simulated", {"n_cells": 1}, "n_cells must be an integer of at least 2, not 1"),
        ("simulated", {"n_active": 2}, "n_active must be an integer of at least 3, not 2"),
        ("simulated", {"n_terms": 5}, "n_active=8, but there are only 5 terms; give fewer"),
        ("simulated", {"wrong": 1.5}, "wrong must be a number in [0, 1], not 1.5"),
        ("simulated", {"strength": [1, 0.3]}, "strength must be two numbers above 0, the smaller"),
        ("simulated", {"noise": 0.5}, "noise must be two numbers of at least 0, the smaller one"),
        ("simulated", {"null_of": "sets"}, "source 'simulated' takes no 'null_of'"),
        ("simulated", {"annotations": 1}, "source 'simulated' takes no 'annotations'"),
        ("simulated", {5: 1}, "source 'simulated' takes no '5'"),
        ("simulated", {"labels": {}}, "params: labels: stands under params, but belongs beside it"),
        ("kang17", {"n_cells": 5}, "source 'kang17' takes no 'n_cells'; known are exact"),
        ("kang17", {"exact": 1}, "exact must be true or false, not 1"),
        ("kang17", {"subset": {}}, "params: subset: stands under params, but belongs beside it"),
        ("mine", {"format": "csv"}, "params: format: stands under params, but belongs beside it"),
        ("mine", {"sep": ";"}, "a file of yours takes none, so leave 'sep' out"),
        ("implanted_groups", {"effects": 2}, "takes no 'effects'; did you mean 'effect'"),
        ("implanted_groups", {"share": 0}, "share must be a number in (0, 1], not 0"),
        ("implanted_groups", {"design": "grade"}, "not 'grade'; did you mean 'graded'"),
        ("implanted_groups", {"confined_to": "B"}, "confined_to must give columns of obs, each"),
        ("implanted_groups", {"kind": "sets"}, "source 'implanted' takes no 'kind'"),
        ("implanted_groups", {"nul_of": "sets"}, "takes no 'nul_of'; did you mean 'null_of'"),
        ("implanted_groups", {"null_of": "set"}, "null_of must be one of labels, sets, depth, not"),
        ("implanted_groups", {"null_of": "sets", "effect": 2}, "no 'effect', with null_of; known"),
        ("corrupted", {"removed": 1}, "removed must be a number in [0, 1), not 1"),
        ("corrupted", {"seed": 1.5}, "seed: must be a whole number, not 1.5"),
    ],
)
def test_params_of_a_source_are_checked_before_anything_runs(dataset, params, message, tmp_path):
    config = changed("datasets", "mine", value=FILE | {"file": str(tmp_path)})
    config["datasets"][dataset]["params"] = params
    with pytest.raises(ConfigError) as error:
        Benchmark(config)
    assert str(error.value).startswith(f"config, datasets: {dataset}")
    assert message in str(error.value)


@pytest.mark.parametrize("source", SOURCES)
def test_what_a_source_takes_is_what_the_config_allows(source):
    """As the functions themselves say, so that neither list is behind the other."""
    drawing = {
        "simulated": [(intae.simulate, {"annotations"}, {})],
        "implanted": [
            (intae.implant, {"counts", "gene_sets", "among"}, {}),
            (intae.implanted_null, {"counts"}, {"null_of": "sets"}),
        ],
        "corrupted": [(intae.corrupt_annotations, {"prepared"}, {})],
    }
    for function, others, params in drawing.get(source, [(SOURCES[source].load, None, {})]):
        takes = inspect.signature(function).parameters.values()
        if others is None:
            names = {p.name for p in takes if p.kind is p.KEYWORD_ONLY}
        else:
            names = {p.name for p in takes} - others
            for p in takes:  # the defaults pass
                if p.name in names:
                    check_arguments(function.__name__, {p.name: p.default})
        assert names == set(PARAMETERS[function_of(source, params)])


def test_parameters_of_a_sweep_are_checked_as_well():
    grid = {"lambda1": [0.5, -1]}
    with pytest.raises(ConfigError, match="sweep: penalties: lambda1 must be a finite number"):
        Benchmark(changed("sweep", "penalties", "grid", value=grid))


def test_a_config_in_another_encoding_is_named_with_its_line(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes("results: a\n# données\n".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"mine\.yaml, line 2: is no text in UTF-8 .*; save the"):
        read_config(path)
    path.write_bytes(b"\xff\xfe" + "results: a\n".encode("utf-16-le"))
    with pytest.raises(ConfigError, match="is no text in UTF-8"):
        read_config(path)
    path.write_text("results: a\n", encoding="utf-8-sig")
    assert read_config(path) == {"results": "a"}
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config(tmp_path)


def test_a_file_is_found_in_the_mirror(tmp_path, monkeypatch):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "mine.h5ad").write_text("")
    monkeypatch.setenv("INTAE_MIRROR", str(tmp_path))
    config = changed("datasets", "mine", value=FILE | {"file": "mine.h5ad"})
    assert Benchmark(config).dataset_files("mine") == ["resources/mine.h5ad"]


def test_two_downloads_of_one_name_are_refused():
    config = changed("gene_sets", "astrocytes", "url", value="http://x/" + "a" * 3)
    config["gene_sets"]["astrocytes"]["name"] = "c2.cp.reactome.v4.0.symbols.gmt"
    with pytest.raises(ConfigError, match="two different downloads have the file name"):
        Benchmark(config)


def test_every_key_of_the_schema_is_described():
    def walk(rules, path):
        for key, rule in rules.get("properties", {}).items():
            assert rule.get("description"), f"{path}{key}"
            walk(rule, f"{path}{key}: ")
        entries = rules.get("additionalProperties")
        if isinstance(entries, dict):
            walk(entries, f"{path}NAME: ")

    walk(yaml.safe_load((ROOT / "intae/benchmark/schema.yaml").read_text()), "")


def test_methods_keep_their_order_and_so_their_colours():
    config = copy.deepcopy(PAPER)
    config["methods"] = {"mine": {"model": "PCA"}} | dict(reversed(config["methods"].items()))
    order = list(check_config(config)["methods"])
    assert order == [*(name for name in METHODS if name in PAPER["methods"]), "mine"]
    assert order[0] == "autoencoder_exact"  # the recommended one


def test_an_entry_that_stands_twice_is_refused(tmp_path):
    path = tmp_path / "twice.yaml"
    path.write_text("datasets:\n  a: {source: simulated}\n  b: {}\n  a: {source: kang17}\n")
    with pytest.raises(ConfigError, match="the key 'a' stands in line 2 and again in line 4"):
        read_config(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [1, 2", "line 1.*is no YAML|is no YAML"), ("just text", "holds no keys")],
)
def test_files_that_are_no_config(tmp_path, text, message):
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_config(tmp_path / "x.yaml")
    with pytest.raises(ConfigError, match="there is no such config file"):
        read_config(tmp_path / "none.yaml")


def test_check_says_what_would_run(tmp_path, capsys):
    (tmp_path / "mine.yaml").write_text("run: {datasets: [kang17], methods: [pca, autoencoder]}\n")
    assert main(["check", str(tmp_path / "mine.yaml")]) == 0
    out = capsys.readouterr().out
    assert "kang17: source kang17 (29,065 cells x 35,635 genes), 6 fits" in out
    assert "GSE96583_RAW.tar: to be downloaded from https://ftp.ncbi" in out
    assert "autoencoder: seed 0, 1" in out
    assert "in all: 1 data set, 6 fits" in out
    assert "simulated" not in out


def test_check_tells_a_mistake_in_one_line(tmp_path, capsys):
    (tmp_path / "mine.yaml").write_text("run: {datasets: [kang71]}\n")
    assert main(["check", str(tmp_path / "mine.yaml")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("Error: config, run: datasets: there is no entry 'kang71'")
    assert error.count("\n") == 1


def test_the_reference_is_up_to_date():
    assert (ROOT / "docs/config.md").read_text() == reference(), (
        "run: python -m intae reference > docs/config.md"
    )


def test_check_looks_at_the_columns_of_an_h5ad(tmp_path, capsys, counts):
    counts.write_h5ad(tmp_path / "x.h5ad")
    (tmp_path / "sets.gmt").write_text("A\tx\tGENE1\n")
    config = {
        "run": {"datasets": ["mine"]},
        "gene_sets": {"own": {"file": str(tmp_path / "sets.gmt")}},
        "datasets": {
            "mine": FILE | {"file": str(tmp_path / "x.h5ad"), "gene_sets": ["own"],
                            "labels": {"condition": "conditions"}}
        },
    }  # fmt: skip
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config))
    assert main(["check", str(tmp_path / "mine.yaml")]) == 1
    assert "no column 'conditions' in obs; did you mean 'condition'" in capsys.readouterr().err


def test_the_default_config_comes_with_the_package():
    packaged = files("intae.benchmark").joinpath("config.yaml").read_text(encoding="utf-8")
    assert packaged == (ROOT / "config.yaml").read_text(encoding="utf-8")
