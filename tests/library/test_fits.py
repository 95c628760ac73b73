"""A fit on disk, and as everything after training reads it."""

import json

import numpy as np
import pytest

import intae
from intae import PCA
from intae.errors import IntaeError
from intae.fits import read_facts, read_finished_fits, read_fit, read_labels, write_fit
from intae.io import write_h5ad


def test_a_fit_is_a_model_and_its_facts(simulated, tmp_path):
    model, prepared = PCA(n_dense=3).fit(simulated), tmp_path / "prepared.h5ad"
    write_h5ad(simulated, prepared)
    path = tmp_path / "seed0/model.h5"
    write_fit(model, path, {"method": "pca", "seed": 0})
    assert sorted(p.name for p in path.parent.iterdir()) == ["fit.json", "model.h5"]
    fit = read_fit(path, read_labels(prepared))
    np.testing.assert_allclose(fit.loadings, model.loadings_, rtol=1e-5, atol=1e-5)
    assert list(fit.terms.index) == ["dense_1", "dense_2", "dense_3"]
    assert fit.about["model"] == "PCA" and fit.about["parameters"]["n_dense"] == 3
    assert fit.obs.equals(simulated.obs)
    assert isinstance(intae.load(path), PCA)


def test_a_fit_that_a_budget_stopped_counts_for_its_runtime_only(simulated, tmp_path):
    paths = [tmp_path / f"seed{seed}/model.h5" for seed in (0, 1)]
    for path in paths:
        write_fit(PCA(n_dense=2).fit(simulated), path, {"method": "pca"})
    facts = paths[1].with_name("fit.json")
    facts.write_text(json.dumps(read_facts(facts) | {"projected": True}), encoding="utf-8")
    assert len(read_finished_fits(paths, simulated.obs)) == 1


def test_broken_files_are_refused_by_name(tmp_path):
    (tmp_path / "fit.json").write_text("{", encoding="utf-8")
    with pytest.raises(IntaeError, match="is not the facts of a fit"):
        read_facts(tmp_path / "fit.json")
    (tmp_path / "model.h5").write_text("text", encoding="utf-8")
    with pytest.raises(IntaeError, match="is not a model saved by intae"):
        intae.load(tmp_path / "model.h5")


def test_half_a_file_is_never_left(simulated, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr("anndata.io.write_elem", fail)
    with pytest.raises(OSError, match="No space left"):
        write_fit(PCA(n_dense=2).fit(simulated), tmp_path / "model.h5", {})
    assert list(tmp_path.iterdir()) == []


def test_load_reads_any_class_and_says_what_it_cannot_read(simulated, tmp_path):
    path = tmp_path / "model.h5"
    score = intae.GeneSetScore("mean").fit(simulated)
    score.save(path)
    loaded = intae.load(path)
    assert type(loaded) is intae.GeneSetScore and loaded.get_params() == score.get_params()
    with pytest.raises(IntaeError, match=r"holds a GeneSetScore, not a PCA; intae\.load reads any"):
        PCA.load(path)
    for load in (intae.load, PCA.load):
        with pytest.raises(FileNotFoundError, match=r"none\.h5: there is no such file"):
            load(tmp_path / "none.h5")
    write_h5ad(simulated, tmp_path / "cells.h5ad")
    with pytest.raises(IntaeError, match=r"cells\.h5ad: is not a model saved by intae"):
        intae.load(tmp_path / "cells.h5ad")
