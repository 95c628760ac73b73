"""Compare the fits of a data set, and put what is known of each into the data set's tables."""

from _step import step

with step(snakemake):
    from intae.base import limit_threads
    from intae.benchmark.compare import Comparison

    with limit_threads(snakemake.threads):
        inputs, outputs = dict(snakemake.input.items()), dict(snakemake.output.items())
        Comparison(inputs, dict(snakemake.params.items()), outputs).write()
