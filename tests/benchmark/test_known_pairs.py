"""Known pairs in the config: whose they are, what is refused, who scores and draws them."""

import copy
from pathlib import Path

import pytest
import yaml

from intae.benchmark.cli import main
from intae.benchmark.config import load_config
from intae.benchmark.facts import facts_of, figures_of
from intae.benchmark.jobs import Jobs, named_terms
from intae.benchmark.plan import Benchmark
from intae.errors import ConfigError

ROOT = Path(__file__).parents[2]
PAIR = {"term": "DNA_REPAIR", "label": "condition", "values": ["stage 3"], "source": "a test"}


@pytest.fixture
def paper(monkeypatch):
    monkeypatch.delenv("INTAE_MIRROR", raising=False)
    return load_config([ROOT / "config.yaml"])


def test_the_papers_data_sets_have_pairs_with_sources(paper):
    jobs = Jobs(Benchmark(paper))
    for dataset in ("kang17", "macosko15", "buettner15"):
        pairs = jobs.benchmark.known_pairs(dataset)
        assert pairs and all(len(pair["source"]) > 10 for pair in pairs)
        assert jobs.scoring(dataset)["known_pairs"] == pairs
        assert "known_pairs" in jobs.tables_of(dataset)
        assert "known_pairs" in jobs.scores_of(dataset, "ulm")
        assert "known_pairs" not in jobs.scores_of(dataset, "pca")  # its terms have no names
        assert "known_pairs" in [row.name for row in figures_of(jobs, dataset)]
        assert facts_of(jobs, dataset)["known_pairs"] == pairs
        assert {pair["term"] for pair in pairs} <= set(jobs.compare_params(dataset)["named"])
    of_kang = {(p["term"], *p["values"]) for p in jobs.benchmark.known_pairs("kang17")}
    assert ("SIGNALING_BY_THE_B_CELL_RECEPTOR_BCR", "B cells") in of_kang  # figure 1b
    for dataset in ("covid_balf", "simulated"):
        assert "known_pairs" not in jobs.tables_of(dataset)
        assert "known_pairs" not in jobs.scoring(dataset)


def test_a_part_of_a_data_set_has_its_pairs(paper):
    for name in ("part", "none", "own"):
        entry = {"source": "simulated", "labels": {"condition": "condition"}}
        paper["datasets"][name] = entry
    paper["analyses"]["part"] = {"paper": "kang17"}
    paper["analyses"]["none"] = {"paper": "kang17", "known_pairs": []}
    paper["analyses"]["own"] = {"paper": "kang17", "known_pairs": [PAIR]}
    benchmark = Benchmark(paper)
    found = benchmark.known_pairs("part")  # which has no cell types
    assert [pair["term"] for pair in found] == ["INTERFERON_ALPHA_BETA_SIGNALING"]
    assert benchmark.known_pairs("none") == []
    assert benchmark.known_pairs("own") == [PAIR]
    assert named_terms(paper["analyses"]["own"]) == ["DNA_REPAIR"]  # so a dropped one is told of


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "donor"}, "known_pairs: DNA_REPAIR: datasets: buettner15 names no donor"),
        ({"label": "conditon"}, "'conditon' is unknown; did you mean 'condition'"),
        ({"values": []}, "known_pairs: 0: values"),
        ({"source": None}, "known_pairs: 0: the key 'source' is missing"),
        ({"gene_set": "X"}, "known_pairs: 0: unknown key 'gene_set'"),
    ],
)
def test_mistakes_are_named(paper, change, message):
    changed = {key: value for key, value in (PAIR | change).items() if value is not None}
    paper["analyses"]["buettner15"]["known_pairs"] = [changed]
    with pytest.raises(ConfigError) as error:
        Benchmark(paper)
    assert message in str(error.value)


def test_check_looks_for_the_values(tmp_path, capsys, counts, monkeypatch):
    monkeypatch.delenv("INTAE_MIRROR", raising=False)
    counts.write_h5ad(tmp_path / "x.h5ad")
    genes = "\t".join(counts.var_names)
    (tmp_path / "sets.gmt").write_text(f"DNA_REPAIR\tx\t{genes}\n")
    mine = {
        "source": "file", "file": str(tmp_path / "x.h5ad"), "gene_sets": ["own"], "min_genes": 1,
        "labels": {"condition": "condition"},
    }  # fmt: skip
    config = {
        "run": {"datasets": ["mine"]},
        "gene_sets": {"own": {"file": str(tmp_path / "sets.gmt")}},
        "datasets": {"mine": mine},
        "analyses": {"mine": {"known_pairs": [PAIR | {"values": ["stimm"]}]}},
    }
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(config))
    assert main(["check", str(path)]) == 1
    error = capsys.readouterr().err
    assert (
        "known_pairs: DNA_REPAIR: no cell has the condition 'stimm'; did you mean 'stim'" in error
    )
    right = copy.deepcopy(config)
    right["analyses"]["mine"]["known_pairs"][0]["values"] = ["stim"]
    path.write_text(yaml.safe_dump(right))
    assert main(["check", str(path)]) == 0


def test_check_looks_for_the_terms_in_the_gene_set_files(tmp_path, capsys):
    (tmp_path / "sets.gmt").write_text("X_DNA_REPAIR\tx\tGENE1\n")
    mine = {"source": "file", "url": "http://localhost/none.h5ad", "gene_sets": ["own"]}
    config = {
        "run": {"datasets": ["mine"]},
        "gene_sets": {"own": {"file": str(tmp_path / "sets.gmt"), "remove_prefix": "X_"}},
        "datasets": {"mine": mine},
        "analyses": {"mine": {"scatter": ["DNA_REPAIR", "DNA_REPIAR"]}},
    }
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(config))
    assert main(["check", str(path)]) == 1
    told = "config, analyses: mine: scatter: there is no gene set 'DNA_REPIAR'; did you mean 'DNA_"
    assert told in capsys.readouterr().err
