"""Hold the paper's claims against the tables of the run; Table 1; and the page of both."""

from _step import step

with step(snakemake):
    from pathlib import Path

    import pandas as pd

    from intae.benchmark.tables import write_table
    from intae.io import whole_file
    from intae.paper.claims import claims_table, read_paper
    from intae.paper.page import render_page
    from intae.paper.run import Run
    from intae.paper.table1 import minutes_beside_paper

    paper, outputs = read_paper(), snakemake.output
    tables = {Path(path).stem: pd.read_csv(path) for path in snakemake.input.tables}
    run = Run(tables, **snakemake.params.run)
    write_table(claims_table(paper, run), outputs.claims)
    write_table(minutes_beside_paper(paper, run), outputs.table1)
    # the page shows the numbers as they stand in the tables
    claims, table1 = pd.read_csv(outputs.claims), pd.read_csv(outputs.table1)
    with whole_file(outputs.page) as part:
        page = render_page(paper, claims, table1, snakemake.params.labels)
        part.write_text(page, encoding="utf-8")
