"""Load one data set as the config declares it: raw data, with its labels."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    from intae.io import write_h5ad
    from intae.sources.loading import load_dataset

    loaded = load_dataset(snakemake.wildcards.dataset, snakemake.params.entry, snakemake.input)
    write_h5ad(loaded, snakemake.output[0])
