"""What rules read, write and are told."""

import copy

import pytest
import yaml

from intae.autoencoder import lambdas
from intae.benchmark.facts import facts_of, figures_of, inputs_of, shares
from intae.benchmark.jobs import PREPARING, PUBLISHED, SCORES, TABLES, Jobs, point_name, rule_name
from intae.benchmark.plan import CONDITIONS, Benchmark, named_terms
from intae.benchmark.score import SCORERS


@pytest.fixture
def jobs(root, monkeypatch):
    monkeypatch.delenv("INTAE_MIRROR", raising=False)
    config = yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8"))
    return Jobs(Benchmark(config))


def test_tables_are_known_to_those_who_make_them():
    assert set(TABLES.values()) <= set(CONDITIONS)
    assert set(SCORES) == set(SCORERS) and set(SCORES) <= set(TABLES)


def test_each_data_set_has_the_tables_that_its_labels_and_methods_allow(jobs):
    assert "accuracy" in jobs.tables_of("kang17") and "recovery" not in jobs.tables_of("kang17")
    assert "accuracy" not in jobs.tables_of("macosko15")  # no condition
    assert "separation" in jobs.tables_of("macosko15")  # but cell types
    assert set(jobs.tables_of("planted_1")) == {"recovery", "recovery_curves", "false_positives"}
    assert {"sweep", "scaling"} <= set(jobs.tables_of("kang17"))
    assert jobs.tables_of("implanted_groups_1") == ["implanted"]
    assert "implanted" not in jobs.tables_of("simulated")
    assert jobs.tables_of("corrupted_1") == ["corrupted"]


def test_an_implanted_truth_is_made_of_the_loaded_counts_of_another(jobs):
    assert jobs.files_of("implanted_groups_1") == [
        "results/kang17/loaded.h5ad", "results/kang17/prepared.h5ad",
        "resources/c2.cp.reactome.v4.0.symbols.gmt",
    ]  # fmt: skip
    told = jobs.loading("implanted_groups_1")
    assert told["cells"] == {"condition": "ctrl"} and told["prefixes"] == ["REACTOME_"]
    assert not {"cells", "prefixes"} & set(jobs.loading("kang17"))
    inputs = jobs.compare_inputs("implanted_groups_1")  # its plain mean and oracle read the data
    assert inputs["prepared"] == "results/implanted_groups_1/prepared.h5ad"
    assert "prepared" not in jobs.compare_inputs("planted_1")


def test_corrupted_gene_sets_are_made_of_prepared_data(jobs):
    assert jobs.files_of("corrupted_2") == ["results/kang17/prepared.h5ad"]
    told = jobs.loading("corrupted_2")
    assert told["prepared_of"] == "kang17" and told["params"]["seed"] == 401
    assert jobs.benchmark.lender_of("corrupted_1") == "kang17"
    assert jobs.scores_of("corrupted_1", "autoencoder_exact") == ["corrupted"]


def test_calls_are_held_against_the_null_of_the_same_cells(jobs):
    calls = jobs.calls()
    assert list(calls) == ["implanted_groups", "implanted_graded"]
    assert calls["implanted_graded"]["design"] == "graded"
    for about in calls.values():
        assert about["null"] == [
            f"results/implanted_null_{k}/tables/implanted.csv" for k in (1, 2, 3)
        ]
    assert "results/implanted_groups_5/tables/implanted.csv" in calls["implanted_groups"]["truth"]
    for draw in ("implanted_null_1", "implanted_null_2", "implanted_null_3"):
        jobs.benchmark.dataset(draw)["n_hvgs"] = 50
    assert jobs.calls() == {}  # other genes, other terms
    assert not facts_of(jobs, "implanted_groups")["planted"]["has_null"]


def test_figures_of_a_truth_are_those_of_its_kind(jobs):
    for place, names in {
        "implanted_groups": ["implanted"],
        "implanted_null": ["implanted_null"],
        "implanted_depth": ["implanted_null"],
        "corrupted": ["corrupted"],
        "planted": ["recovery", "false_positives", "recovery_curves"],
    }.items():
        assert [row.name for row in figures_of(jobs, place)] == names
    inputs = inputs_of(jobs, "implanted_groups")
    assert inputs["implanted_calls"] == ["results/tables/implanted_calls.csv"]
    assert "implanted_calls" not in inputs_of(jobs, "implanted_null")


