"""What the registry says of models and methods is what their classes and the config say."""

import colorsys
import inspect
import itertools
import subprocess
import sys

import matplotlib as mpl
import pytest
import yaml

import intae
from intae.benchmark.registry import METHODS, MODELS, RECOMMENDED, trains_a_network
from intae.controls import SCORES
from intae.parameters import COMMON, PARAMETERS, check_arguments


@pytest.mark.parametrize("name", MODELS)
def test_every_argument_is_described_and_every_default_fits(name):
    made = getattr(intae, name)()
    assert set(PARAMETERS[name] | COMMON) == set(made.get_params())
    check_arguments(name, made.get_params())


@pytest.mark.parametrize("name", MODELS)
def test_a_row_is_what_its_class_says(name):
    row, kind = MODELS[name], getattr(intae, name)
    arguments = [a for a in inspect.signature(kind).parameters if a not in ("seed", "threads")]
    assert list(row.parameters) == arguments
    for ability in ("knows_gene_sets", "infers_new_cells", "reconstructs"):
        assert getattr(row, ability) is getattr(kind, ability), ability
    assert row.revision == kind.revision


def test_scores_are_those_of_the_class():
    assert PARAMETERS["GeneSetScore"]["method"].values == SCORES


def test_every_method_of_the_config_has_a_colour_of_its_own(root):
    config = yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8"))
    assert set(config["methods"]) == set(METHODS)
    assert len(set(METHODS.values())) == len(METHODS)


def test_methods_have_at_most_eight_hues():
    hls = [colorsys.rgb_to_hls(*mpl.colors.to_rgb(color)) for color in METHODS.values()]
    hues = sorted(360 * hue for hue, _, saturation in hls if saturation > 0.12)
    kinds = 1 + sum(b - a > 10 for a, b in itertools.pairwise(hues))
    assert kinds + any(saturation <= 0.12 for *_, saturation in hls) <= 8
    assert next(iter(METHODS)) == RECOMMENDED


def test_who_can_use_a_gpu(root):
    config = yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8"))
    networks = {n for n, entry in config["methods"].items() if trains_a_network(entry)}
    assert networks == {
        "autoencoder", "autoencoder_proximal", "autoencoder_masked", "autoencoder_stochastic"
    }  # fmt: skip


def test_what_the_snakefile_imports_is_light():
    code = (
        "import sys; import intae.benchmark.plan, intae.benchmark.jobs, intae.benchmark.facts; "
        "heavy = {'numpy', 'pandas', 'anndata', 'torch', 'sklearn', 'matplotlib'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
