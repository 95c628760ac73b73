"""The page of terms: what is packed into it, and what a real browser makes of it."""

import gzip
import json
import re
from base64 import b64decode
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from browser import errors_of, requests_of, start_browser, wait_for, wait_until_drawn
from test_evaluate import make_fit

from intae.contracts import get_annotations
from intae.evaluate.agreement import correlation_table
from intae.evaluate.tables import terms_of
from intae.pages.cells import MAX_GROUPS, quantiles, views_of
from intae.pages.gather import gather
from intae.pages.origins import Source, read_origins
from intae.pages.packing import Block, compress, quantise, shorten, to_json
from intae.pages.render import render_page, write_page

EVIL = '</script><b>EVIL</b>_"TERM"'
TERMS = [EVIL, "A_SECOND_TERM", "AN_IDLE_TERM"]
GENES = ["<i>G0</i>", *(f"G{i}" for i in range(1, 9))]
LABELS = {"autoencoder": "Autoencoder", "fsclvm": "f-scLVM <3>", "pca": "PCA"}
N_CELLS = 60


@pytest.fixture(scope="module")
def case():
    """Prepared data, two fits and tables, all by hand."""
    rng = np.random.default_rng(0)
    obs = pd.DataFrame(index=[f"c{i}" for i in range(N_CELLS)])
    obs["condition"] = np.where(np.arange(N_CELLS) < 25, "ctrl", "<u>stim</u>")
    obs["cell_type"] = rng.choice(["B", "T", "10", "9"], N_CELLS)
    prepared = AnnData(
        rng.normal(size=(N_CELLS, 9)).astype(np.float32), obs, pd.DataFrame(index=GENES)
    )
    sets = np.zeros((9, 3), np.uint8)
    sets[:4, 0], sets[3:7, 1], sets[5:, 2] = 1, 1, 1
    prepared.varm["annotations"], prepared.uns["terms"] = sets, np.array(TERMS, object)
    fits = []
    for number, method in enumerate(("autoencoder", "fsclvm")):
        z = rng.normal(size=(N_CELLS, 3))
        w = rng.normal(size=(9, 3)) * sets
        w[8, 0], w[1, 0] = -2.5, 0  # added, removed
        z[:, 2] = w[:, 2] = 0
        fit = make_fit(z, w, [2.0, 1234.5 + number, 0], active=[True, True, False], method=method)
        fit.uns["terms"].index = pd.Index(TERMS, name="term")
        fit.uns["terms"].loc[EVIL, ["genes_added", "genes_removed"]] = ["G8", "G1"]
        fit.var_names, fit.obs_names = GENES, obs.index
        fit.uns["fit"]["model"] = "Autoencoder" if number == 0 else "FSCLVM"
        fits.append(fit)
    rows = [
        (fit.uns["fit"]["method"], seed, term, "condition", split, *rng.uniform(0.5, 1, 3))
        for fit in fits for seed in (0, 1) for term in TERMS for split in ("train", "held_out")
    ]  # fmt: skip
    rows.append(("autoencoder", 0, EVIL, "condition", "unseen", 0.6543, 0.61, np.nan))
    names = ["method", "seed", "term", "label", "split", "accuracy", "balanced_accuracy", "auroc"]
    tables = {
        "terms": pd.concat(terms_of(fit) for fit in fits),
        "accuracy": pd.DataFrame(rows, columns=names),
        "correlation": correlation_table(dict(zip(LABELS, fits, strict=False)), "fsclvm"),
        "stability": pd.DataFrame(
            [("autoencoder", "seeds", EVIL, 0.99, 0.99, 0.99),
             ("autoencoder", "halves", EVIL, 0.97, 0.94, 0.98),
             ("autoencoder", "halves", "(mean |r|)", 0.97, 0.97, 0.97),
             ("autoencoder", "halves", "(number of pairs)", 5, 5, 5)],
            columns=["method", "kind", "term", "r", "r_min", "r_max"],
        ),
        "necessity": pd.DataFrame(
            [("autoencoder", 0, EVIL, 0.0123, 0.34, "A_SECOND_TERM"),
             ("autoencoder", 0, "A_SECOND_TERM", -0.5, 0.1, np.nan)],
            columns=["method", "seed", "term", "necessity", "irreplaceable", "stand_ins"],
        ),
    }  # fmt: skip
    origins = {EVIL: {"collection": "mine", "n_genes": 17, "full_name": f"MY_{EVIL}",
                      "link": "https://example.org/set"}}  # fmt: skip
    return SimpleNamespace(prepared=prepared, fits=fits, tables=tables, origins=origins)