def test_the_pages_read_the_recommended_method_and_a_map(jobs):
    files = jobs.page_inputs("kang17")
    assert "results/kang17/autoencoder_exact/seed0/model.h5" in files["fits"]
    assert files["map"] == "results/kang17/umap.csv"
    assert files["folds"] == "results/kang17/tables/folds.csv"
    assert "accuracy" not in jobs.page_inputs("macosko15")  # no condition
    assert jobs.page_facts("kang17")["scores"] == ["score_genes", "ulm", "aucell", "plain_mean"]


def test_figures_of_one_job_share_a_file_of_findings(jobs):
    told = {(place, number): facts["findings"] for place, number, facts, _ in shares(jobs)}
    assert told["kang17", ""] == "results/figures/kang17/findings.rst"
    assert told["kang17", "2"] == "results/figures/kang17/findings2.rst"
    assert len(set(told.values())) == len(told)


def test_a_fit_is_scored_by_what_its_model_can_answer(jobs):
    exact = jobs.scores_of("kang17", "autoencoder_exact")
    assert {"necessity", "objective", "ablation"} <= set(exact) and "best_encoder" not in exact
    network = jobs.scores_of("kang17", "autoencoder")
    assert "best_encoder" in network and "necessity" not in network
    assert "objective" not in jobs.scores_of("kang17", "autoencoder_permuted")  # a control
    assert set(jobs.scores_of("kang17", "ulm")) == {
        "terms", "history", "corrections", "accuracy", "separation", "known_pairs"
    }  # fmt: skip


def test_joined_tables_are_those_of_the_data_sets(jobs):
    joined = jobs.joined()
    assert joined["dense_factors"][0] == "results/simulated/tables/dense_factors.csv"
    assert "results/planted_5/tables/recovery.csv" in joined["recovery"]
    assert list(joined) == [table for table in TABLES if table in joined]


def test_what_does_not_change_a_fit_does_not_repeat_it(jobs, root):
    config = copy.deepcopy(jobs.benchmark.config)
    before = jobs.fitting("slalom")
    config["methods"]["slalom"]["label"] = "the reference"
    jobs.benchmark.config["methods"]["slalom"] = config["methods"]["slalom"]
    assert jobs.fitting("slalom") == before
    assert set(before) == {"model", "params", "revision"}


def test_other_terms_to_look_at_do_not_prepare_again(jobs):
    before = jobs.entry("kang17", PREPARING)
    assert {"hvg_flavor": "seurat", "keep_genes": [], "keep_sets": []}.items() <= before.items()
    jobs.benchmark.analysis("kang17")["expected"] = ["DNA_REPAIR"]
    jobs.benchmark.analysis("kang17")["loadings"]["terms"] = ["INTERFERON_SIGNALING", "MITOSIS"]
    assert jobs.entry("kang17", PREPARING) == before
    named = jobs.compare_params("kang17")["named"]
    assert named[:2] == ["DNA_REPAIR", "INTERFERON_SIGNALING"] and named[-1] == "MITOSIS"
    assert len(named) == len(set(named))
    assert named_terms({}) == []


def test_a_part_has_the_budget_of_the_parts(jobs):
    assert jobs.params_of_part("kang17", "slalom")["params"]["budget"] == 600
    assert "budget" not in jobs.params_of_part("kang17", "pca")["params"]


def test_names_that_stand_in_paths_and_rules():
    assert point_name({"lambda1": 0.5, "n_dense": 1}) == "lambda1~0.5_n_dense~1"
    assert rule_name("compare", "my-data.set") == "compare_my_data_set"


def test_many_figures_are_shared_by_two_jobs_and_none_is_lost(jobs):
    drawn = [(place, number, stem) for place, number, _, rows in shares(jobs) for *_, stem in rows]
    assert len({stem for *_, stem in drawn}) == len(drawn)
    assert {number for place, number, _ in drawn if place == "kang17"} == {"", "2"}
    assert {number for place, number, _ in drawn if place == "planted"} == {""}


def test_the_common_penalties_are_the_published_ones():
    assert PUBLISHED == lambdas.PUBLISHED  # the Snakefile cannot import what imports NumPy
