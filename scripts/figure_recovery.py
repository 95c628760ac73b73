"""Draw what the methods recover of a planted truth."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    from intae.benchmark.tables import read_tables
    from intae.figures.style import save_figure
    from intae.figures.truth import plot_recovery

    draws = read_tables(snakemake.input)
    save_figure(plot_recovery(draws, snakemake.params.labels), snakemake.output)
