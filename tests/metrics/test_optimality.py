"""What a network buys, what terms are needed for, and the ablation: numbers and figures."""

import numpy as np
import pandas as pd
import pytest
from fits import LONG

from intae import Autoencoder, MaskedAutoencoder
from intae.autoencoder.objective import best_encoder, data_term
from intae.benchmark.plan import Benchmark
from intae.figures.trust import EXACT, plot_ablation, plot_necessity, plot_network, stand_in_note
from intae.metrics.optimality import (
    REFERENCE,
    Yardstick,
    needed_terms,
    own_scores,
    scores_from_tables,
)
from intae.prepared import split_terms

pytestmark = pytest.mark.usefixtures("one_thread")

LAMBDAS = {"lambda0": 0.1, "lambda1": 0.5, "lambda2": 0.4, "lambda3": 0.6}
LABELS = {"autoencoder": "Network", "autoencoder_exact": "Exact", "autoencoder_masked": "Masked"}


@pytest.fixture(scope="module")
def network(cells):
    model = Autoencoder(
        "adam", n_sparse=1, epochs=3, covariates=["batch"], threads=1, device="cpu", **LAMBDAS
    )
    return model.fit(cells)


@pytest.fixture(scope="module")
def exact(cells):
    return Autoencoder(threads=1).fit(cells)


# ------------------------------------------------------------ what a network buys


def test_the_objective_is_equation_3_written_out(cells, network):
    """Against the cells themselves, one by one, and against what the model says of itself."""
    row = Yardstick(cells, LAMBDAS).objective(network)
    W, Z = network.weights_.to_numpy(), network.loadings_.to_numpy()
    X = (cells.obs["batch"] == "batch_2").to_numpy()[:, None] - network.covariate_mean_
    Y = cells.X - cells.X.mean(0) - X @ network.effects_.T
    assert row["F"] == pytest.approx(data_term(Y, Z, W, 0.1), rel=1e-6)
    outside = 1 - cells.varm["annotations"].astype(float)
    R = 0.5 * abs(W[:, :8] * outside).sum() + 0.4 * abs(W[:, 8]).sum()
    R += 0.6 * np.linalg.norm(W, axis=0).sum()
    assert row["penalty"] == pytest.approx(R, rel=1e-9)
    assert row["objective"] == pytest.approx(row["F"] + R, rel=1e-9)
    assert row["gap"] == pytest.approx(network.gap_, rel=1e-6)
    assert row["gap"] > 1  # three epochs do not make a best encoder
    last = network.history_.iloc[-1]
    assert row["objective"] == pytest.approx(last["objective"], rel=1e-5)
    assert row["certificate"] == pytest.approx(last["certificate"], rel=1e-4)
    assert row["inactive_zero_share"] == pytest.approx(last["inactive_zero_share"])
    assert row["own"]


def test_other_penalties_are_told_apart(cells, exact):
    yardstick = Yardstick(cells, LAMBDAS)
    row, reference = yardstick.objective(exact), yardstick.objective(yardstick.reference())
    assert not row["own"] and reference["own"]
    assert reference["objective"] < row["objective"]
    assert abs(row["gap"]) < 1e-9 and abs(reference["gap"]) < 1e-9
    assert reference["certificate"] <= 1e-4


def test_agreement_with_the_best_encoder_is_a_correlation_over_cells(cells, network):
    table = Yardstick(cells, LAMBDAS).encoder_agreement(network)
    X = (cells.obs["batch"] == "batch_2").to_numpy()[:, None] - network.covariate_mean_
    W, Z = network.weights_.to_numpy(), network.loadings_.to_numpy()
    best = (cells.X - cells.X.mean(0) - X @ network.effects_.T) @ best_encoder(W, 0.1)
    for row in table.itertuples():
        k = network.weights_.columns.get_loc(row.term)
        assert row.r == pytest.approx(np.corrcoef(Z[:, k], best[:, k])[0, 1], abs=1e-5)
    assert list(table["term"]) == list(network.terms_.index[network.terms_["active"]])


