"""The workflow as a user runs it: snakemake on the command line, in a folder of its own."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import errors_of, start_browser, wait_for, wait_until_drawn

import intae
from intae.benchmark.config import DEFAULTS, merge, read_config
from intae.benchmark.plan import Benchmark
from intae.benchmark.registry import METHODS, MODELS
from intae.errors import ConfigError
from intae.fits import read_facts, read_fit, read_labels
from intae.io import read_h5ad
from intae.page.embedding import read_embedding
from intae.prepared import check_prepared

ROOT = Path(__file__).parents[1]
PARTS = ["Snakefile", "config.yaml", "peers.yaml", "rules", "scripts", "report", "envs", "profiles"]


def snakemake(folder, *arguments, mirror=None):
    """Run snakemake in a folder and return the finished process."""
    environment = {k: v for k, v in os.environ.items() if k != "INTAE_MIRROR"}
    environment["OMP_NUM_THREADS"] = "1"
    if mirror is not None:
        environment["INTAE_MIRROR"] = str(mirror)
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A copy of the workflow, so that a run leaves nothing in the checkout."""
    folder = tmp_path_factory.mktemp("workflow")
    for part in PARTS:
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / part)
    return folder


@pytest.fixture(scope="module")
def finished(folder):
    """The miniature, run whole, with its report."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(rng.gamma(1.0, size=(90, 70)) * 2 + 0.1).astype(np.float32)
    own = read_own(counts, rng)
    own.write_h5ad(folder / "own.h5ad")
    with (folder / "own_sets.gmt").open("w") as file:
        for k in range(5):
            genes = "\t".join(f"Gene{i}" for i in range(10 * k, 10 * k + 25))
            file.write(f"OWN_SET_{k}\tdescription\t{genes}\n")
    config = ["--configfile", str(ROOT / "tests/config/miniature.yaml")]
    done = snakemake(folder, *config)
    assert done.returncode == 0, done.stderr[-5000:]
    report = snakemake(folder, *config, "--report", "results/report.html")
    assert report.returncode == 0, report.stderr[-5000:]
    return folder, config


def read_own(counts, rng):
    from anndata import AnnData

    own = AnnData(counts)
    own.var_names = [f"GENE{i}" for i in range(own.n_vars)]
    own.obs_names = [f"c{i}" for i in range(own.n_obs)]
    own.obs["group"] = rng.choice(["a", "b", "c"], own.n_obs)
    own.obs["patient"] = rng.choice(["p1", "p2", "p3"], own.n_obs)
    own.obsm["X_umap"] = rng.normal(size=(own.n_obs, 2))
    return own


def test_outputs_keep_their_contracts(finished):
    results = finished[0] / "results"
    for path in results.glob("*/prepared.h5ad"):
        check_prepared(read_h5ad(path))
    fits = sorted(results.glob("*/*/seed*/fit.json"))
    methods = {path.parts[-3] for path in fits}
    assert methods == set(METHODS)
    for path in fits:
        about = read_facts(path)
        assert about["threads"] == 1
        assert about["parameters"]["seed"] == about["seed"]
        assert about["permute_annotations"] == (about["method"] == "autoencoder_permuted")
        assert about["revision"] == MODELS[about["model"]].revision
        fit = read_fit(path.with_name("model.h5"), read_labels(path.parents[2] / "prepared.h5ad"))
        assert list(fit.loadings.index) == list(fit.obs.index)
    assert list(read_h5ad(results / "own/prepared.h5ad").uns["terms"]) == [
        f"SET_{k}" for k in range(5)
    ]


def test_tables_have_their_columns(finished):
    tables = finished[0] / "results" / "tables"
    columns = {path.stem: list(pd.read_csv(path).columns) for path in tables.glob("*.csv")}
    assert columns["runtime"] == (
        "dataset method seed seconds peak_mb n_cells n_genes n_terms iterations converged "
        "projected threads device"
    ).split()  # fmt: skip
    assert columns["accuracy"] == (
        "dataset method seed term label split accuracy balanced_accuracy auroc"
    ).split()  # fmt: skip
    assert columns["correlation"] == "dataset method_a method_b term r relevance_rank".split()
    assert columns["agreement"] == (
        "dataset method_a seed_a method_b seed_b matched n_terms median_r jaccard n_top "
        "shared_top median_r_top"
    ).split()  # fmt: skip
    assert columns["corrections"] == "dataset method seed term gene change weight".split()
    assert columns["gene_sets"] == "dataset name n_genes in_data kept_genes kept why".split()
    assert columns["terms"] == (
        "dataset method seed term kind n_genes relevance rank active genes_added genes_removed "
        "detected q_value specific family"
    ).split()  # fmt: skip
    assert columns["stability"] == (
        "dataset method kind term r r_min r_max n_pairs"
    ).split()  # fmt: skip
    stability = pd.read_csv(tables / "stability.csv")
    assert set(stability["kind"]) == {"seeds", "halves", "donors"}
    assert columns["recovery"] == "dataset method seed metric value".split()
    assert columns["objective"] == (
        "dataset method seed F penalty objective best_F gap certificate n_active "
        "inactive_zero_share seconds own"
    ).split()  # fmt: skip
    assert columns["best_encoder"] == "dataset method seed term relevance r".split()
    assert columns["necessity"] == (
        "dataset method seed term relevance necessity share carried irreplaceable stand_ins "
        "stand_in_growth stand_in_r stand_in_holds"
    ).split()  # fmt: skip
    assert columns["families"] == (
        "dataset method seed family n_terms n_active members active n_genes r r_min"
    ).split()  # fmt: skip
    assert columns["ablation"] == "dataset method seed metric value n_terms of_terms".split()
    assert columns["recovery_curves"] == (
        "dataset method seed what n_ranked recall precision chance"
    ).split()  # fmt: skip
    assert columns["false_positives"] == "dataset method seed rule outcome n of".split()
    assert columns["separation"] == "dataset method seed term label value n_cells auroc".split()
    assert columns["history"] == (
        "dataset method seed iteration F objective n_deactivated inactive_zero_share"
    ).split()  # fmt: skip


def test_trust_is_told_where_it_can_be(finished):
    results = finished[0] / "results"
    objective = pd.read_csv(results / "tables/objective.csv")
    assert set(objective["dataset"]) == {"simulated"}  # elsewhere no network was trained
    assert "(exact)" in set(objective["method"])
    assert (objective["gap"] > -1e-6).all()
    assert set(pd.read_csv(results / "tables/necessity.csv")["dataset"]) == {"simulated"}
    assert (results / "figures/unlabelled/necessity.png").exists()  # no term is on: it says so
    ablation = pd.read_csv(results / "tables/ablation.csv")
    assert set(ablation["dataset"]) == {"simulated", "own"}
    planted = ablation["metric"] == "average precision of planted terms"
    assert set(ablation.loc[planted, "dataset"]) == {"simulated"}
    assert not (results / "figures/unlabelled/ablation.png").exists()
    for name in ("network", "necessity", "ablation"):
        assert (results / f"figures/simulated/{name}.pdf").stat().st_size > 1000


def test_draws_take_the_gene_sets_of_another_and_meet_the_truth_only(finished):
    results = finished[0] / "results"
    own, draws = (
        [read_h5ad(results / f"{name}/prepared.h5ad") for name in names]
        for names in (["own"], ["planted_1", "planted_2"])
    )
    for draw in draws:
        assert list(draw.uns["terms"]) == list(own[0].uns["terms"])
        np.testing.assert_array_equal(draw.varm["annotations"], own[0].varm["annotations"])
    assert not np.array_equal(draws[0].X, draws[1].X)
    tables = {path.stem: pd.read_csv(path) for path in (results / "tables").glob("*.csv")}
    for table in ("recovery", "recovery_curves", "false_positives"):
        assert {"planted_1", "planted_2", "simulated"} == set(tables[table]["dataset"])
    assert {"planted_1", "planted_2"} <= set(tables["runtime"]["dataset"])
    assert "planted_1" not in set(tables["terms"]["dataset"])
    for figure in ("recovery", "recovery_curves", "false_positives"):
        assert (results / f"figures/planted/{figure}.pdf").stat().st_size > 1000
    assert not (results / "figures/planted_1").exists()


def test_parts_of_a_data_set_are_fitted_for_their_cost(finished):
    tables = finished[0] / "results" / "tables"
    scaling = pd.read_csv(tables / "scaling.csv")
    assert list(scaling.columns) == (
        "dataset method seed n_cells n_genes n_terms seconds peak_mb iterations converged "
        "projected threads device cpu"
    ).split()  # fmt: skip
    sizes = scaling.groupby("method")["n_cells"].agg(list).to_dict()
    assert sizes == {"autoencoder_exact": [40, 120], "slalom": [40, 120]}  # no 5,000
    projected = scaling.set_index(["method", "n_cells"])["projected"]
    assert projected["slalom", 40]  # the budget of these fits
    assert not projected["slalom", 120]  # its own: none
    assert "no part of 5000 is drawn" in "".join(
        path.read_text() for path in (finished[0] / "results/logs").glob("*/*.5000_cells.log")
    )
    lines = pd.read_csv(tables / "scaling_slopes.csv").set_index(["method", "measure"])
    memory = scaling.set_index(["method", "n_cells"])["peak_mb"]
    slope = np.log(memory["slalom", 120] / memory["slalom", 40]) / np.log(3)
    assert lines.loc[("slalom", "peak_mb"), "slope"] == pytest.approx(slope, rel=1e-3)
    assert (finished[0] / "results/figures/simulated/scaling.pdf").stat().st_size > 1000
    assert not (finished[0] / "results/figures/own/scaling.png").exists()


def test_sweeps_fit_every_point(finished):
    sweep = pd.read_csv(finished[0] / "results/tables/sweep.csv")
    points = sweep.groupby(["dataset", "sweep"])["point"].agg(list).to_dict()
    assert points == {
        ("own", "penalties"): [
            "default", "fraction1 0.2, fraction3 0.1", "fraction1 0.2, fraction3 0.4",
            "lambda1 0.5, n_dense 1",
        ],
        ("unlabelled", "components"): ["default", "n_dense 2", "n_dense 3"],
    }  # fmt: skip
    own = sweep[sweep["dataset"] == "own"].set_index("kind")
    assert (own["n_cells"] + own["n_held_out"] == 90).all()
    assert own.loc["default", "median_r"] == 1 or own.loc["default", "n_active"] == 0
    np.testing.assert_allclose(own.loc["grid", "fraction3"], [0.1, 0.4], rtol=1e-4)
    assert own.loc["point", "lambda1"] == 0.5 and own.loc["point", "n_dense"] == 1
    other = sweep[sweep["dataset"] == "unlabelled"]
    assert list(other["n_dense"][1:]) == [2, 3] and other["best_accuracy"].isna().all()
    figures = finished[0] / "results/figures"
    assert (figures / "own/sweep_penalties.png").exists()
    assert (figures / "unlabelled/sweep_components.pdf").exists()


def test_cells_that_no_fit_saw(finished):
    results = finished[0] / "results"
    tables = results / "tables"
    accuracy = pd.read_csv(tables / "accuracy.csv")
    unseen = accuracy[accuracy["split"] == "unseen"]
    assert set(unseen["method"]) == {"autoencoder_exact", "pca", "ulm"}
    assert set(unseen["dataset"]) == {"simulated", "own"}
    known = accuracy[(accuracy["split"] == "train") & (accuracy["method"] == "autoencoder_exact")]
    exact = unseen[unseen["method"] == "autoencoder_exact"]
    assert set(exact["term"]) == set(known["term"]) and set(exact["label"]) == {"condition"}
    reconstruction = pd.read_csv(tables / "reconstruction.csv")
    assert list(reconstruction.columns) == (
        "dataset method seed fold split n_cells n_terms_active variance_explained"
    ).split()  # fmt: skip
    # without any label too, but not by a method that gives scores
    assert set(reconstruction["dataset"]) == {"simulated", "own", "unlabelled"}
    assert set(reconstruction["method"]) == {"autoencoder_exact", "pca"}
    folds = reconstruction.query("split == 'unseen'").groupby(["dataset", "method"])["n_cells"]
    assert dict(folds.sum()[:, "pca"]) == {"own": 90, "simulated": 120, "unlabelled": 90}
    assert dict(folds.size()["simulated"]) == {"autoencoder_exact": 2, "pca": 3}
    choice = pd.read_csv(tables / "choice.csv")
    assert list(choice.columns) == (
        "dataset method seed fold term n_train n_unseen train_accuracy accuracy "
        "balanced_accuracy auroc"
    ).split()  # fmt: skip
    each = pd.read_csv(tables / "folds.csv")
    assert list(each.columns) == (
        "dataset method seed fold term active auroc family_active family_auroc"
    ).split()  # fmt: skip
    keys = ["dataset", "method", "seed", "fold", "term"]
    beside = choice.merge(each, on=keys, suffixes=("", "_each"))
    assert len(beside) == len(choice) and beside["active"].all()
    np.testing.assert_allclose(beside["auroc"], beside["auroc_each"])
    figures = results / "figures"
    assert (figures / "own/best_term.png").exists()
    assert (figures / "unlabelled/reconstruction.png").exists()
    assert not (figures / "unlabelled/best_term.png").exists()


def test_dense_factors_and_seeds(finished):
    tables = finished[0] / "results/tables"
    table = pd.read_csv(tables / "dense_factors.csv")
    assert set(table["dataset"]) == {"simulated"}  # elsewhere no two methods differ in them only
    assert list(dict.fromkeys(table["method"]))[:4] == [
        "autoencoder_exact", "autoencoder_dense3", "fsclvm", "fsclvm_dense3"
    ]  # fmt: skip
    assert (table["method"] == "fsclvm").sum() == 2  # seeds
    assert list(table["seed"])[:5] == [0, 0, 222, 1, 222]
    accuracy = pd.read_csv(tables / "accuracy.csv").query("split == 'train'")
    for row in table.itertuples():
        fit = accuracy.query(
            "dataset == @row.dataset and method == @row.method and seed == @row.seed"
        )
        gene_sets = fit[~fit["term"].str.match("dense_")]
        assert row.accuracy == gene_sets["accuracy"].max()
        assert (row.n_dense > 0) == (row.unannotated_accuracy > 0)
    html = (finished[0] / "results/report.html").read_text()
    assert "f-scLVM and f-scLVM, 3 dense differ only in their dense factors." in html
    seeds = pd.read_csv(tables / "correlation_seeds.csv").query("dataset == 'simulated'")
    pair = seeds.query("method_a == 'fsclvm' and method_b == 'fsclvm_dense3'")
    assert set(pair["seed_a"]) == {222, 1} and set(pair["seed_b"]) == {222}


def test_an_unfinished_fit_counts_for_its_runtime_only(finished):
    tables = finished[0] / "results" / "tables"
    runtime = pd.read_csv(tables / "runtime.csv")
    runtime = runtime[runtime["dataset"] == "simulated"].set_index("method")
    assert runtime.loc["slalom_dense3", "projected"]
    assert not runtime.loc["slalom", "projected"]
    assert "slalom_dense3" not in set(pd.read_csv(tables / "accuracy.csv")["method"])
    assert "slalom" in set(pd.read_csv(tables / "accuracy.csv")["method"])


def test_report_holds_figures_and_captions(finished):
    html = (finished[0] / "results/report.html").read_text()
    for name in (
        "answer.html",
        "terms.html",
        "best_term.png",
        "terms.png",
        "necessity.png",
        "stability.png",
        "cost.png",
        "implanted.png",
        "recovery.png",
        "accuracy.png",
        "scatter.png",
        "network.png",
        "ablation.png",
        "scaling.png",
        "sweep_penalties.png",
    ):
        assert name in html
    for name in ("correlation.png", "relevance", "corrections/"):
        assert f"figures/own/{name}" not in html
    for category in ("1. The answer", "2. Figures", "3. Paper", "4. Appendix", "5. Tables"):
        assert category in html
    assert "Precision against recall of what was planted (planted; 2 draws" in html
    assert "system-message" not in html  # docutils found fault with a caption
    for pattern in ("figures/simulated/recovery.pdf", "figures/own/accuracy.pdf"):
        assert (finished[0] / "results" / pattern).stat().st_size > 1000


def test_captions_begin_with_what_was_found_and_the_report_with_the_answer(finished):
    results = finished[0] / "results"
    html = (results / "report.html").read_text()
    for place in ("own", "simulated", "unlabelled"):
        summary = (results / f"figures/{place}/answer.rst").read_text()
        head = summary.split("**")[1].replace("\\", "")
        assert head.startswith(f"{place}: ") and len(head) > 30
    found = (results / "figures/simulated/findings.rst").read_text()
    assert "AUROC" in found.partition(".. begin best_term;")[2].partition(".. end")[0]
    sentence = found.partition(".. begin best_term;")[2].split("**")[1].split("(")[0]
    assert sentence.replace("\\", "").strip() in html


def test_the_answer_says_what_is_known_and_what_is_not(finished):
    figures = finished[0] / "results/figures"
    own, unlabelled = (
        (figures / name / "answer.html").read_text() for name in ("own", "unlabelled")
    )
    assert "name no condition" in unlabelled and "AUROC on unseen cells" not in unlabelled
    for page in (own, unlabelled):
        assert "One fit of Autoencoder (exact) took" in page
        assert "gene sets" in page and "http" not in page.replace("http-equiv", "")


def test_the_page_of_terms_opens_within_the_report(finished, tmp_path):
    from selenium.webdriver.common.by import By

    browser = start_browser(tmp_path)
    try:
        browser.get((finished[0] / "results/report.html").as_uri())
        for text in ("1. The answer",):
            # in the menu, not in the text beside it
            path = f"//*[normalize-space(text())='{text}'][not(ancestor::*[@class='document'])]"
            found = wait_for(lambda path=path: browser.find_elements(By.XPATH, path), text)
            next(element for element in found if element.is_displayed()).click()
        row = "//tr[td[normalize-space(.)='simulated: 2. any term, interactive']]"
        wait_for(lambda: browser.find_elements(By.XPATH, row), "the page's row")
        browser.find_element(By.XPATH, row).find_element(By.TAG_NAME, "a").click()
        frame = wait_for(lambda: browser.find_elements(By.TAG_NAME, "iframe"), "the page's frame")
        browser.switch_to.frame(frame[0])
        wait_until_drawn(browser)
        assert "Terms of simulated" in browser.find_element(By.TAG_NAME, "h1").text
        methods = browser.find_elements(By.CSS_SELECTOR, "#methods span")
        assert "slalom" in [method.text for method in methods]
        assert "slalom, 3 dense" not in [method.text for method in methods]  # stopped by its budget
        search = browser.find_element(By.ID, "search")
        search.send_keys("pathway 3\n")
        wait_until_drawn(browser, "SIMULATED_PATHWAY_3")
        assert browser.find_element(By.TAG_NAME, "h2").text == "SIMULATED PATHWAY 3"
        assert errors_of(browser) == []
    finally:
        browser.quit()


def test_the_papers_claims_are_held_against_the_run(finished):
    results = finished[0] / "results"
    claims = pd.read_csv(results / "tables/claims.csv")
    own = claims[claims["dataset"] == "own"]
    assert set(own["paper_dataset"]) == {"kang17"}
    assert "autoencoder was not run on own" in " ".join(own["why"])
    general = claims[claims["paper_dataset"].isna()].set_index("claim")
    assert general.loc["new-cells", "verdict"] != "not run"
    table1 = pd.read_csv(results / "tables/table1.csv").dropna(subset="dataset")
    table1 = table1.set_index(["dataset", "method"]).sort_index()
    assert table1.loc[("simulated", "slalom_dense3"), "projected"]
    seconds = pd.read_csv(results / "tables/runtime.csv").groupby(["dataset", "method"])["seconds"]
    minutes = table1.loc[("simulated", "fsclvm"), "minutes"]
    assert minutes == pytest.approx(seconds.mean()["simulated", "fsclvm"] / 60, rel=1e-4)
    page = (results / "paper.html").read_text()
    assert all(f'id="{claim}' in page for claim in claims["claim"])
    report = (finished[0] / "results/report.html").read_text()
    assert "paper.html" in report and "3. Paper against this run" in report


def test_corrections_are_those_of_the_terms(finished):
    tables = finished[0] / "results" / "tables"
    keys = ["dataset", "method", "seed", "term"]
    corrections = pd.read_csv(tables / "corrections.csv")
    terms = pd.read_csv(tables / "terms.csv").query("kind == 'annotated'").set_index(keys)
    for change in ("added", "removed"):
        counted = terms[f"genes_{change}"].fillna("").str.split().str.len()
        listed = corrections[corrections["change"] == change].groupby(keys).size()
        assert listed.to_dict() == counted[counted > 0].to_dict(), change
    assert len(corrections) > 0


def test_figures_of_the_paper_and_the_talk(finished):
    figures = finished[0] / "results/figures"
    for dataset in ("simulated", "own"):
        for name in ("loadings", "correlation_bars", "agreement"):
            assert (figures / dataset / f"{name}.png").exists(), (dataset, name)
    assert not (figures / "unlabelled/loadings.png").exists()
    assert not (figures / "unlabelled/agreement.png").exists()  # one method
    html = (finished[0] / "results/report.html").read_text()
    assert "Stars: terms expected to matter here (SET_1)" in html


def test_a_truth_is_implanted_in_the_counts_of_another(finished):
    results = finished[0] / "results"
    own = read_h5ad(results / "own/loaded.h5ad")
    for name in ("implanted_1", "implanted_2"):
        thinned = read_h5ad(results / f"{name}/loaded.h5ad")
        cells = own[own.obs["condition"].isin(["a", "b"])]
        assert list(thinned.obs_names) == list(cells.obs_names)
        assert (thinned.X <= cells.X).all() and (thinned.X < cells.X).any()
    table = pd.read_csv(results / "tables/implanted.csv")
    assert list(table.columns) == "dataset method seed term metric value".split()
    assert set(table["dataset"]) == {"implanted_1", "implanted_2", "implanted_null_1"}
    methods = {"autoencoder_exact", "ulm", "plain_mean", "(oracle)"}
    assert methods <= set(table["method"])
    calls = pd.read_csv(results / "tables/implanted_calls.csv").set_index("method")
    assert {"autoencoder_exact", "ulm", "plain_mean"} == set(calls.index)
    assert set(calls["dataset"]) == {"implanted"} and set(calls["n_draws"]) == {2}
    assert calls.loc["ulm", "false_discovery_rate"] == 1  # it calls every term
    for stem in ("implanted/implanted", "implanted_null/implanted_null", "corrupted/corrupted"):
        assert (results / f"figures/{stem}.pdf").stat().st_size > 1000
    assert "implanted_1" not in set(pd.read_csv(results / "tables/recovery.csv")["dataset"])


def test_corrupted_gene_sets_are_scored_against_the_right_ones(finished):
    results = finished[0] / "results"
    prepared = read_h5ad(results / "corrupted_1/prepared.h5ad")
    own = read_h5ad(results / "own/prepared.h5ad")
    assert (prepared.X != own.X).sum() == 0
    assert (prepared.varm["true_annotations"] == own.varm["annotations"]).all()
    assert (prepared.varm["annotations"] != own.varm["annotations"]).any()
    table = pd.read_csv(results / "tables/corrupted.csv")
    assert set(table["method"]) == {"autoencoder_exact"}
    assert {*own.uns["terms"], "(all)"} <= set(table["term"])


def test_controls_stand_in_tables_and_captions(finished):
    tables = finished[0] / "results" / "tables"
    accuracy = pd.read_csv(tables / "accuracy.csv").query("dataset == 'simulated'")
    for method in ("score_genes", "ulm", "aucell", "plain_mean", "autoencoder_permuted"):
        terms = accuracy.query("method == @method")["term"]
        assert set(terms) == set(accuracy.query("method == 'autoencoder_exact'")["term"]), method
    stability = pd.read_csv(tables / "stability.csv")
    assert "autoencoder_permuted" in set(stability.query("kind == 'seeds'")["method"])
    recovery = pd.read_csv(tables / "recovery.csv")
    assert {"score_genes", "ulm", "aucell", "autoencoder_permuted"} <= set(recovery["method"])
    html = (finished[0] / "results/report.html").read_text()
    scale = "For scale ("
    scores = "score_genes; ULM; AUCell; plain mean"
    assert f"{scale}Autoencoder, shuffled gene sets; {scores}; PCA)" in html
    assert f"{scale}ULM; PCA)" in html  # of the other data set


def test_a_map_is_the_datas_own_where_it_has_one(finished):
    results = finished[0] / "results"
    drawn = read_h5ad(finished[0] / "own.h5ad").obsm["X_umap"]
    for name in ("own", "unlabelled"):  # as a whole, and in chunks
        found = read_embedding(results / name / "umap.csv")
        assert found["own"].all()
        np.testing.assert_allclose(found[["umap_1", "umap_2"]], drawn, rtol=1e-4)
    computed = read_embedding(results / "simulated/umap.csv")
    assert not computed["own"].any() and computed[["umap_1", "umap_2"]].std().min() > 0


def test_data_without_labels_run_without_label_analyses(finished):
    results = finished[0] / "results"
    assert (results / "figures/unlabelled/scatter.png").exists()
    assert (results / "figures/unlabelled/terms.html").exists()
    assert not (results / "figures/unlabelled/accuracy.png").exists()
    assert "unlabelled" not in set(pd.read_csv(results / "tables/accuracy.csv")["dataset"])
    assert "unlabelled" in set(pd.read_csv(results / "tables/terms.csv")["dataset"])


def test_a_second_run_does_nothing_and_a_new_label_repeats_no_fit(finished):
    folder, config = finished
    again = snakemake(folder, *config, "--dry-run")
    assert "Nothing to be done" in again.stdout + again.stderr
    label = ["--config", 'methods={"slalom": {"label": "the reference"}}']
    relabelled = snakemake(folder, *config, *label, "--dry-run")
    output = relabelled.stdout + relabelled.stderr
    assert "rule figures_of_the_run:" in output
    steps = ("train", "train_and_score", "score", "prepare")
    assert not any(f"rule {name}:" in output for name in steps)


def test_dry_run_of_the_paper_needs_no_data(folder):
    done = snakemake(folder, "--dry-run")
    assert done.returncode == 0, done.stderr
    for rule in (
        "train ",
        "score ",
        "compare_kang17",
        "figures_kang17",
        "fetch",
        "figures_of_the_run",
    ):
        assert rule in done.stdout + done.stderr


def test_draws_alone_prepare_the_data_that_lend_their_gene_sets(folder):
    done = snakemake(folder, "--dry-run", "--config", 'run={"datasets": ["planted"]}')
    assert done.returncode == 0, done.stderr
    output = done.stdout + done.stderr
    assert "kang17/prepared.h5ad" in output and "GSE96583_RAW.tar" in output
    assert "kang17/autoencoder_exact" not in output


def test_fetch_all_names_every_download(folder):
    done = snakemake(folder, "--dry-run", "fetch_all")
    assert "GSE96583_RAW.tar" in done.stdout + done.stderr
    assert done.returncode == 0


def test_a_mistake_in_the_config_stops_before_any_job(folder, tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text(json.dumps({"run": {"datasets": ["kang71"]}}))
    done = snakemake(folder, "--dry-run", "--configfile", str(path))
    assert done.returncode != 0
    assert "no entry 'kang71'; did you mean 'kang17'" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"metods": {}}, "unknown key 'metods'; did you mean 'methods'"),
        ({"methods": {"pca": {"seeds": []}}}, "methods: pca: seeds"),
        (
            {"sweep": {"penalties": {"grid": {"lamda1": [1]}}}},
            "no parameter 'lamda1' to sweep over; did you mean 'lambda1'",
        ),
    ],
)
def test_config_mistakes_are_found_by_what_the_snakefile_asks(tmp_path, config, message):
    path = tmp_path / "wrong.yaml"
    path.write_text(json.dumps(config))
    with pytest.raises(ConfigError) as caught:
        Benchmark(merge(read_config(DEFAULTS), read_config(path)))
    assert message in str(caught.value)


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *args):
        """Keep the test's output clean."""


