"""Write the page "paper against this run"."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.io import whole_file
    from intae.paper.claims import read_paper
    from intae.paper.page import render_page

    html = render_page(
        snakemake.input.template,
        read_paper(snakemake.input.paper),
        pd.read_csv(snakemake.input.claims),
        pd.read_csv(snakemake.input.table1),
        snakemake.params.labels,
    )
    with whole_file(snakemake.output[0]) as part:
        part.write_text(html, encoding="utf-8")