def page_of(case, **changes):
    given = vars(case) | {"dataset": "own", "labels": LABELS} | changes
    facts, numbers = gather(given.pop("fits"), given.pop("prepared"), given.pop("tables"), **given)
    return render_page(facts, numbers, "Terms of <own>")


# What is packed


def test_rounded_weights_are_within_a_ten_thousandth():
    values = np.random.default_rng(0).normal(size=10_000).astype(np.float32)
    values[:2] = 0, 1
    short = shorten(values)
    assert short[0] == 0 and short[1] == 1
    assert np.abs(short / np.where(values == 0, 1, values) - 1)[1:].max() < 1.3e-4
    assert len(gzip.compress(short.tobytes())) < 0.75 * len(gzip.compress(values.tobytes()))


def test_quantised_values_are_within_half_a_step():
    values = np.random.default_rng(0).normal(size=(3, 50))
    values[2] = 1.5  # constant
    low, high = values.min(1), values.max(1)
    steps = quantise(values, low, high, "u1")
    assert steps.min() == 0 and steps.max() == 255
    back = low[:, None] + (high - low)[:, None] * steps / 255
    assert (np.abs(back - values) <= (high - low)[:, None] / 510 + 1e-12).all()


def test_a_block_says_where_its_arrays_lie():
    block = Block()
    places = [block.add(np.arange(5), "u1"), block.add(np.array([1.5, 2]), "f4")]
    data = block.to_bytes()
    assert places[1]["at"] % 4 == 0
    for place, wanted in zip(places, ([0, 1, 2, 3, 4], [1.5, 2]), strict=True):
        got = np.frombuffer(data, f"<{place['type']}", place["n"], place["at"])
        np.testing.assert_array_equal(got, wanted)
    with pytest.raises(ValueError, match="do not fit into u1"):
        block.add(np.array([256]), "u1")


def test_the_same_facts_make_the_same_page(case):
    assert compress("text") == compress("text")
    assert page_of(case) == page_of(case)


def test_json_holds_no_nan():
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"x": float("nan")})


def test_views_are_by_label_and_by_condition():
    obs = pd.DataFrame({"condition": list("aabb"), "donor": ["10", "9", "10", "10"]})
    views = views_of(obs)
    assert [(v.label, v.split) for v in views] == [
        ("condition", None), ("donor", None), ("donor", "condition")
    ]  # fmt: skip
    assert list(views[1].groups) == [("9",), ("10",)]  # not by letters
    assert {k: list(v) for k, v in views[2].groups.items()} == {
        ("9", "a"): [1], ("10", "a"): [0], ("10", "b"): [2, 3]
    }  # fmt: skip


def test_cells_without_labels_are_one_group():
    (view,) = views_of(pd.DataFrame(index=range(7)))
    assert [len(cells) for cells in view.groups.values()] == [7]


def test_of_very_many_groups_the_largest_are_kept():
    donors = [f"d{i}" for i in range(50) for _ in range(i + 1)]
    (view,) = views_of(pd.DataFrame({"donor": donors}))
    assert len(view.groups) == MAX_GROUPS and view.n_left_out == 10
    assert ("d9",) not in view.groups and ("d49",) in view.groups


def test_quantiles_are_those_of_pandas():
    rng = np.random.default_rng(0)
    obs = pd.DataFrame({"condition": rng.choice(list("ab"), 40)})
    z = pd.DataFrame(rng.normal(size=(40, 3)))
    found = quantiles(z.to_numpy(), views_of(obs))
    wanted = z.groupby(obs["condition"]).quantile([0.05, 0.25, 0.5, 0.75, 0.95])
    np.testing.assert_allclose(found, wanted.to_numpy().reshape(2, 5, 3).transpose(2, 0, 1))


