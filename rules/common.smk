# The checked config, and what all rules ask of it (intae/benchmark/plan.py and jobs.py).
import re
import sys
import time
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

# The library is installed, or it lies beside this folder (environments made by conda).
CHECKOUT = Path(str(workflow.current_basedir)).parent
sys.path.insert(0, str(CHECKOUT))
from intae.benchmark import figure as CATEGORIES  # of the report
from intae.benchmark.config import DEFAULTS, merge, read_config
from intae.benchmark.console import follow
from intae.benchmark.jobs import CLAIMED, PREPARING, Jobs, rule_name
from intae.benchmark.logs import ended_by_slurm
from intae.benchmark.models import folders_of_models, look_in
from intae.benchmark.plan import Benchmark
from intae.benchmark.registry import package_of
from intae.benchmark.requests import (
    STEPS,
    fit_request,
    fits_quickly,
    gpu_request,
    is_quick,
    loads_quickly,
)
from intae.benchmark.runs import describe_run, write_missing, write_run
from intae.errors import ConfigError

# Whether steps run in the environments of envs/, which have packages that this one may lack.
CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method

try:
    for path in workflow.configfiles:
        read_config(path)  # an entry that stands there twice would silently be lost
    if (
        workflow.modifier.skip_configfile
    ):  # a module of another workflow, with a config of its own
        config.update(merge(read_config(DEFAULTS), config))
    folders = folders_of_models(workflow.configfiles)
    look_in(folders)
    BENCHMARK = Benchmark(config, environments=CONDA)
    config["folders_of_models"] = folders  # for the steps, which may run elsewhere
except ConfigError as error:
    raise WorkflowError(str(error))

if workflow.is_main_process:
    for line in BENCHMARK.tell_skipped():
        print(line, file=sys.stderr)

BEGAN = time.time()
JOBS = Jobs(BENCHMARK)
RESULTS, LOGS = JOBS.results, JOBS.logs
RESOURCES = BENCHMARK.config["resources"]


def one_of(names):
    """Constrain a wildcard to names; to nothing where there are none."""
    return "|".join(map(re.escape, names)) or "(?!)"


def sorted_by(quick):
    """Return the data sets whose steps are quick, and all others."""
    used = dict.fromkeys([*JOBS.places, *map(BENCHMARK.lender_of, JOBS.places)])
    small = {name for name in used if name and quick(BENCHMARK, name)}
    return small, set(BENCHMARK.config["datasets"]) - small


# What takes seconds runs where Snakemake does, not through a cluster's queue: by a rule of its own,
# NAME_small, since where a step runs is a matter of its rule.
LOADED_SOON, LOADED_LATE = sorted_by(loads_quickly)
SMALL, LARGE = sorted_by(is_quick)
QUICK = [
    name for name in BENCHMARK.config["methods"] if fits_quickly(BENCHMARK.method(name))
]
SLOW = [name for name in BENCHMARK.config["methods"] if name not in QUICK]


def by_content(files):
    """Tell Snakemake that dates of a user's own files say nothing: the rule is told checksums."""
    if isinstance(files, str):
        return files
    return [ancient(path) if path in BENCHMARK.own_files else path for path in files]


def size_mb(files):
    """Return the size of files; Snakemake waits for one that is not there yet."""
    return sum(Path(path).stat().st_size for path in files) / 1e6


def asked(step):
    """Return what a step asks a cluster for; both follow the size of its input files."""
    request = STEPS[step]
    return {
        "mem_mb": lambda wildcards, input, attempt: request.memory(
            size_mb(input), attempt
        ),
        "runtime": lambda wildcards, input, attempt: request.runtime(
            size_mb(input), attempt
        ),
    }


def asked_of_fit(method_of):
    """Return what a fit asks for, by the function that finds its method in the wildcards."""

    def entry_of(wildcards):
        return BENCHMARK.method(method_of(wildcards))

    def of_size(name):
        # the prepared data come first; what a point of a sweep is compared with adds no cells
        return lambda wildcards, input, attempt: fit_request(
            entry_of(wildcards), size_mb(input[:1]), attempt
        )[name]

    def of_gpu(name):
        # where steps run is not known before the rules are read
        return lambda wildcards: gpu_request(
            entry_of(wildcards), BENCHMARK.config["cluster_gpus"], workflow.local_exec
        )[name]

    return {name: of_size(name) for name in ("mem_mb", "runtime")} | {
        name: of_gpu(name) for name in ("gpu", "gres")
    }


def tell(name):
    """Return what changes the fit of the method of the wildcards."""
    return lambda wildcards: JOBS.fitting(wildcards.method)[name]


def tables_of_fit(wildcards):
    """Return the tables to which the fit of the wildcards adds rows."""
    return JOBS.scores_of(wildcards.dataset, wildcards.method)


def settings_of_fit(wildcards):
    """Return what the config says of scoring the fit of the wildcards."""
    return JOBS.scoring(wildcards.dataset)


def env_of(method_of):
    """Return the environment that has what the method of the wildcards runs."""

    def path(wildcards):
        peer = package_of(BENCHMARK.method(method_of(wildcards)))
        return "../envs/peers.yaml" if peer else "../envs/intae.yaml"

    return path


def of_wildcard(wildcards):
    """Return the method of the wildcards."""
    return wildcards.method


def of_sweep(wildcards):
    """Return the method of the sweep of the wildcards."""
    return JOBS.sweep_method(wildcards.sweep)


def entry(name):
    """Return a key of the entry of the method of the wildcards."""
    return lambda wildcards: BENCHMARK.method(wildcards.method)[name]


# Progress and time left on the console; every line stands in Snakemake's own log.
FOLLOWED = follow(workflow) if workflow.is_main_process else None


def keep_record():
    """Write what the run was made with, and what it lacks."""
    write_run(describe_run(JOBS, CHECKOUT), f"{RESULTS}/run.json")
    if not BENCHMARK.config["leave_out_failed"] or FOLLOWED.failed:
        write_missing(FOLLOWED.failed, f"{RESULTS}/missing.csv")


onsuccess:
    keep_record()


onerror:
    keep_record()
    if FOLLOWED.failed:
        print(
            f"Steps that failed: {len(FOLLOWED.failed)}, listed in {RESULTS}/missing.csv. The same "
            "command tries them again; with `--config leave_out_failed=True` it makes tables, "
            "figures and report of the rest.",
            file=sys.stderr,
        )
    for line in ended_by_slurm(".snakemake/slurm_logs", BEGAN):
        print(line, file=sys.stderr)


wildcard_constraints:
    dataset=one_of(BENCHMARK.config["datasets"]),
    method=one_of(BENCHMARK.config["methods"]),
    sweep=one_of(BENCHMARK.config["sweep"]),
    seed=r"\d+",
    n_cells=r"\d+",
    file=r"[^/]+",
