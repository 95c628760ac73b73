# The checked config, and what all rules ask of it (intae/benchmark/plan.py and jobs.py).
import re
import sys

from snakemake.exceptions import WorkflowError

# The library is installed, or it lies beside this file (environments made by conda).
sys.path.insert(0, workflow.basedir)
from intae.benchmark.config import read_config
from intae.benchmark.jobs import CLAIMED, PREPARING, Jobs, rule_name
from intae.benchmark.plan import Benchmark
from intae.errors import ConfigError

try:
    for path in workflow.configfiles:
        read_config(path)  # an entry that stands there twice would silently be lost
    BENCHMARK = Benchmark(config)
except ConfigError as error:
    raise WorkflowError(str(error))

JOBS = Jobs(BENCHMARK)
RESULTS, LOGS = JOBS.results, JOBS.logs
RESOURCES = BENCHMARK.config["resources"]


def one_of(names):
    """Constrain a wildcard to names; to nothing where there are none."""
    return "|".join(map(re.escape, names)) or "(?!)"


def ask(name):
    """Return what a fit of the method of the wildcards asks of the machine."""
    return lambda wildcards: JOBS.resources(wildcards.method)[name]


def tell(name):
    """Return what changes the fit of the method of the wildcards."""
    return lambda wildcards: JOBS.fitting(wildcards.method)[name]


def entry(name):
    """Return a key of the entry of the method of the wildcards."""
    return lambda wildcards: BENCHMARK.method(wildcards.method)[name]


def of_sweep(name):
    """Return what a fit of the method of a sweep asks of the machine."""
    return lambda wildcards: JOBS.resources(JOBS.sweep_method(wildcards.sweep))[name]


wildcard_constraints:
    dataset=one_of(BENCHMARK.config["datasets"]),
    method=one_of(BENCHMARK.config["methods"]),
    sweep=one_of(BENCHMARK.config["sweep"]),
    seed=r"\d+",
    n_cells=r"\d+",
    file=r"[^/]+",
