"""Truth implanted in real counts: thinning takes counts away as the truth says, and no others."""

import anndata
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

import intae
from intae.errors import IntaeError
from intae.metrics.implanted import correlations

N_CELLS, N_GENES = 400, 120


@pytest.fixture(scope="module")
def real():
    """Counts of 400 cells; three sets of 20 genes that share none, and one that holds half of two.

    Genes 80 to 119 are in no set.
    """
    rng = np.random.default_rng(0)
    mean = rng.gamma(2.0, 4.0, N_GENES) * rng.gamma(5.0, 0.2, (N_CELLS, 1))
    adata = AnnData(rng.poisson(mean + 2).astype(np.float32))
    adata.var_names = [f"G{i}" for i in range(N_GENES)]
    adata.obs_names = [f"c{i}" for i in range(N_CELLS)]
    adata.obs["type"] = np.resize(["B", "T", "T"], N_CELLS)
    return adata


@pytest.fixture(scope="module")
def sets():
    named = {f"S{k}": [f"G{i}" for i in range(20 * k, 20 * k + 20)] for k in range(4)}
    return named | {"BETWEEN": [f"g{i}" for i in range(10, 30)], "SMALL": ["G0", "G1"]}


def implant(real, sets, **changes):
    return intae.implant(real, sets, **({"n_sets": 3, "seed": 1} | changes))


def responds(adata):
    return adata.varm["true_genes"] != 0


@pytest.mark.parametrize("design", ["groups", "graded"])
def test_thinning_never_adds_and_touches_no_other_gene(real, sets, design):
    thinned = implant(real, sets, design=design, outside=2)
    assert (thinned.X <= real.X).all() and (thinned.X >= 0).all()
    assert (thinned.X == np.round(thinned.X)).all() and thinned.X.dtype == real.X.dtype
    untouched = ~responds(thinned).any(1)
    np.testing.assert_array_equal(thinned.X[:, untouched], real.X[:, untouched])
    assert (thinned.X[:, ~untouched].sum(0) < real.X[:, ~untouched].sum(0)).all()


@pytest.mark.parametrize("design", ["groups", "graded"])
def test_the_expectation_is_that_of_the_equation(real, sets, design):
    many = AnnData(np.full((4000, N_GENES), 50.0), var=real.var)
    thinned = implant(many, sets, design=design, opposite=0.3, effect=1.5)
    a, w = thinned.obsm["true_activity"], thinned.varm["true_genes"]
    loss = np.maximum(w, 0) @ (1 - a).T + np.maximum(-w, 0) @ a.T
    expected = 50 * 2.0**-loss.T
    np.testing.assert_allclose(thinned.X.mean(0), expected.mean(0), rtol=0.03)
    group = a[:, 0] > 0.5
    np.testing.assert_allclose(thinned.X[group].mean(0), expected[group].mean(0), rtol=0.04)


def test_full_activity_keeps_all_counts_and_none_loses_as_much_as_said(real, sets):
    thinned = implant(real, sets, n_sets=1)
    own, on = responds(thinned)[:, 0], thinned.obsm["true_activity"][:, 0] == 1
    assert on.sum() == N_CELLS / 2
    np.testing.assert_array_equal(thinned.X[on][:, own], real.X[on][:, own])
    kept = thinned.X[~on][:, own].sum(0) / real.X[~on][:, own].sum(0)
    np.testing.assert_allclose(kept, 2.0 ** -thinned.varm["true_genes"][own, 0], atol=0.05)


def test_genes_that_go_the_other_way_lose_where_the_activity_is(real, sets):
    thinned = implant(real, sets, n_sets=1, opposite=1.0)
    own, on = responds(thinned)[:, 0], thinned.obsm["true_activity"][:, 0] == 1
    assert (thinned.varm["true_genes"][own] < 0).all()
    np.testing.assert_array_equal(thinned.X[~on][:, own], real.X[~on][:, own])
    assert thinned.X[on][:, own].sum() < 0.6 * real.X[on][:, own].sum()
    row = thinned.uns["implanted"].iloc[0]
    assert row["genes"] == "" and len(row["opposite"].split()) == own.sum()


