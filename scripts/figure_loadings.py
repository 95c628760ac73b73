"""Draw the loadings of some terms by cell type and condition."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    from intae.benchmark.fits import by_method, read_finished_fits
    from intae.figures.cells import choose_terms, plot_loadings
    from intae.figures.style import save_figure
    from intae.io import read_h5ad
    from intae.metrics.terms import active_or_nearest
    from intae.prepared import annotation_table

    seeds = by_method(read_finished_fits(snakemake.input.fits))
    fits = {method: own[0] for method, own in seeds.items()}
    others = {method: own[1:] for method, own in seeds.items()}
    annotations = annotation_table(read_h5ad(snakemake.input.prepared, backed="r"))
    params = snakemake.params
    terms = choose_terms(fits, params.terms)
    near = {m: active_or_nearest(f.uns["terms"], annotations, terms) for m, f in fits.items()}
    figure = plot_loadings(
        fits, terms, params.labels, near, params.conditions, params.cell_types, others=others
    )
    save_figure(figure, snakemake.output)