def test_origins_are_read_from_the_files(tmp_path):
    path = tmp_path / "sets.gmt"
    path.write_text("MY_A\thttps://example.org/A\tX\tY\nMY_B\twhat it is\tX\nMY_C\tna\tX\n")
    (tmp_path / "plain.txt").write_text("D X Y Z\n")
    origins = read_origins(
        [Source(path, "MY_", "mine"), Source(tmp_path / "plain.txt", None, "plain")]
    )
    assert origins["A"] == {
        "collection": "mine", "n_genes": 2, "full_name": "MY_A", "link": "https://example.org/A"
    }  # fmt: skip
    assert origins["B"]["note"] == "what it is"
    assert set(origins["C"]) == {"collection", "n_genes", "full_name"}
    assert origins["D"] == {"collection": "plain", "n_genes": 3, "full_name": "D"}


def test_a_table_of_other_fits_is_refused(case):
    tables = case.tables | {"terms": case.tables["terms"].query("method != 'fsclvm'")}
    with pytest.raises(ValueError, match="terms has no row of fsclvm, seed 0"):
        page_of(case, tables=tables)


def test_names_do_not_break_out_of_the_page(case):
    page = page_of(case)
    assert "</script><b>" not in page  # names are packed, as everything from files
    assert "<title>Terms of &lt;own&gt;</title>" in page
    assert not re.search(r"""(src|href)\s*=\s*["']?https?:""", page)
    packed = re.search(r'id="packed-facts">([^<]+)<', page)[1]
    facts = json.loads(gzip.decompress(b64decode(packed)))
    assert facts["sets"]["names"] == TERMS
    assert [m["name"] for m in facts["methods"]] == ["autoencoder", "fsclvm"]