def test_network_figure_shows_the_parts():
    assert EXACT == REFERENCE
    rows = [("autoencoder", 0, 30.0, 28.0, 2.0, 50.0, 80.0, True),
            ("autoencoder_exact", 0, 45.0, 45.0, 0.0, 9.0, 54.0, False),
            ("(exact)", 0, 44.0, 44.0, 0.0, 8.0, 52.0, True)]  # fmt: skip
    columns = ["method", "seed", "F", "best_F", "gap", "penalty", "objective", "own"]
    objective = pd.DataFrame(rows, columns=columns).assign(n_active=[3, 2, 2])
    encoders = pd.DataFrame(
        {"method": "autoencoder", "seed": 0, "term": list("abc"), "relevance": [1.0, 2, 3],
         "r": [-0.9, 0.5, 0.7]}
    )  # fmt: skip
    left, right = plot_network(objective, encoders, LABELS).axes
    widths = np.array([bar.get_width() for bar in left.patches]).reshape(3, 3)
    np.testing.assert_allclose(widths.T, [[28, 2, 50], [45, 0, 9], [44, 0, 8]])
    names = [t.get_text().replace("\n", " ") for t in left.get_yticklabels()]
    assert names == ["Network, seed 0", "Exact, fitted at other penalties",
                     "no network: exact solver at these penalties"]  # fmt: skip
    assert left.texts[0].get_text() == "80.0 (3 on, gap 2.00)"
    assert not left.lines  # nothing that a bar could undercut
    np.testing.assert_allclose(sorted(right.collections[0].get_offsets()[:, 0]), [0.5, 0.7, 0.9])
    assert [t.get_text() for t in right.texts] == ["0.70"] + ["its encoder is the best one"] * 2


# ------------------------------------------------------- necessity and stand-ins


def test_needed_terms_are_in_their_units(cells, exact):
    table = needed_terms(exact, cells)
    assert set(table["term"]) == set(exact.terms_.index[exact.terms_["active"]])
    assert table["relevance"].is_monotonic_decreasing
    objective = exact.history_["objective"].iloc[-1]
    np.testing.assert_allclose(table["share"], table["necessity"] / objective)
    assert (table["necessity"] <= table["carried"] + 1e-9).all()  # refitting only helps
    term = table["term"].iloc[0]
    W = exact.weights_.copy()
    W[term] = 0.0
    Y = cells.X - cells.X.mean(0)
    names = ("lambda1", "lambda2", "lambda3")
    penalty = exact._penalty_of(*(exact.lambdas_[n] for n in names))
    W = W.to_numpy()
    without = data_term(Y, Y @ best_encoder(W, 0.1), W, 0.1) + penalty.value(W)
    assert table["carried"].iloc[0] == pytest.approx(without - objective, rel=1e-2)


def test_a_superset_is_told_as_such(cells):
    """A term inside a larger one, which holds all its genes, and what the words say of it."""
    nested = cells.copy()
    known = cells.varm["annotations"]
    plain = Autoencoder(n_dense=0, lambda1=0.5, lambda3=3.0, threads=1).fit(cells)
    best = plain.terms_["relevance"].idxmax()
    larger = known[:, plain.terms_.index.get_loc(best)].copy()
    larger[np.flatnonzero(larger == 0)[:1]] = 1
    nested.varm["annotations"] = np.column_stack([known, larger])
    nested.uns["terms"] = np.append(cells.uns["terms"], "LARGER").astype(object)
    fit = Autoencoder(n_dense=0, lambda1=0.5, lambda3=3.0, threads=1).fit(nested)
    table = needed_terms(fit, nested).set_index("term")
    name, other = (best, "LARGER") if best in table.index else ("LARGER", best)
    row = table.loc[name]
    assert row["stand_ins"].split(" | ")[0] == other
    assert row["irreplaceable"] < 0.05
    size = known[:, plain.terms_.index.get_loc(best)].sum()
    assert row["stand_in_holds"] == pytest.approx(1 if name == best else size / (size + 1))
    assert float(row["stand_in_growth"].split()[0]) > 0.5
    note = stand_in_note(row).replace("\n", " ")
    assert other.replace("_", " ") + " takes its place" in note
    assert ("holds all its genes" in note) == (name == best)


def test_names_of_terms_may_have_spaces(cells):
    spaced = cells.copy()
    spaced.uns["terms"] = np.array([f"{t}, Homo sapiens" for t in cells.uns["terms"]], dtype=object)
    lambdas = {"lambda1": 0.5, "lambda3": 0.5, "threads": 1}
    plain = needed_terms(Autoencoder(**lambdas).fit(cells), cells)
    table = needed_terms(Autoencoder(**lambdas).fit(spaced), spaced)
    assert plain["stand_in_holds"].notna().any()
    np.testing.assert_array_equal(table["stand_in_holds"], plain["stand_in_holds"])
    names = [[f"{n}, Homo sapiens" for n in split_terms(names)] for names in plain["stand_ins"]]
    assert [split_terms(names) for names in table["stand_ins"]] == names


