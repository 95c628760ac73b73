"""List what the run leaves out, and why."""

from _step import step

with step(snakemake):
    import pandas as pd

    from intae.benchmark.tables import write_table

    write_table(pd.read_csv(snakemake.input[0]), snakemake.output[0])
