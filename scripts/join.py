"""Join the parts of a table, one a data set."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.files import write_table

    parts = [pd.read_csv(path) for path in snakemake.input]
    write_table(pd.concat([p for p in parts if len(p)] or parts), snakemake.output[0])
