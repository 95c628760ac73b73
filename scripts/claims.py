"""Hold the paper's claims against the tables of the run, and put Table 1 beside the paper's."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.benchmark.tables import write_table
    from intae.paper.claims import claims_table, read_paper
    from intae.paper.run import Run
    from intae.paper.table1 import minutes_beside_paper

    paper = read_paper(snakemake.input.paper)
    tables = {Path(path).stem: pd.read_csv(path) for path in snakemake.input.tables}
    run = Run(tables, **snakemake.params.run)
    write_table(claims_table(paper, run), snakemake.output.claims)
    write_table(minutes_beside_paper(paper, run), snakemake.output.table1)
