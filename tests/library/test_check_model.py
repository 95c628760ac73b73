"""The contract of models: ours keep it, and a class that breaks a part of it is told which."""

import importlib
import re
import sys

import pytest

import intae
from intae.errors import ContractError
from intae.testing import check_model

QUICK = {
    "Autoencoder": {"max_iter": 30},
    "FSCLVM": {"max_iter": 30},
    "MaskedAutoencoder": {"epochs": 1},
    "PLIER": {"max_iter": 60},
    "Slalom": {"max_iter": 3},
}


@pytest.fixture(scope="module")
def example(request):
    """The worked example of the docs: its code, and what it lies beside."""
    text = (request.config.rootpath / "docs/own_model.md").read_text(encoding="utf-8")
    return re.findall(r"```(\w+)\n(.*?)```", text, flags=re.DOTALL)


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Return a function that imports code as a module of its own."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def load(code, name="plage"):
        (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")
        sys.modules.pop(name, None)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield load
    sys.modules.pop("plage", None)


@pytest.mark.parametrize(
    "name", ["Autoencoder", "FSCLVM", "GeneSetScore", "MaskedAutoencoder", "PCA", "PLIER", "Slalom"]
)
def test_our_own_models_keep_the_contract(name):
    check_model(getattr(intae, name)(**QUICK.get(name, {})))


def test_the_example_of_the_docs_keeps_the_contract(example, load):
    code = example[0][1]
    assert len(code.splitlines()) <= 40
    load(code)
    exec(example[3][1], {})  # what the page says to run


# What is changed in the example's code, and what is then said.
MISTAKES = {
    "no parent": ("(intae.FactorModel)", "", "is no subclass of intae.FactorModel"),
    "no transform": ("def transform", "def infer", "defines no transform"),
    "not plain": ("reconstructs = False", "reconstructs = bool(0)", "must be True or False"),
    "no seed": ("self, seed=0, threads=None):\n        self.seed, self.threads = seed, threads",
                "self, threads=None):\n        self.threads = threads", "takes no seed="),
    "argument changed": ("= seed, threads", "= seed + 1, threads", "cannot clone it"),
    "argument lost": ("self.seed, self.threads = seed,", "self.a, self.threads = seed,",
                      "must store its argument seed as self.seed"),
    "not checked": ("        check_prepared(adata)\n", "", "check_prepared"),
    "early": ("X = match_genes(", "return 3\n        X = match_genes(",
              "transform before fit gives something"),
    "not itself": ("return self\n", "return 1\n", "fit must return self"),
    "writes": ("weights *=", "adata.X[0] = 1\n        weights *=", "fit changes the X"),
    "own parameter": ("weights *=", "self.seed = 5\n        weights *=", "changes parameters"),
    "no verdict": ("= 1, True,", "= 1, None,", "converged_ is None"),
    "no count": ("= 1, True,", "= 2, True,", "history_ must follow the iterations"),
    "names": ("self.n_iter_,", "self.weights_ = self.weights_.T\n        self.n_iter_,",
              "weights_ must be genes x terms"),
    "history": ('"iteration": [1]', '"round": [1]', "history_ has no column 'iteration'"),
    "order": ("term_index(get_terms(adata), 0, 0)", "term_index(get_terms(adata)[::-1], 0, 0)",
              "must begin with the gene sets"),
    "negative": ("relevance=relevance,", "relevance=-relevance,", "relevance must be finite"),
    "signs": ("weights *= signs(weights, known)", "weights *= -signs(weights, known)",
              "sum below zero"),
    "chance": ("weights *=", "weights *= np.random.rand()\n        weights *=",
               "two fits from one seed differ"),
    "state": ("weights *=", "np.random.rand()\n        weights *=", "global random state"),
    "genes": ("match_genes(adata, self.weights_.index).X", "adata.X", "match genes"),
    "batch": ("(block - self.mean_)", "(block - block.mean(0))", "each cell by itself"),
    "reconstructs": ("reconstructs = False", "encode = None", "reconstruct fails"),
    "infers": ("reconstructs = False", "infers_new_cells = False", "must raise"),
    "not saved": ('_saved = ("mean_",)', "_saved = ()", "cannot transform"),
    "pickle": ("    def transform", "    def save(self, path):\n        import pickle\n"
               "        pickle.dump(3, open(path, 'wb'))\n\n    def transform",
               "save before fit gives something"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_breaks_the_contract_is_told(example, load, mistake):
    before, after, message = MISTAKES[mistake]
    code = example[0][1]
    assert before in code
    with pytest.raises(ContractError, match=re.escape(message)):
        check_model(load(code.replace(before, after)).Plage)


def test_a_file_that_needs_pickle_is_refused(example, load):
    code = example[0][1] + (
        "\n    def save(self, path):\n"
        "        import pickle\n"
        "        super().save(path)\n"
        "        import h5py\n"
        "        with h5py.File(path, 'a') as file:\n"
        "            file['blob'] = np.void(pickle.dumps(self.mean_))\n"
        "\n    @classmethod\n"
        "    def load(cls, path):\n"
        "        import h5py, pickle\n"
        "        model = super().load(path)\n"
        "        with h5py.File(path) as file:\n"
        "            model.mean_ = pickle.loads(file['blob'][()].tobytes())\n"
        "        return model\n"
    )
    with pytest.raises(ContractError, match="load uses pickle"):
        check_model(load(code).Plage)
