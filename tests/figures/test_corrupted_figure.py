"""The figure of corrupted gene sets shows the right numbers."""

import numpy as np
import pandas as pd
import pytest

from intae.figures.corrupted import CHANCE, MASK, plot_corrupted

pytestmark = pytest.mark.usefixtures("close_figures")


def rows_of(dataset, term, active, score, mask=0.6):
    values = {"mask": mask, "active": active}
    for name, chance in (("all genes", 0.1), ("inside", 0.8), ("outside", 0.05)):
        values |= {name: score, f"{name} by chance": chance}
    about = {"dataset": dataset, "method": "ae", "seed": 0, "term": term}
    return pd.DataFrame([about | {"metric": m, "value": v} for m, v in values.items()])


def test_means_are_over_the_terms_that_are_on():
    table = pd.concat(
        [rows_of("d_1", "A", 1.0, 0.9), rows_of("d_1", "B", 0.0, 0.1),
         rows_of("d_2", "A", 1.0, 0.7), rows_of("d_2", "B", 1.0, 0.5),
         rows_of("d_2", "(all)", np.nan, 0.2).query("metric != 'active'")]
    )  # fmt: skip
    figure = plot_corrupted(table, {"ae": "Autoencoder", "x": "X"})
    active, every, inside, outside = figure.axes
    assert [t.get_text() for t in active.texts] == ["0.75"]
    for axis in (every, inside, outside):
        assert [t.get_text() for t in axis.texts] == ["0.75"]  # of .9 and the mean of .7 and .5
        np.testing.assert_allclose(axis.collections[1].get_offsets()[:, 0], [0.9, 0.6])
    assert [line.get_xdata()[0] for line in every.lines[:2]] == pytest.approx([0.6, 0.1])
    assert outside.lines[0].get_xdata()[0] == pytest.approx(0.05)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == [MASK, CHANCE]
    empty = plot_corrupted(table.iloc[:0], {"ae": "Autoencoder"})
    assert "Nothing to draw" in empty.texts[0].get_text()
