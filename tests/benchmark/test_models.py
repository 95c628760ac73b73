"""Classes of anyone's, as a config names them: read from their source, never imported."""

import sys

import pytest

from intae.base import FactorModel, class_named, name_of
from intae.benchmark.cli import main
from intae.benchmark.models import model_of
from intae.benchmark.plan import Benchmark
from intae.benchmark.registry import MODELS, package_of, trains_a_network
from intae.errors import ConfigError, IntaeError

HEAVY = "import no_such_package\n"  # whoever imports it fails
OWN = """
from intae.base import FactorModel as Base

class Own(Base):
    infers_new_cells = False
    revision: int = 4

    def __init__(self, sharpness=1.0, *, device=None, seed=0, threads=None):
        pass
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes modules, name -> code, where Python finds them."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def write(files=None, **modules):
        for name, code in (files or modules).items():
            path = tmp_path / f"{name}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(code, encoding="utf-8")

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def config(model, **entry):
    methods = {"own": {"model": model} | entry}
    return {"datasets": {"simulated": {"source": "simulated"}}, "methods": methods}


def test_a_class_is_read_and_not_imported(write):
    write(own_a=HEAVY + OWN)
    found = model_of("own_a:Own")
    assert found.parameters == ("sharpness", "device")
    assert found.knows_gene_sets and found.reconstructs and not found.infers_new_cells
    assert found.revision == 4
    assert trains_a_network({"model": "own_a:Own", "params": {}})
    assert "own_a" not in sys.modules


def test_a_class_in_a_package_with_parents_elsewhere(write):
    write(
        {
            "pkg_b/__init__": "from .inner import Own as Renamed\n",
            "pkg_b/inner": "from .parents import Parent\n\n"
            "class Own(Parent):\n    reconstructs = False\n",
            "pkg_b/parents": "import intae as i\n\nclass Parent(i.PCA):\n    revision = 9\n",
        }
    )
    for name in ("pkg_b:Renamed", "pkg_b.inner:Own"):
        found = model_of(name)
        assert found.parameters == MODELS["PCA"].parameters
        assert not found.knows_gene_sets and not found.reconstructs and found.revision == 9


def test_a_changed_file_is_read_anew(write):
    write(own_c=OWN)
    assert model_of("own_c:Own").revision == 4
    write(own_c=OWN.replace("4", "15"))
    assert model_of("own_c:Own").revision == 15


@pytest.mark.parametrize(
    ("name", "before", "after", "message"),
    [
        ("Oone", "", "", "there is no model 'Oone'"),
        ("no_such_module_d:Own", "", "", "there is no module 'no_such_module_d' (looked in "),
        ("own_d:Onw", "", "", "has no class 'Onw'; did you mean 'Own'"),
        ("own_d:Own.inner", "", "", "is no class; give it as package.module:Class"),
        ("own_d:Own", "(Base)", "", "Own is no subclass of intae.FactorModel"),
        ("own_d:Own", "= False", "= not True", "Own.infers_new_cells must be True or False"),
        ("own_d:Own", "int = 4", "int = '4'", "Own.revision must be a whole number"),
        ("own_d:Own", "seed=0, ", "", "its __init__ takes no seed="),
        ("own_d:Own", "seed=0", "**seed", "takes *args or **kwargs"),
        ("own_d:Own", "def __init__", "def init", "it has no __init__"),
        ("own_d:Own", "class Own", "class Own Own", "cannot be read as Python"),
    ],
)
def test_mistakes_are_named_before_any_job(write, name, before, after, message):
    code = OWN.replace(before, after) if before else OWN
    if after == "**seed":
        code = code.replace(", threads=None", "").replace("device=None, ", "threads=None, ")
    write(own_d=code)
    with pytest.raises(ConfigError) as error:
        Benchmark(config(name))
    assert str(error.value).startswith("config, methods: own: model: ")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"params": {"sharpnes": 1}}, "own_e:Own has no parameter 'sharpnes'; did you mean"),
        ({"halves": 2}, "own_e:Own cannot infer the loadings of cells"),
    ],
)
def test_an_entry_is_held_against_its_class(write, entry, message):
    write(own_e=OWN)
    Benchmark(config("own_e:Own", params={"sharpness": 2.0}))
    with pytest.raises(ConfigError) as error:
        Benchmark(config("own_e:Own", **entry))
    assert message in str(error.value)


def test_parameters_of_our_own_models_are_checked_as_early():
    with pytest.raises(ConfigError) as error:
        Benchmark(config("FSCLVM", params={"n_dens": 1}))
    assert "own: params: FSCLVM has no parameter 'n_dens'; did you mean 'n_dense'" in str(
        error.value
    )


def test_intae_check_finds_a_class_beside_the_config(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "own_f.py").write_text(HEAVY + OWN)
    path = tmp_path / "mine.yaml"
    path.write_text(
        "run: {datasets: [simulated], methods: [m]}\nmethods: {m: {model: 'own_f:Own'}}"
    )
    assert main(["check", str(path)]) == 0
    assert "m: seed 0" in capsys.readouterr().out


def test_classes_have_names_and_names_have_classes(write):
    write(own_g="import intae\n\nclass Own(intae.PCA):\n    pass\n\nclass Other:\n    pass\n")
    kind = class_named("own_g:Own")
    assert issubclass(kind, FactorModel) and name_of(kind) == "own_g:Own"
    assert name_of(class_named("PCA")) == "PCA"
    with pytest.raises(IntaeError, match=r"'own_g:Other' is no subclass of intae.FactorModel"):
        class_named("own_g:Other")
    with pytest.raises(ImportError, match=r"'own_g:Own2' cannot be imported"):
        class_named("own_g:Own2")


def test_a_saved_class_of_anyones_comes_back(write, simulated, tmp_path):
    import intae

    write(own_h="import intae\n\nclass Own(intae.PCA):\n    pass\n")
    model = class_named("own_h:Own")(n_dense=2).fit(simulated)
    model.save(tmp_path / "m.h5")
    assert type(intae.load(tmp_path / "m.h5")) is type(model)
    with pytest.raises(IntaeError, match="holds a own_h:Own, not a PCA"):
        class_named("PCA").load(tmp_path / "m.h5")
    (tmp_path / "own_h.py").unlink()
    del sys.modules["own_h"]
    with pytest.raises(IntaeError, match=r"m\.h5: the model 'own_h:Own' cannot be imported"):
        intae.load(tmp_path / "m.h5")


def test_a_method_whose_package_is_missing_is_skipped_with_a_line(root, monkeypatch, capsys):
    from intae.benchmark import plan
    from intae.benchmark.config import load_config

    config = load_config([root / "config.yaml", root / "peers.yaml"])
    monkeypatch.setattr(plan, "find_spec", lambda package: None if package == "scarches" else 1)
    benchmark = Benchmark(config)
    assert benchmark.skipped == {"expimap": "scarches"}
    assert "mofaflex" in benchmark.methods and "expimap" not in benchmark.methods
    (line,) = benchmark.tell_skipped()
    assert line.startswith("methods: expimap: is skipped") and "`make peers` installs it" in line
    assert "expimap" in Benchmark(config, environments=True).methods
    assert main(["check", str(root / "peers.yaml")]) == 0
    assert line in capsys.readouterr().out


def test_no_default_config_names_a_peer(root):
    from intae.benchmark.config import load_config

    for extra in ([], [root / "tests/config/demo.yaml"]):
        benchmark = Benchmark(load_config([root / "config.yaml", *extra]), environments=True)
        assert not any(package_of(benchmark.method(m)) for m in benchmark.methods)
