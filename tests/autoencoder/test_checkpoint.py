"""A network's fit that is killed goes on from its checkpoint and ends at the same numbers."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import intae
from intae.autoencoder import checkpoint, network
from intae.benchmark.training import train
from intae.fits import read_facts, write_fit
from intae.io import write_h5ad

pytestmark = pytest.mark.usefixtures("one_thread")

ROOT = Path(__file__).parents[2]
EPOCHS = 5
QUICK = {"epochs": EPOCHS, "threads": 1, "device": "cpu"}
MODELS = {
    "adam": lambda: intae.Autoencoder("adam", n_sparse=1, n_dense=1, **QUICK),
    "proximal": lambda: intae.Autoencoder("proximal", n_dense=1, tol=1e-9, **QUICK),
    "masked": lambda: intae.MaskedAutoencoder("stochastic", **QUICK),
}

# Fits that write their state after every epoch, each in a process that is killed at a batch of the
# whole training. They are copies of one process, so that libraries are imported once.
KILLED = """
import json, os, signal, sys
from intae.autoencoder import checkpoint, network
from intae.io import read_h5ad
from test_checkpoint import MODELS

folder, last = sys.argv[1], json.loads(sys.argv[2])
checkpoint.EVERY, epoch, ended = 0.0, network.Feed.epoch, {}

def killed(feed, *given):
    for batch in epoch(feed, *given):
        last[name] -= 1
        if not last[name]:
            os.kill(os.getpid(), signal.SIGKILL)
        yield batch

network.Feed.epoch = killed
for name in last:
    if not (child := os.fork()):
        cells, path = read_h5ad(f"{folder}/prepared.h5ad"), f"{folder}/{name}/checkpoint.pt"
        MODELS[name]().fit(cells, checkpoint=path)
        os._exit(0)
    ended[name] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(json.dumps(ended))
