"""The figure of known pairs shows the right numbers."""

import numpy as np
import pandas as pd
import pytest

from intae.figures.known_pairs import ordinal, plot_known_pairs

pytestmark = pytest.mark.usefixtures("close_figures")

LABELS = {"published": "Published", "autoencoder_exact": "Exact", "ulm": "ULM", "pca": "PCA"}
COLUMNS = "method seed term label value n_cells kept active auroc rank".split()


def table_of(*rows):
    return pd.DataFrame(rows, columns=COLUMNS).assign(n_terms=143)


BCR, IFN = ("BCR_SIGNALING", "cell_type", "B cells or pDC", 1429), ("IFN", "condition", "stim", 7)
TABLE = table_of(
    ("published", 0, *BCR, True, True, 0.98, 1), ("published", 0, *IFN, True, True, 0.75, 4),
    ("ulm", 0, *BCR, True, True, 0.3, 112), ("ulm", 1, *BCR, True, True, 0.4, 110),
    ("ulm", 0, *IFN, True, True, 0.9, 2), ("ulm", 1, *IFN, True, True, 0.8, 3),
    ("autoencoder_exact", 0, *BCR, True, False, 0.5, 6),
    ("autoencoder_exact", 0, *IFN, True, True, 0.996, 1),
)  # fmt: skip


def cells(axis):
    return [text.get_text() for text in axis.texts]


def bars(axis):
    return [bar.get_width() for bar in axis.patches if bar.get_width() != 0.5]


def test_bars_start_at_chance_and_the_recommended_method_comes_first():
    exact, published, ulm = plot_known_pairs(TABLE, LABELS, {"stim": "IFN-beta"}).axes
    assert [axis.get_title() for axis in (exact, published, ulm)] == ["Exact", "Published", "ULM"]
    assert cells(exact) == ["off", "1.00  1st"]
    assert cells(published) == ["0.98  1st", "0.75  4th"]
    assert [text.get_fontweight() for text in published.texts] == ["bold", "normal"]
    np.testing.assert_allclose(bars(published), [0.48, 0.25])
    assert all(bar.get_x() == 0.5 for bar in published.patches)
    assert exact.get_xlim() == (0.5, 1)
    assert cells(ulm) == ["0.35  111th", "0.85  2nd"]  # means over seeds
    np.testing.assert_allclose(bars(ulm), [0, 0.35])  # below chance there is none
    lines = [path[:, 0] for lines in ulm.collections for path in lines.get_segments()]
    np.testing.assert_allclose(lines, [[0.8, 0.9]])
    first, second = (text.get_text() for text in exact.get_yticklabels())
    assert first == "BCR SIGNALING\nmust mark B cells, pDC (1,429 cells)"
    assert "must mark IFN-beta (7 cells)" in second


def test_a_term_that_is_off_but_read_has_its_bar_and_rank():
    table = TABLE.query("method == 'autoencoder_exact'").copy()
    table.loc[table["term"] == BCR[0], ["auroc", "rank"]] = 0.96, 2
    (axis,) = plot_known_pairs(table, LABELS).axes
    assert cells(axis) == ["0.96  2nd", "1.00  1st"]
    assert [text.get_fontstyle() for text in axis.texts] == ["italic", "normal"]
    np.testing.assert_allclose(bars(axis), [0.46, 0.496])


def test_what_has_no_score_says_why():
    gone = table_of(("ulm", 0, *BCR, False, np.nan, np.nan, np.nan))
    (axis,) = plot_known_pairs(gone, LABELS).axes
    assert cells(axis) == ["\N{EN DASH}"]
    name = axis.get_yticklabels()[0].get_text().replace("\n", " ")
    assert "the set was dropped when the data were prepared" in name
    empty = plot_known_pairs(TABLE.iloc[:0], LABELS)
    assert "Nothing to draw" in empty.texts[0].get_text()


def test_ranks_are_ordinal_numbers():
    found = [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)]
    assert found == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]


def test_many_methods_stand_in_rows():
    methods = {f"m{i}": f"Method {i}" for i in range(9)}
    table = table_of(*((m, 0, *BCR, True, True, 0.9, 1) for m in methods))
    figure = plot_known_pairs(table, methods)
    assert [axis.get_title() for axis in figure.axes] == list(methods.values())
    assert figure.get_figwidth() < 11
    named = [i for i, a in enumerate(figure.axes) if a.yaxis.get_tick_params()["labelleft"]]
    assert named == [0, 5]  # the first of each row
    assert figure.axes[5].get_yticklabels()[0].get_text().startswith("BCR SIGNALING")
