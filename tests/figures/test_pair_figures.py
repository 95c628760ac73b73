"""Figures of how far methods agree show the right pairs, with whole labels."""

import numpy as np
import pandas as pd
import pytest
from figure_texts import all_texts, tick_texts
from fits import LONG, make_fit
from matplotlib.colors import to_rgb

from intae.figures.agreement import plot_agreement, plot_correlation_bars
from intae.figures.style import STAR, method_colors
from intae.metrics.agreement import agreement_table, correlate_pairs

pytestmark = pytest.mark.usefixtures("close_figures")

LABELS = {"ae": "Autoencoder", "fsclvm": "f-scLVM", "slalom": "slalom", "pca": "PCA"}


@pytest.fixture
def correlation():
    return pd.DataFrame(
        [("ae", "fsclvm", "x", -0.9, 2), ("ae", "fsclvm", LONG, 0.1, 1),
         ("ae", "fsclvm", "z", np.nan, 3), ("ae", "slalom", "x", 0.5, 2),
         ("fsclvm", "slalom", "x", 0.25, 2), ("fsclvm", "slalom", LONG, -1.0, 1),
         ("fsclvm", "slalom", "z", 0.75, 3)],
        columns=["method_a", "method_b", "term", "r", "relevance_rank"],
    )  # fmt: skip


@pytest.fixture
def seeds(correlation):
    """Pairs of seeds: of ae and f-scLVM two, of f-scLVM with itself and with slalom one."""
    first = correlation.drop(columns="relevance_rank").assign(seed_a=0, seed_b=0)
    second = pd.DataFrame(
        [("ae", 1, "fsclvm", 0, "x", 0.5), ("ae", 1, "fsclvm", 0, LONG, np.nan),
         ("ae", 1, "fsclvm", 0, "z", np.nan), ("fsclvm", 0, "fsclvm", 1, "x", -0.75),
         ("fsclvm", 0, "fsclvm", 1, LONG, 0.9), ("fsclvm", 0, "fsclvm", 1, "z", np.nan)],
        columns=["method_a", "seed_a", "method_b", "seed_b", "term", "r"],
    )  # fmt: skip
    return pd.concat([first, second])


@pytest.fixture
def terms():
    """Ranks of f-scLVM and of ae, which has them the other way."""
    names = [LONG, "x", "z"]
    table = pd.DataFrame({"term": names * 2, "method": ["fsclvm"] * 3 + ["ae"] * 3,
                          "rank": [1, 2, 3, 3, 2, 1]})  # fmt: skip
    return table.assign(seed=0, kind="annotated", active=True)


def test_bars_are_medians_over_pairs_of_seeds_in_the_order_of_relevance(correlation, seeds, terms):
    figure = plot_correlation_bars(
        correlation, seeds, LABELS, "fsclvm", ["ae", "slalom"], 3, ["x"], terms=terms
    )
    itself, ae, slalom = figure.axes
    assert tick_texts(itself) == [LONG.replace("_", " "), f"{STAR} x", "z"]
    np.testing.assert_allclose([bar.get_width() for bar in itself.patches], [0.9, 0.75, 0])
    np.testing.assert_allclose([bar.get_width() for bar in ae.patches], [0.1, 0.7, 0])
    np.testing.assert_allclose([bar.get_width() for bar in slalom.patches], [1, 0.25, 0.75])
    assert [t.get_text() for t in ae.texts] == ["0.10 (1 of 2)", "0.70", "off"]
    segments = ae.collections[0].get_segments()
    np.testing.assert_allclose(segments[1], [[0.5, 1], [0.9, 1]])
    assert ae.get_title(loc="left") == "Autoencoder\nmedian 0.40, 2 of 3 on\n2 pairs of seeds"
    assert itself.get_title(loc="left").startswith("f-scLVM itself, other seeds\n")
    assert itself.get_title(loc="left").endswith("\n1 pair of seeds")
    assert to_rgb(ae.patches[0].get_facecolor()) == pytest.approx(method_colors(LABELS)["ae"])
    assert "f-scLVM" in itself.get_ylabel()


def test_bars_take_the_methods_that_there_are(correlation, seeds, terms):
    pair = correlation[correlation["method_b"] == "fsclvm"]
    figure = plot_correlation_bars(pair, seeds, LABELS, "none", ["nobody"], 2, terms=terms)
    assert len(figure.axes) == 1  # ae, which has one fit, with f-scLVM; no panel of itself
    assert len(figure.axes[0].patches) == 2
    figure = plot_correlation_bars(pair.iloc[:0], seeds, LABELS, "fsclvm", ["ae"], terms=terms)
    assert "fewer than two methods" in all_texts(figure)[0]


