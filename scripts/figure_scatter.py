"""Draw the loadings of two terms, by condition and by cell type."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.logs import log_to

with log_to(snakemake.log[0]):
    import logging

    from intae.figures.scatter import best_terms, plot_scatter
    from intae.figures.style import save_figure
    from intae.files import read_finished_fits

    fits = {fit.uns["fit"]["method"]: fit for fit in read_finished_fits(snakemake.input)}
    first = next(iter(fits.values()))
    terms = snakemake.params.terms
    if not terms or not set(terms) <= set(first.uns["terms"].index):
        logging.warning("%s: not both are terms here; the two most relevant are drawn", terms)
        terms = best_terms(first)
    save_figure(plot_scatter(fits, tuple(terms), snakemake.params.labels), snakemake.output)
