"""Draw wall time and peak memory of every method."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.cost import plot_cost
    from intae.figures.style import save_figure

    runtime = pd.read_csv(snakemake.input[0])
    runtime["dataset"] = runtime["dataset"].replace(snakemake.params.draw_of)
    runtime = runtime[runtime["method"].isin(list(snakemake.params.labels))]
    save_figure(plot_cost(runtime, snakemake.params.labels), snakemake.output)
