"""Join the tables of all data sets, and list what every fit cost and where it ran."""

from _step import step

with step(snakemake):
    from intae.benchmark.tables import write_run_tables

    parts = dict(snakemake.input.items())
    write_run_tables(parts.pop("facts"), parts, dict(snakemake.output.items()))
