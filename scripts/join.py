"""Join the parts of a table, one a data set."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    from intae.benchmark.tables import read_tables, write_table

    write_table(read_tables(snakemake.input), snakemake.output[0])