def test_agreement_of_two_methods_by_hand():
    rng = np.random.default_rng(1)
    x, noise = rng.normal(size=(50, 4)), rng.normal(size=(50, 4))
    y = np.column_stack([-x[:, 0], x[:, 1] + noise[:, 1], noise[:, 2], x[:, 3]])
    a = make_fit(x, np.ones((3, 4)), [4, 3, 2, 1], active=[True, True, True, False], method="a")
    b = make_fit(y, np.ones((3, 4)), [1, 2, 3, 4], method="b", seed=5)
    table = agreement_table(correlate_pairs([a, b]), n_top=2)
    row = table.iloc[0]
    assert list(row[["method_a", "seed_a", "method_b", "seed_b"]]) == ["a", 0, "b", 5]
    r = [abs(np.corrcoef(x[:, k], y[:, k])[0, 1]) for k in range(3)]
    assert row["matched"] == "term" and row["n_terms"] == 3
    assert row["median_r"] == pytest.approx(np.median(r))
    assert row["jaccard"] == pytest.approx(3 / 4)
    assert (row["n_top"], row["shared_top"]) == (2, 0)  # terms 1 and 2 against 4 and 3
    assert np.isnan(row["median_r_top"])
    row = agreement_table(correlate_pairs([a, b]), n_top=3).iloc[0]  # 1, 2, 3 against 4, 3, 2
    assert (row["n_top"], row["shared_top"]) == (3, 2)
    assert row["median_r_top"] == pytest.approx(np.mean(r[1:]))


def test_pca_is_paired_by_its_best_component():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(40, 3))
    a = make_fit(x, np.ones((3, 3)), [3, 2, 1], active=[True, True, False])
    pca = make_fit(rng.normal(size=(40, 5)), np.ones((3, 5)), [5, 4, 3, 2, 1])
    pca.terms["kind"] = "dense"
    table = agreement_table(correlate_pairs([pca, a, pca]))
    assert len(table) == 2  # PCA is not compared with itself
    best = [
        max(abs(np.corrcoef(x[:, k], pca.loadings.iloc[:, j])[0, 1]) for j in range(5))
        for k in range(2)
    ]
    for _, row in table.iterrows():
        assert row["matched"] == "component" and row["n_terms"] == 2
        assert row["median_r"] == pytest.approx(np.median(best))
        assert np.isnan(row["jaccard"]) and np.isnan(row["shared_top"])


def test_two_seeds_of_one_method_are_compared():
    z = np.random.default_rng(3).normal(size=(30, 2))
    fits = [make_fit(z, np.ones((3, 2)), [1, 2], seed=seed) for seed in (0, 1, 2)]
    table = agreement_table(correlate_pairs(fits))
    assert set(table["method_a"]) == set(table["method_b"]) == {"m"}
    assert list(zip(table["seed_a"], table["seed_b"], strict=True)) == [(0, 1), (0, 2), (1, 2)]
    np.testing.assert_allclose(table["median_r"], 1)


@pytest.fixture
def agreement():
    none = [np.nan] * 4
    return pd.DataFrame(
        [("slalom", 0, "ae", 0, "term", 31, 0.25, 0.5, 20, 9, 0.625),
         ("ae", 1, "slalom", 0, "term", 41, 0.75, 0.5, 20, 12, 0.875),
         ("ae", 0, "ae", 1, "term", 50, 0.5, 0.5, 20, 14, 0.75),
         ("ae", 0, "pca", 0, "component", 40, 0.75, *none),
         ("ae", 1, "pca", 0, "component", 44, 0.75, *none),
         ("slalom", 0, "pca", 0, "component", 50, 0.125, *none)],
        columns=["method_a", "seed_a", "method_b", "seed_b", "matched", "n_terms", "median_r",
                 "jaccard", "n_top", "shared_top", "median_r_top"],
    )  # fmt: skip


def test_the_heat_map_gives_mean_and_range_over_pairs_of_seeds(agreement):
    figure = plot_agreement(agreement, LABELS, ["ae", "slalom", "pca"])
    left, right = figure.axes[:2]
    assert tick_texts(left) == ["Autoencoder", "slalom", "PCA (best component)"]
    assert [t.get_text() for t in left.get_xticklabels()] == tick_texts(left)
    values = left.collections[0].get_array()
    np.testing.assert_allclose(values.compressed(), [0.5, 0.5, 0.75, 0.125])
    assert [t.get_text() for t in left.texts] == [
        "0.50\n(50 terms)", "0.50\n0.25 to 0.75\n(36 terms)",
        "0.75\n(42 terms)", "0.12\n(50 terms)", "one fit", "one fit",
    ]  # fmt: skip
    assert [t.get_text() for t in right.texts] == [
        "14 of 20\n|r| 0.75", "10.5 of 20\n9 to 12\n|r| 0.75", "one fit", "–", "–", "one fit",
    ]  # fmt: skip
    np.testing.assert_allclose(right.collections[0].get_array().compressed(), [14 / 20, 10.5 / 20])
    frames = sorted((round(p.get_x()), round(p.get_y())) for p in left.patches)
    assert frames == [(0, 0), (1, 1), (2, 2)]
    assert len(plot_agreement(agreement, LABELS, ["ae"]).axes) == 0


def test_the_words_of_the_heat_map_stay_in_their_cells(agreement):
    figure = plot_agreement(agreement, LABELS, ["ae", "slalom", "pca"])
    figure.canvas.draw()
    for axis in figure.axes[:2]:
        cell = axis.get_window_extent().width / 3
        assert max(t.get_window_extent().width for t in axis.texts) < 0.95 * cell
