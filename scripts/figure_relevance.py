"""Draw the relevance of one method's terms beside the sizes of their sets and the changes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.style import method_colors, save_figure
    from intae.figures.terms import plot_relevance

    terms, params = pd.read_csv(snakemake.input[0]), snakemake.params
    method = snakemake.wildcards.method
    figure = plot_relevance(
        terms[terms["method"] == method],
        params.labels[method],
        params.models[method],
        method_colors(params.labels)[method],
        params.n_terms,
        params.expected,
    )
    save_figure(figure, snakemake.output)
