"""What fits cost, for `intae check`: seconds and memory at two sizes, a row per kind of method.

    python benchmarks/slopes.py > intae/benchmark/slopes.csv

A process a fit, one thread, whose seconds on the processor count: others may be at work. On the
machine that the table names.
"""

import json
import subprocess
import sys

from intae.benchmark.host import describe_host
from intae.benchmark.outlook import COLUMNS, GENES, KINDS

CELLS = (500, 2000)
FEW = (100, 300)  # for what takes hours
CODE = """
import json, sys, time
import intae
from intae.benchmark.host import peak_memory_mb
from intae.benchmark.training import make_model
from intae.base import limit_threads
n_cells, n_genes, model, params = json.loads(sys.argv[1])
data = intae.simulate(n_cells=n_cells, n_genes=n_genes, n_terms=50, n_active=15, seed=0)
with limit_threads(1):
    made = make_model(model, params, seed=0, threads=1)
    began = time.process_time()
    made.fit(data)
    print(json.dumps([time.process_time() - began, peak_memory_mb()]))
"""


def measure(n_cells, model, params):
    """Return seconds and MB of one fit."""
    told = json.dumps([n_cells, GENES, model, params])
    done = subprocess.run(
        [sys.executable, "-c", CODE, told], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def main():
    cpu = describe_host()["cpu"].replace(",", "")
    print(",".join(COLUMNS))
    for kind, (model, params) in KINDS.items():
        small, large = FEW if model == "Slalom" else CELLS
        few, many = (measure(n, model, params) for n in (small, large))
        slopes = [max(0.0, (b - a) / (large - small)) for a, b in zip(few, many, strict=True)]
        bases = [max(0.0, a - slope * small) for a, slope in zip(few, slopes, strict=True)]
        row = [bases[0], slopes[0] * 1000, bases[1], slopes[1] * 1000]
        print(kind, *(f"{value:.3g}" for value in row), cpu, sep=",", flush=True)


if __name__ == "__main__":
    main()
