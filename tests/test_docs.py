"""README and docs/: links lead somewhere, what is named exists, and examples work as they stand."""

import ast
import importlib
import importlib.util
import inspect
import re
import sys
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import yaml

import intae
from intae.benchmark.cli import main
from intae.benchmark.config import check_config, merge, read_config
from intae.benchmark.registry import METHODS

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", *DOCS]
COMMUNITY = [ROOT / "CONTRIBUTING.md"]
FLAGS = re.M | re.S
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", FLAGS)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PARTS = "intae|rules|scripts|report|benchmarks|tests|profiles|envs|docs|resources|tools"
NAMED = re.compile(rf"(?<![\w./-])(?:{PARTS})/[\w./*-]*|(?<![\w./-])(?:Snakefile|config\.yaml)\b")
MODULES = ("pl", "tl")
MADE = re.compile(r"^resources/|^results")  # by a run


def pages(*paths):
    return pytest.mark.parametrize("page", paths, ids=lambda path: path.name)


def blocks(page, language):
    """Return the code blocks of a page in a language."""
    return [body for kind, body in FENCE.findall(page.read_text()) if kind == language]


def slug(heading):
    """Return the anchor that GitHub and MkDocs make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(page):
    text = FENCE.sub("", page.read_text())
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", text, re.M)}


def test_the_readme_has_at_most_700_words():
    assert len((ROOT / "README.md").read_text().split()) <= 700


@pages(*PAGES, *COMMUNITY)
def test_links_lead_somewhere(page):
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        if re.match(r"https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), link
        if anchor:
            assert anchor in anchors(target), link


def test_every_page_is_in_the_navigation_and_in_the_index():
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    listed = [entry if isinstance(entry, str) else next(iter(entry.values())) for entry in nav]
    assert sorted(listed) == [page.name for page in DOCS]
    linked = set(LINK.findall((ROOT / "docs/index.md").read_text()))
    assert {page.name for page in DOCS} - {"index.md"} <= linked


@pages(*(page for page in PAGES if blocks(page, "yaml")))
def test_configs_pass_the_check(page, tmp_path, monkeypatch):
    """The blocks of a page are laid one over the other, as its text says."""
    monkeypatch.syspath_prepend(tmp_path)  # for classes of the page's own, in files it names
    for name, code in re.findall(r"`(\w+\.py)`:\n\n```python\n(.*?)^```$", page.read_text(), FLAGS):
        (tmp_path / name).write_text(code)
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    for block in blocks(page, "yaml"):
        (tmp_path / "own.yaml").write_text(block)
        own = read_config(tmp_path / "own.yaml")
        chosen = {"run": {"datasets": None, "methods": None}}  # each block by itself may narrow it
        config = merge(config, chosen)
        config = merge(config, own)
        check_config(config)


def test_the_reference_has_every_public_name():
    found = set()
    for path in re.findall(r"^::: ([\w.]+)$", (ROOT / "docs/api.md").read_text(), re.M):
        module, _, name = path.rpartition(".")
        assert hasattr(importlib.import_module(module), name), path
        found.add(f"{module[6:]}.{name}" if module[6:] in MODULES else name)
    of_modules = {f"{m}.{name}" for m in MODULES for name in getattr(intae, m).__all__}
    assert found == set(intae.__all__) - set(MODULES) | of_modules


class Uses(ast.NodeVisitor):
    """What a block uses of intae: its names, their arguments, attributes of fitted models."""

    def __init__(self):
        self.models = {"model"}
        self.faults = []

    def visit_Attribute(self, node):
        if isinstance(node.value, ast.Name) and node.value.id == "intae":
            if node.attr not in intae.__all__:
                self.faults.append(f"intae.{node.attr}")
        elif (place := ast.unparse(node.value)) in [f"intae.{module}" for module in MODULES]:
            if node.attr not in getattr(intae, place[6:]).__all__:
                self.faults.append(f"{place}.{node.attr}")
        elif isinstance(node.value, ast.Name) and node.value.id in self.models:
            documented = re.findall(r"\b\w+_\b", intae_docs())
            if not hasattr(intae.Autoencoder, node.attr) and node.attr not in documented:
                self.faults.append(f"model.{node.attr}")
        self.generic_visit(node)

    def visit_Call(self, node):
        name = ast.unparse(node.func)
        called = intae
        for part in name.split(".")[1:] if name.startswith("intae.") else ():
            called = getattr(called, part, None)
        if called not in (intae, None):
            known = inspect.signature(called).parameters
            if "options" in known:  # of intae.tl.terms: those of `prepare`
                known = {*known, *inspect.signature(intae.prepare).parameters}
            self.faults += [
                f"{name.rpartition('.')[2]}({word.arg}=)"
                for word in node.keywords
                if word.arg not in known and "style" not in known
            ]
        self.generic_visit(node)


def intae_docs():
    from intae.base import FactorModel

    return (FactorModel.__doc__ or "") + (intae.Autoencoder.__doc__ or "")


@pages(*(page for page in PAGES if blocks(page, "python")))
def test_python_names_only_what_intae_has(page):
    uses = Uses()
    for block in blocks(page, "python"):
        uses.visit(ast.parse(block))
    assert not uses.faults
    inline = re.findall(r"`(intae\.[A-Z]\w*\([^`]*\))`", FENCE.sub("", page.read_text()))
    for code in inline:
        uses.visit(ast.parse(code))
    assert not uses.faults


def test_a_wrong_name_is_found():
    uses = Uses()
    uses.visit(ast.parse("intae.Encoder(); intae.PCA(dense=1); model.fitt; model.loadings_"))
    uses.visit(ast.parse("intae.tl.term(); intae.tl.compare(x, groups_=1); intae.pl.terms(x)"))
    faults = ["PCA(dense=)", "compare(groups_=)", "intae.Encoder", "intae.tl.term", "model.fitt"]
    assert sorted(uses.faults) == faults


@pytest.fixture
def own_files(tmp_path, monkeypatch):
    """A folder with the files that the examples read."""
    rng = np.random.default_rng(0)
    activity = rng.gamma(1.0, size=(240, 4))  # of four sets, cells x sets
    genes = [f"GENE{i}" for i in range(120)]
    rate = np.repeat(activity, 30, axis=1) * rng.gamma(2.0, size=120) + 0.3
    for name in ("cells", "new_cells"):
        counts = rng.poisson(rate).astype(np.float32)
        obs = pd.DataFrame(index=[f"c{i}" for i in range(len(counts))])
        obs["patient"] = [f"p{i // 60}" for i in range(len(counts))]
        obs["treatment"] = ["before", "after"] * (len(counts) // 2)
        obs["cluster"] = "one"
        cells = anndata.AnnData(counts, obs, pd.DataFrame(index=genes))
        cells.obsm["X_umap"] = rng.normal(size=(len(counts), 2))
        cells.write_h5ad(tmp_path / f"{name}.h5ad")
    cells.to_df().T.to_csv(tmp_path / "counts.csv")
    cells.obs.sample(frac=1, random_state=0).to_csv(tmp_path / "meta.csv")
    lines = ["\t".join([f"SET_{k}", "na", *genes[30 * k : 30 * k + 30]]) for k in range(4)]
    (tmp_path / "c2.cp.reactome.v4.0.symbols.gmt").write_text("\n".join(lines) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pages(ROOT / "README.md", ROOT / "docs/tutorial.md")
def test_the_examples_run(page, own_files):
    import matplotlib

    matplotlib.use("Agg")
    names = {}
    for block in blocks(page, "python"):
        exec(compile(block, page.name, "exec"), names)
    cells = names["cells"]
    if page.name == "README.md":
        assert np.isfinite(np.asarray(cells.obsm["X_intae"])).all()
        assert len(cells.uns["intae"]["top"]) >= 3
    else:
        assert len(names["top"]) == 3
        assert cells.obs[names["top"]].notna().all(axis=None)


@pages(*PAGES, *COMMUNITY)
def test_files_that_are_named_exist(page):
    text = page.read_text()
    if page.name == "config.md":  # made from the schema, which names folders of a run
        text = ""
    for name in set(NAMED.findall(text)):
        name = name.rstrip(".")
        assert MADE.match(name) or (ROOT / name).exists() or list(ROOT.glob(name)), name


@pages(*PAGES, *COMMUNITY)
def test_commands_that_are_named_exist(page):
    text = page.read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    code = "\n".join(blocks(page, "bash")) + "\n" + "\n".join(re.findall(r"`([^`\n]+)`", text))
    for target in re.findall(r"\bmake (?:\w+=\S+ )?([a-z]+)", code):
        assert target in targets, target
    rules = "".join(path.read_text() for path in [ROOT / "Snakefile", *ROOT.glob("rules/*.smk")])
    for rule in re.findall(r"snakemake ([a-z]\w*)", code):
        assert f"rule {rule}:" in rules, rule
    for command in re.findall(r"(?:bin/|-m )intae ([a-z]+)", code):
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0, command
    for command in set(re.findall(r"\.venv/bin/(\w+)", code)):
        known = importlib.util.find_spec(command) is not None
        assert known or Path(sys.executable).with_name(command).exists(), command
    for script, options in re.findall(r"python (benchmarks/\w+\.py)([^\n]*)", code):
        source = (ROOT / script).read_text()
        for option in re.findall(r"--[\w-]+", options):
            assert f'"{option}"' in source, f"{script} {option}"


@pages(ROOT / "README.md", ROOT / "docs/benchmark.md")
def test_methods_that_are_compared_exist(page):
    """The first column of a table headed `method` holds names of the registry or words."""
    for name in re.findall(r"`([a-z_0-9]+)`", "\n".join(rows(page, "method"))):
        assert name in METHODS, name


def rows(page, head):
    """Return the first cells of the tables whose first column has this head."""
    found, inside = [], False
    for line in page.read_text().splitlines():
        first = line.split("|")[1].strip() if line.startswith("|") else None
        inside = first is not None and (inside or first == head)
        if inside:
            found.append(first)
    return found


def test_messages_of_the_troubleshooting_page_stand_in_the_code():
    source = "".join(path.read_text() for path in sorted((ROOT / "intae").rglob("*.py")))
    source += (ROOT / "Makefile").read_text()
    # literals that stand in several parts are one text
    joined = re.sub(r"""["']\s*\n\s*f?["']""", "", source)
    messages = re.findall(
        r"`([^`]+)`", "\n".join(rows(ROOT / "docs/troubleshooting.md", "message"))
    )
    assert len(messages) > 20
    for message in messages:
        for part in message.split("…"):
            assert part.strip() in joined, message


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda p: p.name)
def test_benchmarks_import_what_is_there(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("intae"):
            continue
        module = importlib.import_module(node.module)
        for name in (alias.name for alias in node.names):
            if not hasattr(module, name):
                importlib.import_module(f"{node.module}.{name}")
