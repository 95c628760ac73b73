"""Join the tables of all data sets, and list what every fit cost and where it ran."""

from _step import step

with step(snakemake):
    import pandas as pd

    from intae.benchmark.tables import read_tables, write_table
    from intae.fits import read_facts
    from intae.metrics.cost import hosts, runtime_row

    files, outputs = snakemake.input, snakemake.output
    fits = [read_facts(path) for path in files.facts]
    write_table(pd.DataFrame([runtime_row(about) for about in fits]), outputs.runtime)
    write_table(hosts(fits), outputs.host)
    for table in snakemake.params.tables:
        write_table(read_tables(files[table]), outputs[table])
