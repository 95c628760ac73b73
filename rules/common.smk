# The checked config, the paths of results, and the names of methods: what all files here lean on.
import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# The library is installed, or it lies beside this file (environments made by conda).
sys.path.insert(0, workflow.basedir)
from intae.benchmark.plan import Benchmark
from intae.errors import ConfigError
from intae.benchmark.config import read_config

try:
    for path in workflow.configfiles:
        read_config(path)  # an entry that stands there twice would silently be lost
    BENCHMARK = Benchmark(config)
except ConfigError as error:
    raise WorkflowError(str(error))

RESULTS = BENCHMARK.config["results"]
RESOURCES = BENCHMARK.config["resources"]
PREPARED = f"{RESULTS}/{{dataset}}/prepared.h5ad"
FIT = f"{RESULTS}/{{dataset}}/{{method}}/seed{{seed}}/fit.h5ad"
MODEL = f"{RESULTS}/{{dataset}}/{{method}}/seed{{seed}}/model.h5"
UNSEEN = f"{RESULTS}/{{dataset}}/{{method}}/seed{{seed}}/unseen/{{table}}.csv"


wildcard_constraints:
    dataset="|".join(map(re.escape, BENCHMARK.config["datasets"])),
    method="|".join(map(re.escape, BENCHMARK.config["methods"])),
    seed=r"\d+",
    file=r"[^/]+",


LABELS = {
    name: entry.get("label", name)
    for name, entry in BENCHMARK.config["methods"].items()
}
ROLES = {name: entry["role"] for name, entry in BENCHMARK.config["methods"].items()}
MODELS = {name: entry["model"] for name, entry in BENCHMARK.config["methods"].items()}
# Ablations are shown in a figure of their own only.
SHOWN = {name: label for name, label in LABELS.items() if ROLES[name] != "ablation"}
