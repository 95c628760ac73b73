"""What a figure says, and whether it can be read."""

import matplotlib as mpl
import pandas as pd


def tick_texts(axis):
    return [t.get_text().replace("\n", " ") for t in axis.get_yticklabels()]


def all_texts(figure):
    return [t.get_text() for t in figure.findobj(mpl.text.Text) if t.get_text()]


def nothing_overlaps(figure):
    """Whether no two texts of the figure lie on each other."""
    figure.canvas.draw()
    drawn = [*figure.texts, *(t for legend in figure.legends for t in legend.get_texts())]
    for axis in figure.axes:
        drawn += [axis.title, axis._left_title, axis.xaxis.label, axis.yaxis.label, *axis.texts]
        for side in (axis.xaxis, axis.yaxis):  # there are labels beyond the ends, not drawn
            low, high = sorted(side.get_view_interval())
            drawn += [t.label1 for t in side.get_major_ticks() if low <= t.get_loc() <= high]
    boxes = [t.get_window_extent().padded(-1) for t in drawn if t.get_text() and t.get_visible()]
    return not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])


def named(fit, names):
    """Give the terms of a fit other names."""
    index = pd.Index(names, name="term")
    fit.terms.index = fit.loadings.columns = fit.weights.columns = index
    return fit