def make_necessity():
    return pd.DataFrame(
        {"method": "autoencoder_exact", "seed": 0, "term": ["SMALL", LONG], "relevance": [1.0, 3.0],
         "necessity": [0.5, -0.001], "share": [0.01, -0.00002], "carried": [1.0, 4.0],
         "irreplaceable": [0.5, -0.00025], "stand_ins": [np.nan, f"{LONG}_LARGER | OTHER"],
         "stand_in_r": [np.nan, 0.987], "stand_in_holds": [np.nan, 1.0]}
    )  # fmt: skip


def test_necessity_figure_names_the_stand_ins():
    axis = plot_necessity(make_necessity(), LABELS).axes[0]
    names = [t.get_text().replace("\n", " ") for t in axis.get_yticklabels()]
    assert names == [LONG.replace("_", " "), "SMALL"]
    grey, coloured = ([bar.get_width() for bar in bars] for bars in axis.containers)
    np.testing.assert_allclose(grey, [8, 2])  # per cent of F + R, here 50
    np.testing.assert_allclose(coloured, [0, 1])
    first, second = (t.get_text().replace("\n", " ") for t in axis.texts)
    assert first == (
        f"wholly replaceable: {LONG.replace('_', ' ')} LARGER takes its place "
        "(|r| 0.99, holds all its genes; 1 more)"
    )  # fmt: skip
    assert second == "50% irreplaceable; no term in particular takes its place"
    worse = make_necessity().iloc[0]
    worse["share"] = -0.002
    assert stand_in_note(worse) == "better without it; no term in particular takes its place"
    assert axis.texts[0].get_color() != axis.texts[1].get_color()


def test_what_hardly_counts_has_no_share():
    row = make_necessity().iloc[0]
    row["carried"], row["necessity"], row["share"] = 0.01, 0.0099, 0.000198  # F + R: 50
    row["irreplaceable"] = 0.99
    assert stand_in_note(row) == (
        "hardly counts (rise 0.02%); no term in particular takes its place"
    )
    row["carried"] = 0.05  # .1% of F + R
    assert stand_in_note(row).startswith("99% irreplaceable")


def test_a_stand_in_with_other_loadings_takes_no_place():
    row = make_necessity().iloc[1]
    row["stand_ins"], row["stand_in_r"] = "OTHER", 0.03
    note = stand_in_note(row).replace("\n", " ")
    assert note == (
        "wholly replaceable: OTHER grows most but gives other loadings "
        "(|r| 0.03, holds all its genes)"
    )


@pytest.mark.parametrize(
    ("share", "words", "marked"),
    [(0.0499, "5% irreplaceable", True), (0.0549, "5% irreplaceable", True),
     (0.056, "6% irreplaceable", False), (0.0049, "wholly replaceable", True)],
)  # fmt: skip
def test_words_and_colour_round_alike(share, words, marked):
    table = make_necessity().iloc[[0]].assign(
        irreplaceable=share, necessity=share, share=share / 50
    )  # fmt: skip
    note = plot_necessity(table, LABELS).axes[0].texts[0]
    assert note.get_text().startswith(words)
    assert (note.get_color() == "#A04000") is marked


def test_necessity_figure_without_terms_says_so():
    figure = plot_necessity(make_necessity().iloc[:0], LABELS)
    assert "no term of these fits is on" in figure.texts[0].get_text()


# ------------------------------------------------------------------- the ablation


@pytest.mark.parametrize("kind", [Autoencoder, MaskedAutoencoder])
def test_own_scores(cells, exact, kind):
    model = exact if kind is Autoencoder else kind(epochs=2, threads=1).fit(cells)
    scores = own_scores(model, cells).set_index("metric")["value"]
    left = ((cells.X - model.reconstruct(cells).to_numpy()) ** 2).sum()
    whole = ((cells.X - cells.X.mean(0)) ** 2).sum()
    assert scores["variance reconstructed"] == pytest.approx(1 - left / whole, rel=1e-5)
    assert scores["share of terms on"] == model.terms_["active"].mean()


