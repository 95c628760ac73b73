"""The lock file, the conda environment and the package agree."""

import re
import tomllib
from pathlib import Path

import yaml

import intae

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"pytorch": "torch", "matplotlib-base": "matplotlib", "python-isal": "isal"}
NOT_LOCKED = {"python", "pip"}


def locked():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = (re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)", line) for line in lines if line.strip())
    return {pin[1].lower(): pin[2] for pin in pins}


def requirement_name(requirement):
    return re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower()


def test_every_requirement_is_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    extras = project["optional-dependencies"]
    for extra in extras.keys() - {"docs", "peers"}:  # these are pinned where they stand
        wanted += extras[extra]
    assert all("==" in requirement for requirement in extras["docs"])
    names = {requirement_name(w) for w in wanted} - {"intae"}
    assert names <= set(locked())


def test_the_version_stands_once_in_the_package_and_is_that_of_the_citation():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"] and "version" not in project["project"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "intae.__version__"}
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == intae.__version__


def test_hooks_before_a_commit_have_the_locked_versions():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    versions = {repo["repo"].rpartition("/")[2]: repo["rev"] for repo in hooks}
    assert versions["ruff-pre-commit"] == f"v{locked()['ruff']}"
    assert versions["snakefmt"] == f"v{locked()['snakefmt']}"


def test_workflows_test_the_versions_of_python_that_are_allowed():
    """Those named by the classifiers, at the ends of requires-python."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [c.rpartition(" ")[2] for c in project["classifiers"] if re.search(r":: 3\.\d+$", c)]
    jobs = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text())["jobs"]
    assert jobs["tests"]["strategy"]["matrix"]["python"] == named
    assert project["requires-python"] == ">=3.11,<3.14" and named == ["3.11", "3.12", "3.13"]


def test_conda_environment_is_in_step_with_the_lock():
    environment = yaml.safe_load((ROOT / "envs/intae.yaml").read_text())
    *conda, pip = environment["dependencies"]
    pins = locked()
    for line in conda:
        name, _, version = (part.strip() for part in line.partition("="))
        name = CONDA_NAMES.get(name, name)
        if name not in NOT_LOCKED:
            assert pins[name] == version.strip("= "), line
    for line in pip["pip"]:
        name, _, version = line.partition("==")
        assert pins[name] == version, line


def test_conda_environment_has_all_that_the_library_imports():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = {requirement_name(r) for r in project["dependencies"] + extras["slalom"]}
    wanted |= {requirement_name(r) for r in extras["workflow"]} - {"intae", "snakemake"}
    environment = yaml.safe_load((ROOT / "envs/intae.yaml").read_text())
    *conda, pip = environment["dependencies"]
    have = {line.partition("=")[0].strip() for line in conda}
    have = {CONDA_NAMES.get(name, name) for name in have}
    have |= {line.partition("==")[0] for line in pip["pip"]}
    assert wanted <= have


def test_peers_are_pinned_and_their_conda_environment_is_in_step():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    peers = [line.partition(";")[0] for line in project["optional-dependencies"]["peers"]]
    assert peers and all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9.]+", line) for line in peers)
    ours, theirs = (
        yaml.safe_load((ROOT / f"envs/{name}.yaml").read_text()) for name in ("intae", "peers")
    )
    *conda, pip = ours["dependencies"]
    assert theirs["channels"] == ours["channels"]
    assert theirs["dependencies"][:-1] == conda
    assert theirs["dependencies"][-1]["pip"] == [*pip["pip"], *peers]


def test_no_index_or_path_stands_in_the_lock():
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text and "file:" not in text and "--" not in text