"""


def same(model, other):
    """Assert that two fits say the same, to the last bit, but for the times."""
    assert np.array_equal(model.loadings_, other.loadings_)
    assert np.array_equal(model.weights_, other.weights_)
    assert model.terms_.equals(other.terms_)
    tables = (fit.history_.drop(columns="seconds") for fit in (model, other))
    assert next(tables).equals(next(tables))
    assert model.history_["seconds"].is_monotonic_increasing
    assert model.seconds_ > model.history_["seconds"].iloc[-1]


def stop_after(epochs, monkeypatch):
    """Let the next fit write its state after each epoch and fail in the one after `epochs`."""
    epoch, began = network.Feed.epoch, []

    def stopped(*args):
        began.append(args)
        if len(began) > epochs:
            raise KeyboardInterrupt
        return epoch(*args)

    monkeypatch.setattr(network.Feed, "epoch", stopped)
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)


@pytest.fixture(scope="module")
def undisturbed(cells):
    return {name: make().fit(cells) for name, make in MODELS.items()}


@pytest.fixture
def stopped(cells, tmp_path):
    """The checkpoint of a fit by adam that stopped after two epochs."""
    path = tmp_path / "checkpoint.pt"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(2, patch)
        MODELS["adam"]().fit(cells, checkpoint=path)
    return path


@pytest.fixture(scope="module")
def killed(cells, tmp_path_factory):
    """Of each model, how its process ended, the batch when it was killed, and its checkpoint."""
    folder = tmp_path_factory.mktemp("killed")
    write_h5ad(cells, folder / "prepared.h5ad")
    per_epoch, draw = -(-cells.n_obs // 62), random.SystemRandom().randrange
    last = {name: draw(per_epoch + 1, EPOCHS * per_epoch) for name in MODELS}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, folder, json.dumps(last)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ended = json.loads(done.stdout)
    return {n: (ended[n], last[n], folder / n / "checkpoint.pt", done.stderr) for n in MODELS}


@pytest.mark.parametrize("name", MODELS)
def test_killed_at_a_random_batch_it_ends_at_the_same_numbers(name, cells, undisturbed, killed):
    ended, last, path, errors = killed[name]
    assert ended == -signal.SIGKILL, errors
    assert path.exists()
    fit = MODELS[name]().fit(cells, checkpoint=path)
    assert fit.resumed_ == 1, f"killed at batch {last}"
    same(fit, undisturbed[name])
    assert not any(path.parent.iterdir())


def test_killed_twice_its_seconds_are_those_of_all_parts(cells, undisturbed, tmp_path):
    path = tmp_path / "checkpoint.pt"
    for epochs in (2, 1):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
            stop_after(epochs, patch)
            MODELS["adam"]().fit(cells, checkpoint=path)
    import torch

    kept = torch.load(path, weights_only=True)
    assert (kept["state"]["epoch"], kept["resumed"]) == (3, 1)
    kept["seconds"] += 1000
    torch.save(kept, path)
    fit = MODELS["adam"]().fit(cells, checkpoint=path)
    assert fit.resumed_ == 2 and 1000 < fit.seconds_ < 1100
    fit.seconds_ -= 1000
    assert np.array_equal(fit.loadings_, undisturbed["adam"].loadings_)


def test_what_a_fit_was_resumed_stands_in_its_facts(cells, stopped, tmp_path):
    params = {"solver": "adam", "n_sparse": 1, "n_dense": 1, "epochs": EPOCHS, "device": "cpu"}
    fit, about = train(cells, "Autoencoder", params, seed=0, threads=1, checkpoint=stopped)
    write_fit(fit, tmp_path / "fit.h5", about)
    assert read_facts(tmp_path / "fit.json")["resumed"] == 1
    assert read_facts(tmp_path / "fit.json")["seconds"] == fit.seconds_
    plain, about = train(cells, "PCA", {}, seed=0, threads=1, checkpoint=stopped)
    write_fit(plain, tmp_path / "fit.h5", about)
    assert read_facts(tmp_path / "fit.json")["resumed"] == 0


def changed(cells):
    other = cells.copy()
    other.X[3, 5] += 0.01
    return other


def renamed(cells):
    other = cells.copy()
    other.obs_names = ["first", *other.obs_names[1:]]
    return other


@pytest.mark.parametrize("data", [changed, renamed])
def test_the_state_of_other_data_is_ignored(data, cells, stopped):
    fit = MODELS["adam"]().fit(data(cells), checkpoint=stopped)
    assert fit.resumed_ == 0 and not stopped.exists()
    same(fit, MODELS["adam"]().fit(data(cells)))


@pytest.mark.parametrize("change", [{"seed": 1}, {"epochs": 4}, {"lambda3": 0.1}])
def test_the_state_of_other_arguments_is_ignored(change, cells, stopped):
    fit = MODELS["adam"]().set_params(**change).fit(cells, checkpoint=stopped)
    assert fit.resumed_ == 0
    assert len(fit.history_) == change.get("epochs", EPOCHS)


def test_the_state_of_another_revision_or_class_is_ignored(cells, stopped, monkeypatch):
    monkeypatch.setattr(intae.Autoencoder, "revision", 99)
    kept = stopped.read_bytes()
    assert MODELS["adam"]().fit(cells, checkpoint=stopped).resumed_ == 0
    stopped.write_bytes(kept)
    assert MODELS["masked"]().fit(cells, checkpoint=stopped).resumed_ == 0


def test_a_broken_file_is_ignored_and_told_of(cells, stopped, undisturbed, caplog):
    stopped.write_bytes(stopped.read_bytes()[:500])
    fit = MODELS["adam"]().fit(cells, checkpoint=stopped)
    assert fit.resumed_ == 0 and "cannot be read" in caplog.text
    same(fit, undisturbed["adam"])


def test_a_folder_that_takes_no_file_ends_no_fit(cells, undisturbed, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "checkpoint.pt"
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "remove_file", lambda path: None)
        fit = MODELS["adam"]().fit(cells, checkpoint=path)
    assert "cannot be written" in caplog.text
    same(fit, undisturbed["adam"])


def test_a_short_fit_writes_nothing(cells, tmp_path, monkeypatch):
    def refuse(path):
        raise AssertionError(path)

    monkeypatch.setattr(checkpoint, "whole_file", refuse)
    began = time.perf_counter()
    fit = MODELS["adam"]().fit(cells, checkpoint=tmp_path / "checkpoint.pt")
    assert fit.seconds_ <= time.perf_counter() - began
    assert fit.resumed_ == 0 and not any(tmp_path.iterdir())


def test_the_exact_solver_takes_the_argument_and_removes_what_is_left(cells, stopped):
    fit = intae.Autoencoder().fit(cells, checkpoint=stopped)
    assert fit.resumed_ == 0 and not stopped.exists()