def test_the_seed_decides_everything_and_the_storage_nothing(real, sets):
    first, again, other = (implant(real, sets, seed=s) for s in (3, 3, 4))
    np.testing.assert_array_equal(first.X, again.X)
    assert first.uns["implanted"].equals(again.uns["implanted"])
    assert not np.array_equal(first.X, other.X)
    for kind in (sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array):
        kept = real.copy()
        kept.X = kind(kept.X)
        thinned = implant(kept, sets, seed=3)
        assert isinstance(thinned.X, kind)
        np.testing.assert_array_equal(thinned.X.toarray(), first.X)
    assert sparse.issparse(kept.X) and (kept.X.toarray() == real.X).all()  # not modified


def test_sets_share_and_hold_genes_as_asked(real, sets):
    thinned = implant(real, sets, share=0.5, outside=3)
    table = thinned.uns["implanted"]
    assert "SMALL" not in table.index  # two genes
    members = [{g.upper() for g in sets[term]} for term in table.index]
    assert not any(a & b for i, a in enumerate(members) for b in members[:i])
    for k, (term, row) in enumerate(table.iterrows()):
        genes, outside = set(row["genes"].split()), set(row["outside"].split())
        assert genes <= members[k] and len(genes) == 10 and row["n_genes"] == 20
        assert len(outside) == 3 and not outside & members[k]
        known = set().union(*({g.upper() for g in s} for s in sets.values()))
        assert outside <= known
        assert set(thinned.var_names[responds(thinned)[:, k]]) == genes | outside
        assert (row["design"], row["effect"], row["null"]) == ("groups", 2.0, ""), term
    only = implant(real, sets, n_sets=2, among=["S3", "S1"]).uns["implanted"]
    assert set(only.index) == {"S1", "S3"}


def test_annotations_say_the_same_as_sets(real, sets):
    upper = {name: [g.upper() for g in genes] for name, genes in sets.items()}
    table = pd.DataFrame({n: real.var_names.isin(g) for n, g in upper.items()}, real.var_names)
    np.testing.assert_array_equal(implant(real, table.astype(int)).X, implant(real, sets).X)


@pytest.mark.parametrize("design", ["groups", "graded"])
def test_activities_have_their_design(real, sets, design):
    a = implant(real, sets, design=design).obsm["true_activity"]
    assert a.shape == (N_CELLS, 3)
    assert (a >= 0).all() and (a <= 1).all() and np.isin(a, (0, 1)).all() == (design == "groups")
    # of one draw the mean is uncertain by .014, of twelve thousand cells by .003
    every = [implant(real, sets, design=design, seed=s).obsm["true_activity"] for s in range(10)]
    if design == "graded":
        np.testing.assert_allclose(np.quantile(every, [0.25, 0.75]), [0.25, 0.75], atol=0.016)
    assert np.mean(every) == pytest.approx(0.5, abs=0.012)
    apart = correlations(a.astype(float), a[:, 0].astype(float))[1:]
    together = implant(real, sets, design=design, correlated=0.8).obsm["true_activity"]
    alike = correlations(together.astype(float), together[:, 0].astype(float))[1:]
    assert apart.max() < 0.2 and alike.min() > 0.4


def test_an_activity_can_be_confined(real, sets):
    thinned = implant(real, sets, confined_to={"type": "B"})
    inside = (real.obs["type"] == "B").to_numpy()
    assert not thinned.obsm["true_activity"][~inside].any()
    np.testing.assert_allclose(thinned.obsm["true_activity"][inside].mean(0), 0.5, atol=0.01)
    both = implant(real, sets, confined_to={"type": ["B", "T"]})
    np.testing.assert_array_equal(both.X, implant(real, sets).X)


