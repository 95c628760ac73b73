"""Draw the terms that methods call active, rightly and wrongly."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    from intae.benchmark.tables import read_tables
    from intae.figures.style import save_figure
    from intae.figures.truth import plot_false_positives

    draws = read_tables(snakemake.input)
    save_figure(plot_false_positives(draws, snakemake.params.labels), snakemake.output)
