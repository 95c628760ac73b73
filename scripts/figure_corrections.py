"""Draw what one method added to its gene sets and removed from them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.style import save_figure
    from intae.figures.terms import plot_corrections

    params, method = snakemake.params, snakemake.wildcards.method
    terms, corrections = (
        pd.read_csv(path).query("method == @method")
        for path in (snakemake.input.terms, snakemake.input.corrections)
    )
    figure = plot_corrections(
        corrections, terms, params.labels[method], params.n_terms, params.expected
    )
    save_figure(figure, snakemake.output)
