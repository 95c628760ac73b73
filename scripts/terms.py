"""List the terms of every fit, with their relevance and the genes added and removed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.evaluate.tables import terms_of
    from intae.files import read_fit, write_table

    tables = [terms_of(read_fit(path)) for path in snakemake.input.fits]
    write_table(pd.concat(tables), snakemake.output[0])
