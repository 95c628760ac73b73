"""Draw the most relevant terms of every method."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.style import save_figure
    from intae.figures.terms import plot_top_terms

    terms, params = pd.read_csv(snakemake.input[0]), snakemake.params
    terms = terms[terms["method"].isin(params.methods)]
    figure = plot_top_terms(terms, params.labels, params.models, params.n_terms, params.expected)
    save_figure(figure, snakemake.output)
