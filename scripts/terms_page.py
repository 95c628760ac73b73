"""Make the interactive page of a data set's terms."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import logging

    import pandas as pd

    from intae.benchmark.fits import read_finished_fits
    from intae.io import read_h5ad
    from intae.page.gather import Source, gather, read_origins
    from intae.page.render import render_page, write_page

    source, params = snakemake.input, snakemake.params
    dataset = snakemake.wildcards.dataset
    tables = {table: pd.read_csv(source[table]) for table in params.tables}
    sets = zip(source.gene_sets, params.prefixes, params.collections, strict=True)
    facts, numbers = gather(
        read_finished_fits(source.fits), read_h5ad(source.prepared, backed="r"), tables,
        dataset=dataset, labels=params.labels, controls=params.controls, n_cells=params.n_cells,
        origins=read_origins(Source(*entry) for entry in sets),
    )  # fmt: skip
    page = render_page(facts, numbers, f"Terms of {dataset}")
    logging.info("%d methods, %.1f MB", len(facts["methods"]), len(page) / 1e6)
    write_page(page, snakemake.output[0])
