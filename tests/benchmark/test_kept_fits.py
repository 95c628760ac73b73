"""A step of several fits that is killed goes on from what it kept and ends at the same numbers."""

import numpy as np
import pytest

import intae
from intae.autoencoder import checkpoint, network
from intae.benchmark import kept_fits
from intae.benchmark.kept_fits import KeptFits, checksum
from intae.benchmark.refits import between_halves, unseen_cells

pytestmark = pytest.mark.usefixtures("one_thread")

EPOCHS = 4


@pytest.fixture(scope="module")
def cells():
    return intae.simulate(n_cells=200, n_genes=50, n_terms=5, n_active=3, n_dense=1, seed=0)


def network_fit():
    return intae.Autoencoder("adam", n_dense=1, epochs=EPOCHS, threads=1, device="cpu")


@pytest.fixture
def long(monkeypatch):
    """Every fit counts as one that takes long; return the number of epochs trained so far."""
    epoch, began = network.Feed.epoch, []

    def trained(*args):
        began.append(args)
        if len(began) == long.last:
            raise KeyboardInterrupt
        return epoch(*args)

    def long():
        return len(began)

    long.last = None
    monkeypatch.setattr(network.Feed, "epoch", trained)
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    monkeypatch.setattr(kept_fits, "LONG", 0.0)
    return long


def halves(cells, **fit):
    return [between_halves(cells, network_fit, 2, donors=False, **fit)]


def folds(cells, **fit):
    return list(unseen_cells(cells, network_fit, 3, **fit))


@pytest.mark.parametrize("refit", [halves, folds])
def test_killed_in_any_of_its_fits_it_ends_at_the_same_numbers(refit, cells, long, tmp_path):
    undisturbed, trained = refit(cells), long()
    assert trained >= 3 * EPOCHS
    folder = tmp_path / "halves.checkpoint"
    long.last = trained + EPOCHS + 3  # in the third epoch of the second fit
    with pytest.raises(KeyboardInterrupt):
        refit(cells, fit=KeptFits(folder).fit)
    assert sorted(path.suffix for path in folder.iterdir()) == [".h5", ".pt"]
    before = long()
    files = KeptFits(folder)
    tables = refit(cells, fit=files.fit)
    assert long() - before == trained - EPOCHS - 2
    for table, other in zip(tables, undisturbed, strict=True):
        assert len(table) and table.equals(other)
    again = long()
    assert refit(cells, fit=files.fit)[0].equals(undisturbed[0]) and long() == again
    files.remove()
    assert not any(tmp_path.iterdir())


def test_only_the_same_model_and_data_count(cells, long, tmp_path):
    model, fits = network_fit(), KeptFits(tmp_path)
    fits.fit(model, cells)
    trained = long()
    fits.fit(network_fit(), cells.copy())
    assert long() == trained
    cell, gene, label, sets = (cells.copy() for _ in range(4))
    cell.X[3, 5] += 0.01
    gene.var_names = ["first", *gene.var_names[1:]]
    label.obs["donor"] = label.obs["donor"].astype(str).to_numpy()[::-1]
    sets.varm["annotations"] = 1 - np.asarray(sets.varm["annotations"])
    sums = [checksum(model, data) for data in (cells, cell, gene, label, sets)]
    sums += [checksum(network_fit().set_params(**{name: 7}), cells) for name in ("seed", "epochs")]
    assert len(set(sums)) == len(sums)


def test_short_fits_write_nothing(cells, tmp_path):
    folder = tmp_path / "folds.checkpoint"
    fits = KeptFits(folder)
    fits.fit(network_fit(), cells)
    fits.fit(intae.PCA(n_dense=2, threads=1), cells)
    assert not folder.exists()
    fits.remove()


def test_a_folder_that_takes_no_file_ends_no_step(cells, long, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    fit = KeptFits(tmp_path / "file" / "halves").fit(intae.PCA(n_dense=2, threads=1), cells)
    assert fit.converged_ and "cannot be written" in caplog.text
