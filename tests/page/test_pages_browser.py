"""What a browser makes of the page of terms."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from browser import errors_of, requests_of, start_browser, wait_for, wait_until_drawn
from terms_page import EVIL, TERMS, make_case, page_of

from intae.page.render import write_page
from intae.prepared import get_annotations


@pytest.fixture(scope="module")
def case():
    return make_case()


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
        # one event for each call: the browser sends none where the address stays as it is
        browser.execute_script(
            "delete document.documentElement.dataset.drawn; const before = location.href;"
            "location.hash = arguments[0];"
            "if (location.href === before) dispatchEvent(new HashChangeEvent('hashchange'));",
            fragment,
        )
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
    assert terms_listed(opened) == ["A SECOND TERM", readable(EVIL)]  # and its family with it
    assert text_of(opened, "#terms .members") == "with AN IDLE TERM"
    assert text_of(opened, "#count") == "3 terms, 2 on, 1 gene set detected"
    opened.find_element("id", "by-family").click()
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
    assert len(terms_listed(opened)) == 2
    search.send_keys("idle")
    assert terms_listed(opened) == ["AN IDLE TERM"]  # not only by the name of its family
    search.send_keys(Keys.ESCAPE)
    search.send_keys("g1")
    assert terms_listed(opened) == [readable(EVIL)]  # the only set that holds it
    search.send_keys(Keys.ENTER)
    wait_until_drawn(opened, EVIL)
    assert text_of(opened, "h2") == readable(EVIL)
    search.send_keys(Keys.ESCAPE)
    opened.find_element(By.ID, "by-family").click()
    search.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    wait_until_drawn(opened, "AN_IDLE_TERM")
    search.send_keys("no such thing", Keys.ENTER)
    assert terms_listed(opened) == [] and text_of(opened, "h2") == "AN IDLE TERM"


@pytest.mark.parametrize("number", [0, 1])
def test_genes_have_the_weights_of_the_fit(opened, path, case, number):
    fit = case.fits[number]
    go(opened, path, method=fit.about["method"], term=EVIL)
    bars = js(opened, "(d => [d.x, d.customdata])(document.querySelector('#gene-chart').data[0])")
    wanted = fit.weights[EVIL]
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
    wanted = case.fits[0].weights.loc[saved.index, EVIL]
    np.testing.assert_allclose(saved["weight"], wanted, rtol=6e-4)
    search = opened.find_element(By.ID, "search")

    def pasted():
        search.send_keys(Keys.ESCAPE, Keys.CONTROL, "v")
        return search.get_attribute("value").replace(" ", "") == "".join(saved.index)

    wait_for(pasted, "the names to be pasted")


def test_loadings_are_drawn_by_every_label(opened, path, case):
    from selenium.webdriver.common.by import By

    go(opened, path, method="fsclvm", term=EVIL)
    z = case.fits[1].loadings[EVIL].to_numpy()
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
    wait_until_drawn(opened, "by cell_type")
    types = ["9", "10", "B", "T"]
    assert boxes()["q1"] == pytest.approx(
        [np.quantile(z[cell_type == t], 0.25) for t in types], abs=1e-4
    )
    assert [len(x) for x in dots()] == [(cell_type == t).sum() for t in types]
    opened.find_element(By.ID, "split").click()
    wait_until_drawn(opened, "by cell_type, split")
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
    assert f"AUROC {wanted['auroc']:.3f}" in tiles  # on unseen cells there is none
    assert f"accuracy {wanted['accuracy']:.3f}" in tiles
    assert f"{35 / 60:.3f}" in tiles  # always guessing the larger condition
    assert "|r| 0.97" in tiles and "other seeds: 0.99" in tiles  # the harder test first
    assert "0.94 to 0.98 over the pairs compared" in tiles
    seeds = sorted(table.loc[[("autoencoder", s, EVIL, "held_out") for s in (0, 1)], "auroc"])
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
    first = f"{r:.2f}".replace("-", "\u2212")
    assert other.split()[-5:] == [first, "|r|", "0.10", "to", "0.60"]
    agreement = "Agreement |r| 0.20 with the one other model in which it is on"
    assert f"{agreement} 0.10 to 0.60 over models and pairs of seeds" in " ".join(tiles.split())
    assert "rank 1 to 2 over seeds, on in 2 of 2" in tiles
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
    opened.find_element(By.CSS_SELECTOR, ".tile button.link").click()  # a stand-in
    wait_until_drawn(opened, "autoencoder A_SECOND_TERM")


def test_charts_and_what_scrolls_have_names(opened):
    unnamed = "[...document.querySelectorAll('.chart, .scroll-x')].filter(e => !e.ariaLabel).length"
    assert js(opened, "document.querySelectorAll('.chart, .scroll-x').length") == 4
    assert js(opened, unnamed) == 0
    assert js(opened, "document.querySelector('.scroll-x').tabIndex") == 0


def test_controls_stand_apart_and_do_not_count_as_agreement(browser, case, tmp_path):
    from selenium.webdriver.common.by import By

    path = tmp_path / "control.html"
    write_page(page_of(case, controls=["autoencoder"]), path)
    go(browser, path, method="fsclvm", term=EVIL)
    assert text_of(browser, "#methods").split("\n")[-2:] == ["controls", "Autoencoder"]
    assert "Agreement" not in text_of(browser, ".tiles")
    browser.find_element(By.CSS_SELECTOR, "#methods input[value=autoencoder] + span").click()
    wait_until_drawn(browser, f"autoencoder {EVIL}")
    tiles = " ".join(text_of(browser, ".tiles").split())
    assert "|r| 0.20 with the one other model" in tiles


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
    opened.find_element("id", "by-family").click()
    sort = Select(opened.find_element("id", "sort"))
    titles = [option.text for option in sort.options]
    assert titles == [
        "relevance", "AUROC (held out)", "stability (other cells)", "necessity",
        "name",
    ]  # fmt: skip
    sort.select_by_visible_text(titles[1])
    table = case.tables["accuracy"].query("method == 'autoencoder' and seed == 0")
    held = table[table["split"] == "held_out"].set_index("term")["auroc"]
    on = held[TERMS[:2]].sort_values(ascending=False).index
    assert terms_listed(opened) == [*map(readable, on), "AN IDLE TERM"]
    sort.select_by_visible_text("necessity")
    assert terms_listed(opened)[0] == readable(EVIL)


def test_the_map_is_coloured_by_the_term_and_lost_sets_are_listed(opened, path, case):
    go(opened, path, method="autoencoder", term=EVIL)
    data = "document.querySelector('#map-chart').data[0]"
    color, x = js(opened, f"{data}.marker.color"), js(opened, f"{data}.x")
    z = case.fits[0].loadings[EVIL].to_numpy()
    assert color == sorted(color) and color == pytest.approx(np.sort(z), abs=np.ptp(z) / 250)
    places = case.embedding["umap_1"].to_numpy()[np.argsort(z, kind="stable")]
    assert np.corrcoef(x, places)[0, 1] > 0.9  # steps of loadings may tie
    opened.execute_script("document.querySelector('#dropped').open = true")
    assert "<i>LOST</i> SET too few <variable> genes 39 36 8" in text_of(
        opened, "#dropped"
    ).replace("\t", " ").replace("\n", " ")


def test_a_term_that_is_off_says_so(opened, path):
    go(opened, path, method="fsclvm", term="AN_IDLE_TERM")
    assert "switched off" in text_of(opened, ".badges")
    assert "all its weights are zero" in text_of(opened, "#genes")
    assert "the same in every cell" in text_of(opened, "#loadings")
    assert not js(opened, "document.querySelector('.chart')")


def test_a_term_that_is_off_but_read_shows_its_loadings(browser, case, tmp_path):
    fit = replace(case.fits[0], loadings=case.fits[0].loadings.copy())
    fit.loadings["AN_IDLE_TERM"] = z = np.random.default_rng(3).normal(size=len(fit.loadings))
    write_page(page_of(case, fits=[fit, case.fits[1]]), tmp_path / "read.html")
    go(browser, tmp_path / "read.html", method="autoencoder", term="AN_IDLE_TERM")
    assert text_of(browser, ".badges").split("\n")[1:3] == [
        "switched off",
        "not detected (q 0.400)",
    ]
    assert "read from them all the same" in text_of(browser, "#genes")
    said = text_of(browser, "#loadings")
    assert "reads the genes of the set all the same" in said and "may be noise" in said
    dots = js(browser, "document.querySelector('#loading-chart').data.slice(0, -2).map(d => d.x)")
    assert sorted(np.concatenate(dots)) == pytest.approx(sorted(z), abs=np.ptp(z) / 500)
    rows = [text_of(browser, f"#by-method tr[data-method={m}]") for m in ("autoencoder", "fsclvm")]
    assert rows[0].split("\t")[2].split() == ["no", "q", "0.400"]
    assert rows[1].split("\t")[2].strip() == "\N{EN DASH}"
    line = "document.querySelector('#terms [aria-selected=true]').innerText"
    assert js(browser, line).split("\n")[0] == readable(EVIL)  # in whose family it is
    go(browser, tmp_path / "read.html", method="fsclvm", term="AN_IDLE_TERM")
    assert "detected" not in text_of(browser, ".badges")
    assert not browser.find_element("id", "by-family").is_displayed()  # it has no families


def test_a_plain_score_has_no_weights_to_draw(browser, case, tmp_path):
    fit = case.fits[0]
    sets = get_annotations(case.prepared).astype(np.float32)
    fit = replace(fit, weights=pd.DataFrame(sets, fit.weights.index, fit.weights.columns))
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
