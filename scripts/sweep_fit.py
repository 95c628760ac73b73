"""Fit a method at one point of a sweep, or at its own parameters, and say what it is like."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    import intae
    from intae.benchmark.tables import write_table
    from intae.io import read_h5ad
    from intae.metrics.sweep import fit_point, parameters_used, sweep_row, training_cells

    params, about = snakemake.params, dict(snakemake.params.about)
    prepared = read_h5ad(snakemake.input.prepared)
    cells = training_cells(prepared, params.held_out, params.draw)
    model = fit_point(
        prepared[cells].copy(), params.model, params.params, params.point,
        seed=about["seed"], threads=snakemake.threads,
    )  # fmt: skip
    if params.point:
        default = getattr(intae, params.model).load(snakemake.input.default)
    else:  # the method's own parameters, which the points are compared with
        default = model
        model.save(snakemake.output.model)
    row = about | sweep_row(model, default, prepared, cells)
    row |= parameters_used(model, params.point, params.swept)
    write_table(pd.DataFrame([row]), snakemake.output.row)
