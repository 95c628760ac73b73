"""Draw three measures of separation, on cells seen and unseen."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.separation import plot_metrics
    from intae.figures.style import save_figure

    accuracy = pd.read_csv(snakemake.input.accuracy)
    parts = [pd.read_csv(path) for path in snakemake.input.choice]
    choice = pd.concat(parts) if parts else pd.DataFrame({"method": []})
    save_figure(plot_metrics(accuracy, choice, snakemake.params.labels), snakemake.output)