def test_a_data_set_by_its_address(folder, tmp_path):
    served = tmp_path / "served"
    served.mkdir()
    rng = np.random.default_rng(1)
    own = read_own(rng.poisson(2.0, (40, 30)).astype(np.float32), rng)
    own.write_h5ad(served / "cells.h5ad")
    (served / "sets.gmt").write_text("A\tx\t" + "\t".join(own.var_names) + "\n")
    handler = partial(Quiet, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        sha256 = hashlib.sha256((served / "cells.h5ad").read_bytes()).hexdigest()
        entry = {"source": "file", "url": f"{base}/cells.h5ad", "gene_sets": ["own"]}
        config = {
            "results": "url_results",
            "resources": "url_resources",
            "run": {"datasets": ["fetched"], "methods": ["pca"]},
            "gene_sets": {"own": {"url": [f"{base}/none.gmt", f"{base}/sets.gmt"]}},
            "datasets": {"fetched": entry | {"sha256": sha256}},
        }
        path = tmp_path / "url.yaml"
        path.write_text(json.dumps(config))
        done = snakemake(folder, "url_results/fetched/prepared.h5ad", "--configfile", str(path))
        assert done.returncode == 0, done.stdout + done.stderr
        check_prepared(read_h5ad(folder / "url_results/fetched/prepared.h5ad"))

        config["datasets"]["fetched"]["sha256"] = "0" * 64
        config["resources"] = "other_resources"
        path.write_text(json.dumps(config))
        wrong = snakemake(folder, "fetch_all", "--configfile", str(path))
    assert wrong.returncode != 0
    assert "cells.h5ad: could not be fetched" in wrong.stdout + wrong.stderr
    assert not (folder / "other_resources/cells.h5ad").exists()


def test_a_failing_job_says_why_and_leaves_nothing(folder, tmp_path):
    adata = intae.simulate(n_cells=30, n_genes=40, n_terms=4, n_active=3)
    adata.X = np.round(adata.X)
    adata.X[3] = -1
    adata.write_h5ad(tmp_path / "bad.h5ad")
    sets = tmp_path / "sets.gmt"
    sets.write_text("A\tx\t" + "\t".join(adata.var_names) + "\n")
    config = {
        "results": "bad_results",
        "run": {"datasets": ["bad"], "methods": ["pca"]},
        "gene_sets": {"own": {"file": str(sets)}},
        "datasets": {
            "bad": {"source": "file", "file": str(tmp_path / "bad.h5ad"), "gene_sets": ["own"]}
        },
    }
    path = tmp_path / "bad.yaml"
    path.write_text(json.dumps(config))
    done = snakemake(folder, "--configfile", str(path))
    assert done.returncode != 0
    assert "Error: data set 'bad': X holds negative values (-1 to 9)" in done.stdout + done.stderr
    assert not list((folder / "bad_results").glob("**/*.h5ad"))


@pytest.fixture(scope="module")
def help_text():
    """The options of snakemake, in its own words."""
    command = [sys.executable, "-m", "snakemake", "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("profile", sorted((ROOT / "profiles").iterdir()), ids=lambda p: p.name)
def test_profiles_are_yaml_with_known_options(profile, help_text):
    import yaml

    options = yaml.safe_load((profile / "config.yaml").read_text())
    if "--slurm-" not in help_text:  # options of the plugin, which is not installed
        options = [option for option in options if not option.startswith("slurm-")]
    for option in options:
        assert f"--{option} " in help_text or f"--{option}," in help_text, option


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["snakefmt", "--check", "Snakefile", "rules"],
        ["snakemake", "--lint"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_style(command):
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_exact_engine_ends_where_slalom_ends(finished):
    correlation = pd.read_csv(finished[0] / "results/tables/correlation.csv")
    pair = correlation.query("method_a == 'fsclvm' and method_b == 'slalom'")
    r = pair["r"].dropna()
    assert len(r) >= 2
    np.testing.assert_allclose(r, 1, atol=1e-5)


@pytest.fixture
def example(tmp_path):
    """The worked example of docs/own_model.md, in a folder that is not the working directory."""
    text = (ROOT / "docs/own_model.md").read_text(encoding="utf-8")
    (_, code), (_, config) = re.findall(r"```(python|yaml)\n(.*?)```", text, flags=re.DOTALL)[:2]
    small = {"n_cells": 60, "n_genes": 40, "n_terms": 4, "n_active": 3, "n_dense": 0, "seed": 0}
    config += "datasets: {simulated: {params: " + json.dumps(small) + "}}\nresults: own_model\n"
    (tmp_path / "plage.py").write_text(code, encoding="utf-8")
    (tmp_path / "plage.yaml").write_text(config, encoding="utf-8")
    return tmp_path


def test_a_class_of_anyones_is_planned_where_it_cannot_be_imported(folder, example):
    code = (example / "plage.py").read_text(encoding="utf-8")
    (example / "plage.py").write_text("import no_such_package\n" + code, encoding="utf-8")
    done = snakemake(folder, "--dry-run", "--configfile", str(example / "plage.yaml"))
    assert done.returncode == 0, done.stderr
    assert "own_model/simulated/plage/seed0/model.h5" in done.stdout + done.stderr
    assert "own_model/simulated/plage/halves.csv" in done.stdout + done.stderr
    (example / "plage.py").write_text(code.replace("seed=0, ", ""), encoding="utf-8")
    wrong = snakemake(folder, "--dry-run", "--configfile", str(example / "plage.yaml"))
    assert wrong.returncode != 0
    assert "methods: plage: model: 'plage:Plage': its __init__ takes no seed=" in (
        wrong.stdout + wrong.stderr
    )
    assert "Traceback" not in wrong.stdout + wrong.stderr


def test_a_class_of_anyones_is_trained_and_scored(folder, example):
    asked = ["own_model/simulated/plage/seed0/scores.zip", "own_model/simulated/plage/halves.csv"]
    done = snakemake(folder, *asked, "--configfile", str(example / "plage.yaml"))
    assert done.returncode == 0, done.stderr[-3000:]
    about = read_facts(folder / "own_model/simulated/plage/seed0/fit.json")
    assert about["model"] == "plage:Plage" and about["n_terms"] == 4
    halves = pd.read_csv(folder / asked[1]).set_index("term")["r"]
    terms = [f"SIMULATED_PATHWAY_{k + 1}" for k in range(4)]
    assert halves[terms].between(0, 1).all()


def test_peers_are_planned_or_skipped_with_a_line(folder):
    from importlib.util import find_spec

    done = snakemake(folder, "--dry-run", "--configfile", "peers.yaml")
    assert done.returncode == 0, done.stderr
    output = done.stdout + done.stderr
    for method, package in {
        "mofaflex": "mofaflex",
        "expimap": "scarches",
        "spectra": "Spectra",
        "muvi": "muvi",
        "linearscvi": "scvi",
        "cnmf": "cnmf",
    }.items():
        skipped = f"methods: {method}: is skipped, since the package {package}"
        assert output.count(skipped) == (find_spec(package) is None)
        assert (f"kang17/{method}/seed0" in output) == (find_spec(package) is not None)