@pytest.mark.parametrize("kind", ["labels", "sets", "depth"])
def test_nothing_is_implanted_in_a_null(real, kind):
    null = intae.implanted_null(real, kind, n_sets=4, seed=2)
    assert not null.varm["true_genes"].any()
    assert set(null.uns["implanted"]["null"]) == {kind}
    assert null.obsm["true_activity"].shape == (N_CELLS, 1 if kind == "depth" else 4)
    again = intae.implanted_null(real, kind, n_sets=4, seed=2)
    np.testing.assert_array_equal(null.X, again.X)
    assert null.var_names.equals(again.var_names)
    if kind == "depth":
        whole = null.obsm["true_activity"][:, 0] == 1
        np.testing.assert_array_equal(null.X[whole], real.X[whole])
        assert null.X[~whole].sum() / real.X[~whole].sum() == pytest.approx(0.5, abs=0.01)
    else:
        np.testing.assert_array_equal(null.X, real.X)
    assert null.var_names.equals(real.var_names) == (kind != "sets")


def test_random_sets_keep_their_expression(real):
    null = intae.implanted_null(real, "sets", seed=0)
    assert sorted(null.var_names) == sorted(real.var_names)
    mean = pd.Series(real.X.mean(0), real.var_names)
    now = pd.Series(null.X.mean(0), null.var_names)[mean.index]
    assert (now != mean).sum() > N_GENES / 3
    assert np.corrcoef(now.rank(), mean.rank())[0, 1] > 0.98


def test_the_truth_goes_through_a_file_and_the_preparation(real, sets, tmp_path):
    thinned = implant(real, sets)
    thinned.write_h5ad(tmp_path / "x.h5ad")
    prepared = intae.prepare(anndata.read_h5ad(tmp_path / "x.h5ad"), sets, n_hvgs=60, min_genes=5)
    assert prepared.obsm["true_activity"].shape == (N_CELLS, 3)
    assert prepared.varm["true_genes"].shape == (prepared.n_vars, 3)
    table = prepared.uns["implanted"]
    pd.testing.assert_frame_equal(
        table, thinned.uns["implanted"], check_dtype=False, check_index_type=False
    )
    for k, names in enumerate(table["genes"].str.split()):
        expected = prepared.var_names.isin(names)
        np.testing.assert_array_equal(responds(prepared)[:, k], expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"design": "grade"}, "design must be one of .*; did you mean 'graded'"),
        ({"share": 0}, r"share must be a number in \(0, 1\], not 0"),
        ({"effect": -1}, "effect must be a finite number that is not negative"),
        ({"correlated": 1}, r"correlated must be a number in \[0, 1\)"),
        ({"n_sets": 5}, "only 4 of 5 sets could be drawn: 5 sets have more than min_genes=13"),
        ({"confined_to": {"typ": "B"}}, "no column 'typ' in obs; did you mean 'type'"),
        ({"confined_to": {"type": "NK"}}, "leaves fewer than two cells"),
    ],
)
def test_mistakes_are_told_of(real, sets, changes, message):
    sets = {name: genes for name, genes in sets.items() if name != "BETWEEN"} | {"TWIN": sets["S0"]}
    with pytest.raises(IntaeError, match=message):
        implant(real, sets, **changes)


@pytest.mark.parametrize("wrong", [-1.0, 0.5])
def test_only_counts_can_be_thinned(real, sets, wrong):
    broken = real.copy()
    broken.X[3, 4] = wrong
    with pytest.raises(IntaeError, match="only raw counts can be thinned"):
        implant(broken, sets)
    with pytest.raises(IntaeError, match="only raw counts can be thinned"):
        intae.implanted_null(broken)
    with pytest.raises(IntaeError, match=r"kind must be one of .*; did you mean 'labels'"):
        intae.implanted_null(real, "label")
