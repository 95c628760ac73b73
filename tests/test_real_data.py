"""The paper's headline on the real Kang17 subset, read from a finished run of the workflow.

Run by the gate after `snakemake --configfile tests/config/kang17_subset.yaml`; the environment
variable INTAE_KANG17_RESULTS names the results folder.
"""

import os
from pathlib import Path

import pandas as pd
import pytest

from intae.benchmark.registry import METHODS

INTERFERON = {
    "INTERFERON_SIGNALING",
    "CYTOKINE_SIGNALING_IN_IMMUNE_SYSTEM",
    "INTERFERON_ALPHA_BETA_SIGNALING",
}


@pytest.fixture(scope="module")
def results():
    folder = os.environ.get("INTAE_KANG17_RESULTS")
    if not folder:
        pytest.skip("INTAE_KANG17_RESULTS names no results")
    return Path(folder)


@pytest.fixture(scope="module")
def accuracy(results):
    return pd.read_csv(results / "tables/accuracy.csv")


def test_best_term_of_the_autoencoder(accuracy):
    part = accuracy[(accuracy["split"] == "train") & (accuracy["method"] == "autoencoder")]
    assert set(part["seed"]) == {0, 1}
    for seed, fit in part.groupby("seed"):
        best = fit.loc[fit["accuracy"].idxmax()]
        assert best["term"] in INTERFERON, f"seed {seed}: {best['term']}"
        assert best["accuracy"] >= 0.93


def test_the_term_separates_held_out_donors_too(accuracy):
    part = accuracy[(accuracy["split"] == "held_out") & (accuracy["method"] == "autoencoder")]
    best = part[part["term"].isin(INTERFERON)].groupby("seed")["accuracy"].max()
    assert (best >= 0.9).all()


def test_the_exact_autoencoder_says_the_same_of_other_cells(results):
    table = pd.read_csv(results / "tables/stability.csv")
    table = table[(table["method"] == "autoencoder_exact") & (table["kind"] == "halves")]
    r = table.set_index("term")["r"]
    assert r["(number of pairs)"] == 20
    assert r["(median |r|)"] >= 0.98
    assert r["(mean |r|)"] >= 0.92
    assert r["(Jaccard index of active terms)"] >= 0.95
    assert r["(shared of the 10 most relevant)"] >= 9


def test_planted_terms_are_found_among_real_overlaps(results):
    recovery = pd.read_csv(results / "tables/recovery.csv")
    assert set(recovery["dataset"]) == {"planted_1", "planted_2"}
    precision = recovery[recovery["metric"] == "average precision of active terms"]
    precision = precision.groupby("method")["value"].mean()
    assert precision["autoencoder_exact"] >= 0.8
    assert precision["fsclvm_annotation"] > precision["fsclvm_dense3"]


def test_single_scores_give_many_false_positives_and_the_exact_autoencoder_few(results):
    counts = pd.read_csv(results / "tables/false_positives.csv")
    false = counts[(counts["rule"] == "differs between conditions") & (counts["outcome"] != "true")]
    false = false.groupby(["method", "dataset"])["n"].sum()
    for method in ("score_genes", "ulm", "aucell"):
        assert (false[method] >= 20).all(), method
    assert (false["autoencoder_exact"] <= 5).all()


def test_slalom_ran_within_its_budget_and_is_marked(results):
    runtime = pd.read_csv(results / "tables/runtime.csv")
    runtime = runtime[runtime["dataset"] == "kang17_subset"].set_index("method")
    for method in ("slalom", "slalom_dense3"):
        assert runtime.loc[method, "projected"]
        assert runtime.loc[method, "seconds"] > 10 * runtime["seconds"]["autoencoder"].max()


def test_the_papers_claims_on_a_part_of_its_data(results):
    claims = pd.read_csv(results / "tables/claims.csv")
    claims = claims[claims["dataset"] == "kang17_subset"].set_index("claim")
    for claim in ("kang17-ratio", "kang17-interferon-autoencoder"):
        assert claims.loc[claim, "verdict"] == "agrees", claims.loc[claim, "found"]
    # minutes of a third of the cells are not the paper's minutes
    assert claims.loc["kang17-time-slalom", "verdict"] in ("partly", "differs")
    assert claims.loc["kang17-interpretability", "verdict"] == "differs"
    assert "4,470 cells" in (results / "paper.html").read_text()


def test_every_method_and_figure_is_there(results):
    runtime = pd.read_csv(results / "tables/runtime.csv")
    assert set(runtime["method"]) == set(METHODS)
    figures = results / "figures/kang17_subset"
    for name in ("best_term", "terms", "necessity", "accuracy", "scatter"):
        assert (figures / f"{name}.png").stat().st_size > 10_000
    answer = (figures / "answer.html").read_text()
    assert "INTERFERON" in answer and "AUROC" in answer and "data:image/png" in answer
    assert (results / "report.html").stat().st_size > 100_000
