"""Draw the loadings of two terms, by condition and by cell type."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.benchmark.fits import read_finished_fits
    from intae.figures.cells import choose_terms, plot_scatter
    from intae.figures.style import save_figure
    from intae.io import read_h5ad
    from intae.metrics.terms import active_or_nearest
    from intae.prepared import annotation_table

    fits = {f.uns["fit"]["method"]: f for f in read_finished_fits(snakemake.input.fits)}
    annotations = annotation_table(read_h5ad(snakemake.input.prepared, backed="r"))
    params = snakemake.params
    terms = choose_terms(fits, params.terms, exactly=2)
    near = {m: active_or_nearest(f.uns["terms"], annotations, terms) for m, f in fits.items()}
    separation = [pd.read_csv(path) for path in snakemake.input.separation]
    figure = plot_scatter(
        fits, terms, params.labels, near, params.conditions,
        separation=separation[0] if separation else None,
    )  # fmt: skip
    save_figure(figure, snakemake.output)