def test_scores_are_collected_from_the_tables():
    fit = {"method": ["a", "a", "a", "a", "b", "other"], "seed": [0, 0, 0, 0, 0, 0]}
    names = ["X", "Y", "Z", "dense_1", "X", "X"]
    terms = pd.DataFrame(fit | {"term": names, "active": [True, False, True, True, True, True]})
    held = pd.DataFrame(fit | {"term": names, "accuracy": [0.6, 0.5, 0.9, 0.95, 0.7, 1.0]})
    accuracy = pd.concat([held.assign(split="held_out"), held.assign(split="train", accuracy=1)])
    stability = pd.DataFrame(
        [("a", "seeds", "(median |r|)", 0.4), ("a", "halves", "(median |r|)", 0.9),
         ("a", "seeds", "(shared of the 10 most relevant)", 6.0)],
        columns=["method", "kind", "term", "r"],
    )  # fmt: skip
    recovery = pd.DataFrame(
        {"method": "b", "seed": 1, "metric": ["average precision of active terms", "loadings |r|"],
         "value": [0.3, 0.8]}
    )  # fmt: skip
    table = scores_from_tables(
        ["a", "b"], ["X", "Y"], terms=terms, stability=stability, accuracy=accuracy,
        recovery=recovery,
    )  # fmt: skip
    values = table.set_index(["method", "metric"])["value"]
    assert values["a", "held-out accuracy, best term"] == 0.9
    assert values["a", "held-out accuracy, chosen terms that are on"] == 0.6
    counts = table.set_index(["method", "metric"])[["n_terms", "of_terms"]]
    assert list(counts.loc[("a", "held-out accuracy, chosen terms that are on")]) == [1, 2]
    assert counts.loc[("a", "held-out accuracy, best term")].isna().all()
    assert values["a", "|r| of two seeds' loadings"] == 0.4
    assert values["a", "ten most relevant terms that two seeds share"] == 0.6
    assert values["b", "average precision of planted terms"] == 0.3
    assert values["b", "|r| with planted loadings"] == 0.8
    assert set(table["method"]) == {"a", "b"}
    bare = scores_from_tables(["a"], [], terms=terms, stability=stability)
    assert len(bare) == 2


def test_ablation_figure_shows_means_and_seeds():
    table = pd.DataFrame(
        [("autoencoder", 0, "one", 0.2), ("autoencoder", 1, "one", 0.4),
         ("autoencoder_masked", 0, "one", 0.9), ("autoencoder", None, "two seeds", 0.5)],
        columns=["method", "seed", "metric", "value"],
    )  # fmt: skip
    one, two = plot_ablation(table, LABELS).axes
    np.testing.assert_allclose([bar.get_width() for bar in one.patches], [0.3, 0.9])
    np.testing.assert_allclose(one.lines[0].get_xdata(), [0.2, 0.4])
    assert [t.get_text() for t in one.texts] == ["0.30", "0.90"]
    assert [t.get_text() for t in two.texts] == ["0.50", "one seed only"]


def test_ablation_figure_says_over_how_many_terms_a_mean_is():
    table = pd.DataFrame(
        {"method": ["autoencoder"] * 2 + ["autoencoder_exact", "autoencoder"],
         "seed": [0, 1, 0, 0], "metric": ["chosen"] * 3 + ["plain"], "value": [0.2, 0.4, 0.9, 0.5],
         "n_terms": [3, 4, 1, np.nan], "of_terms": [5, 5, 5, np.nan]}
    )  # fmt: skip
    chosen, plain = plot_ablation(table, LABELS).axes
    assert [t.get_text() for t in chosen.texts] == [
        "0.30,\nmean of 3 to 4 of 5 terms", "0.90,\nmean of 1 of 5 terms"
    ]  # fmt: skip
    assert [t.get_text() for t in plain.texts] == ["0.50", "none"]


def test_methods_by_their_role():
    methods = {
        "x": {"model": "Autoencoder"}, "y": {"model": "PCA", "role": "control"},
        "z": {"model": "MaskedAutoencoder", "role": "ablation"},
    }  # fmt: skip
    config = {"datasets": {"d": {"source": "simulated"}}, "methods": methods, "analyses": {}}
    benchmark = Benchmark(config | {"exclude": [{"dataset": "d", "method": "y"}]})
    assert benchmark.methods_of_role("d", "model", "control") == ["x"]
    assert benchmark.methods_of_role("d", "ablation") == ["z"]
