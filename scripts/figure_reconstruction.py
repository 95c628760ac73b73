"""Draw the share of variance that methods reconstruct in unseen cells."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    from intae.benchmark.tables import read_tables
    from intae.figures.separation import plot_reconstruction
    from intae.figures.style import save_figure

    reconstruction = read_tables(snakemake.input)
    params = snakemake.params
    figure = plot_reconstruction(reconstruction, params.labels, params.without_sets)
    save_figure(figure, snakemake.output)