# What a browser makes of it


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = start_browser(tmp_path_factory.mktemp("downloads"))
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def path(case, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "terms.html"
    write_page(page_of(case), path)
    return path


@pytest.fixture
def opened(browser, path):
    """The page, just opened, and nothing gone wrong by the end of the test."""
    browser.get("about:blank")
    errors_of(browser), requests_of(browser)
    browser.get(path.as_uri())
    wait_until_drawn(browser)
    yield browser
    assert errors_of(browser) == []
    assert {url.split("#")[0] for url in requests_of(browser)} == {path.as_uri()}
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0


AXIS = "[...document.querySelectorAll('#loading-chart .ytick')].map(e => e.textContent)"


def js(browser, script):
    return browser.execute_script(f"return {script}")


def terms_listed(browser):
    return js(browser, "[...document.querySelectorAll('#terms .name')].map(e => e.textContent)")


def text_of(browser, selector):
    return js(browser, f"document.querySelector({json.dumps(selector)}).innerText")


def go(browser, path, **state):
    from urllib.parse import quote

    fragment = "&".join(f"{key}={quote(str(value))}" for key, value in state.items())
    if browser.current_url.split("#")[0] != path.as_uri():
        browser.get(f"{path.as_uri()}#{fragment}")
    else:
        browser.execute_script("delete document.documentElement.dataset.drawn")
        browser.execute_script("location.hash = arguments[0]", fragment)
        browser.execute_script("dispatchEvent(new HashChangeEvent('hashchange'))")
    wait_until_drawn(browser)


def readable(term):
    return term.replace("_", " ")


@pytest.mark.parametrize("term", TERMS)
def test_every_text_is_whole(opened, path, term):
    for method in ("autoencoder", "fsclvm"):
        go(opened, path, method=method, term=term, by="cell_type", split=1)
        opened.execute_script(
            "document.querySelectorAll('details').forEach(d => { d.open = true; })"
        )
        wait_for(lambda: opened.find_elements("css selector", ".gene-table"), "the list of genes")
        text = text_of(opened, "body")
        assert "necessity" in text  # the words are explained
        for sign in ("[object", "undefined", "NaN", "null", "Infinity"):
            assert sign not in text


def test_it_opens_with_the_most_relevant_term(opened):
    assert text_of(opened, "h2") == "A SECOND TERM"
    assert terms_listed(opened) == ["A SECOND TERM", readable(EVIL), "AN IDLE TERM"]
    assert "rank 1 of 3" in text_of(opened, ".tiles") and "1,235" in text_of(opened, ".tiles")
    assert opened.execute_script("return document.querySelectorAll('b > b, i > i, u').length") == 0
    assert "60 cells × 9 genes, 3 gene sets" in text_of(opened, "#about-data")


def test_search_narrows_by_name_and_by_gene(opened):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    opened.find_element(By.TAG_NAME, "body").send_keys("/")  # goes to the search
    search = opened.switch_to.active_element
    assert search.get_attribute("id") == "search"
    search.send_keys("second te")
    assert terms_listed(opened) == ["A SECOND TERM"]
    assert text_of(opened, "#count") == "1 of 3 terms"
    search.send_keys(Keys.ESCAPE)
    assert len(terms_listed(opened)) == 3
    search.send_keys("g1")
    assert terms_listed(opened) == [readable(EVIL)]  # the only set that holds it
    search.send_keys(Keys.ENTER)
    wait_until_drawn(opened, EVIL)
    assert text_of(opened, "h2") == readable(EVIL)
    search.send_keys(Keys.ESCAPE, Keys.ARROW_DOWN, Keys.ENTER)
    wait_until_drawn(opened, "AN_IDLE_TERM")
    search.send_keys("no such thing", Keys.ENTER)
    assert terms_listed(opened) == [] and text_of(opened, "h2") == "AN IDLE TERM"


@pytest.mark.parametrize("number", [0, 1])
def test_genes_have_the_weights_of_the_fit(opened, path, case, number):
    fit = case.fits[number]
    go(opened, path, method=fit.uns["fit"]["method"], term=EVIL)
    bars = js(opened, "(d => [d.x, d.customdata])(document.querySelector('#gene-chart').data[0])")
    wanted = pd.Series(fit.varm["weights"][:, 0], GENES)
    wanted = wanted[wanted != 0].sort_values(key=abs, ascending=False)
    shown = [name.replace("&lt;", "<").replace("&gt;", ">") for name, _ in bars[1]]
    assert shown == list(wanted.index)
    np.testing.assert_allclose(bars[0], wanted, rtol=2e-4)
    drawn = js(opened, "[...document.querySelectorAll('#gene-chart .ytick')].map(e=>e.textContent)")
    assert "+ G8" in drawn and "<i>G0</i>" in drawn
    legend = text_of(opened, "#genes .legend")
    assert "3 genes, in the gene set" in legend and "1 gene, not in the set" in legend
    assert "1 gene, in the set, taken out" in legend
    assert "removed: G1" in text_of(opened, "#genes")
    pattern = js(opened, "document.querySelector('#gene-chart').data[0].marker.pattern.shape")
    assert [p == "/" for p in pattern] == [name == "G8" for name in wanted.index]


def test_the_list_of_genes_can_be_copied_and_saved(opened, path, case, tmp_path):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    go(opened, path, method="autoencoder", term=EVIL)
    behaviour = {"behavior": "allow", "downloadPath": str(tmp_path)}
    opened.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    opened.find_element(By.CSS_SELECTOR, "#genes summary").click()
    wait_for(lambda: opened.find_elements(By.CSS_SELECTOR, ".gene-table tbody tr"), "the list")
    for button in opened.find_elements(By.CSS_SELECTOR, "#genes .actions button"):
        if button.text in ("Copy names", "Download CSV"):
            button.click()
    file = wait_for(lambda: [*tmp_path.glob("own.autoencoder.*.genes.csv")], "the download")[0]
    saved = pd.read_csv(file).set_index("gene")
    assert list(saved.columns) == ["weight", "in this term"]
    assert saved["in this term"].to_dict() == {
        "G8": "added", "G1": "removed",
        "<i>G0</i>": "annotated", "G2": "annotated", "G3": "annotated",
    }  # fmt: skip
    wanted = pd.Series(case.fits[0].varm["weights"][:, 0], GENES)[saved.index]
    np.testing.assert_allclose(saved["weight"], wanted, rtol=6e-4)
    search = opened.find_element(By.ID, "search")
    search.send_keys(Keys.CONTROL, "v")
    assert search.get_attribute("value").replace(" ", "") == "".join(saved.index)


def test_loadings_are_drawn_by_every_label(opened, path, case):
    from selenium.webdriver.common.by import By

    go(opened, path, method="fsclvm", term=EVIL)
    z = case.fits[1].obsm["loadings"][:, 0]
    condition, cell_type = (case.prepared.obs[c].to_numpy(str) for c in ("condition", "cell_type"))

    def boxes():
        return js(opened, "document.querySelector('#loading-chart').data.at(-2)")

    def dots():
        return js(opened, "document.querySelector('#loading-chart').data.slice(0, -2).map(d=>d.x)")

    assert boxes()["median"] == pytest.approx(
        [np.median(z[condition == c]) for c in ("<u>stim</u>", "ctrl")], abs=1e-4
    )
    assert sorted(np.concatenate(dots())) == pytest.approx(sorted(z), abs=np.ptp(z) / 500)
    opened.find_element(By.CSS_SELECTOR, "#loadings input[value=cell_type] + span").click()
    types = ["9", "10", "B", "T"]
    assert boxes()["q1"] == pytest.approx(
        [np.quantile(z[cell_type == t], 0.25) for t in types], abs=1e-4
    )
    assert [len(x) for x in dots()] == [(cell_type == t).sum() for t in types]
    opened.find_element(By.ID, "split").click()
    groups = [(cell_type == t) & (condition == c) for t in types for c in ("<u>stim</u>", "ctrl")]
    assert boxes()["upperfence"] == pytest.approx(
        [np.quantile(z[g], 0.95) for g in groups if g.any()], abs=1e-4
    )
    assert text_of(opened, "#loadings .legend").split("\n") == ["<u>stim</u>", "ctrl"]
    axis = js(
        opened, "[...document.querySelectorAll('#loading-chart .ytick')].map(e=>e.textContent)"
    )
    assert axis[2] == f"B{(cell_type == 'B').sum()} cells"


def test_numbers_are_those_of_the_tables(opened, path, case):
    go(opened, path, method="autoencoder", term=EVIL)
    table = case.tables["accuracy"].set_index(["method", "seed", "term", "split"])
    wanted = table.loc[("autoencoder", 0, EVIL, "held_out")]
    row = text_of(opened, "#accuracy tbody tr:nth-child(2)")
    for measure in ("accuracy", "balanced_accuracy", "auroc"):
        assert f"{wanted[measure]:.3f}" in row
    unseen = text_of(opened, "#accuracy tbody tr:nth-child(3)")
    assert unseen.startswith("unseen") and unseen.split()[-3:] == ["0.654", "0.610", "–"]
    tiles = text_of(opened, ".tiles")
    assert f"{wanted['accuracy']:.3f}" in tiles
    assert f"{35 / 60:.3f}" in tiles  # always guessing the larger condition
    assert "|r| 0.97" in tiles and "other seeds: 0.99" in tiles  # the harder test first
    assert "0.94 to 0.98 over the pairs compared" in tiles
    seeds = sorted(table.loc[[("autoencoder", s, EVIL, "held_out") for s in (0, 1)], "accuracy"])
    spread = f"{seeds[0]:.3f} to {seeds[1]:.3f}"
    assert f"{spread} over seeds" in tiles and spread in " ".join(row.split())
    assert " to " not in unseen.split("saw")[-1]  # scored from one seed
    assert (
        "0.0123" in tiles
        and "take over 66% of what it explains" in tiles
        and "stand-ins: A SECOND TERM" in tiles
    )
    r = case.tables["correlation"].set_index("term").loc[EVIL, "r"]
    other = text_of(opened, "#by-method tr[data-method=fsclvm]")
    assert other.endswith(f"{r:.2f}".replace("-", "\u2212"))
    assert f"{table.loc[('fsclvm', 0, EVIL, 'train'), 'accuracy']:.3f}" in other


def test_a_method_is_switched_and_the_term_stays(opened, path):
    from selenium.webdriver.common.by import By

    go(opened, path, method="autoencoder", term=EVIL)
    first = js(opened, "document.querySelector('#gene-chart').data[0].x")
    opened.find_element(By.CSS_SELECTOR, "#methods input[value=fsclvm] + span").click()
    wait_until_drawn(opened, f"fsclvm {EVIL}")
    assert text_of(opened, "h2") == readable(EVIL)
    assert "f-scLVM <3>, seed 0" in text_of(opened, ".badges")
    assert js(opened, "document.querySelector('#gene-chart').data[0].x") != first
    opened.back()
    wait_until_drawn(opened, f"autoencoder {EVIL}")
    link = [a for a in opened.find_elements(By.CSS_SELECTOR, ".tile button.link")]
    link[0].click()  # a stand-in
    wait_until_drawn(opened, "autoencoder A_SECOND_TERM")


def test_controls_stand_apart_and_do_not_count_as_agreement(browser, case, tmp_path):
    from selenium.webdriver.common.by import By

    path = tmp_path / "control.html"
    write_page(page_of(case, controls=["autoencoder"]), path)
    go(browser, path, method="fsclvm", term=EVIL)
    assert text_of(browser, "#methods").split("\n")[-2:] == ["controls", "Autoencoder"]
    assert "Agreement" not in text_of(browser, ".tiles")
    browser.find_element(By.CSS_SELECTOR, "#methods input[value=autoencoder] + span").click()
    wait_until_drawn(browser, f"autoencoder {EVIL}")
    r = abs(case.tables["correlation"].set_index("term").loc[EVIL, "r"])
    tiles = " ".join(text_of(browser, ".tiles").split())
    assert f"|r| {r:.2f} with the one other model" in tiles


def test_the_address_holds_the_choice(opened, path):
    go(opened, path, method="fsclvm", term=EVIL, by="cell_type", split=1)
    address = opened.current_url
    opened.get("about:blank")
    opened.get(address)
    wait_until_drawn(opened, f"fsclvm {EVIL}")
    assert js(opened, "document.querySelector('#split').checked")
    go(opened, path, method="nobody", term="NOTHING", by="moon")
    assert text_of(opened, "h2") == "A SECOND TERM"


def test_terms_are_sorted_as_wished(opened, path, case):
    from selenium.webdriver.support.ui import Select

    go(opened, path, method="autoencoder")
    sort = Select(opened.find_element("id", "sort"))
    titles = [option.text for option in sort.options]
    assert titles == [
        "relevance", "accuracy (held out)", "stability (other cells)", "necessity",
        "name",
    ]  # fmt: skip
    sort.select_by_visible_text(titles[1])
    table = case.tables["accuracy"].query("method == 'autoencoder' and seed == 0")
    held = table[table["split"] == "held_out"].set_index("term")["accuracy"]
    on = held[TERMS[:2]].sort_values(ascending=False).index
    assert terms_listed(opened) == [*map(readable, on), "AN IDLE TERM"]
    sort.select_by_visible_text("necessity")
    assert terms_listed(opened)[0] == readable(EVIL)


def test_a_term_that_is_off_says_so(opened, path):
    go(opened, path, method="fsclvm", term="AN_IDLE_TERM")
    assert "switched off" in text_of(opened, ".badges")
    assert "all its weights are zero" in text_of(opened, "#genes")
    assert "the same in every cell" in text_of(opened, "#loadings")
    assert not js(opened, "document.querySelector('.chart')")


def test_a_plain_score_has_no_weights_to_draw(browser, case, tmp_path):
    fit = case.fits[0].copy()
    fit.varm["weights"] = get_annotations(case.prepared).astype(np.float32)
    write_page(page_of(case, fits=[fit]), tmp_path / "score.html")
    go(browser, tmp_path / "score.html", term=TERMS[1])
    assert "All 4 genes count alike" in text_of(browser, "#genes")
    assert not js(browser, "document.querySelector('#gene-chart')")
    assert js(browser, "document.querySelector('#loading-chart').data.length")


def test_nothing_is_cut_on_a_narrow_screen(opened):
    size = {"width": 380, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        wait_for(lambda: js(opened, "innerWidth") <= 380, "the narrow screen")
        assert js(opened, "document.documentElement.scrollWidth") <= 380
    finally:
        opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_single_method_without_labels_or_tables(browser, case, tmp_path):
    prepared = case.prepared.copy()
    prepared.obs = prepared.obs[[]]
    path = tmp_path / "bare.html"
    tables = {"terms": case.tables["terms"]}
    page = page_of(case, prepared=prepared, tables=tables, fits=case.fits[:1], origins={})
    write_page(page, path)
    go(browser, path, term=EVIL)
    assert errors_of(browser) == []
    assert js(browser, AXIS) == ["all cells60 cells"]
    assert not js(browser, "document.querySelector('#accuracy')")
    assert js(browser, "document.querySelectorAll('#by-method tbody tr').length") == 1


def test_without_a_finished_fit_the_page_says_so(browser, case, tmp_path):
    path = tmp_path / "none.html"
    write_page(page_of(case, fits=[]), path)
    browser.get(path.as_uri())
    wait_for(lambda: "nothing to show" in text_of(browser, "main"), "the sentence")
    assert errors_of(browser) == []
