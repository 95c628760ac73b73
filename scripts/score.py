"""Make the tables that are known of one fit by itself."""

from _step import step

with step(snakemake):
    from intae.base import limit_threads
    from intae.benchmark.score import write_scores_of

    files, told = snakemake.input, snakemake.params
    with limit_threads(snakemake.threads):
        write_scores_of(
            files.model, files.prepared, told.tables, told.settings, snakemake.output.scores
        )
