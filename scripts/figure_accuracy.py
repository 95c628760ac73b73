"""Draw how well single terms separate the condition."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.separation import plot_accuracy
    from intae.figures.style import save_figure

    accuracy = pd.read_csv(snakemake.input[0])
    figure = plot_accuracy(accuracy, snakemake.params.labels, snakemake.params.terms)
    save_figure(figure, snakemake.output)
