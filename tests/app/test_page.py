"""The page in headless Chromium, from a server of its own: `tox -e app`."""

import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest

from sklearn_cloud.datasets import load_example
from sklearn_cloud.predictors import predict_properties

pytest.importorskip("streamlit")
sync_api = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.browser

PATIENCE = 300_000  # milliseconds until a step counts as failed; none of them waits for that long
LINK = "![x](http://203.0.113.1/x.png)"  # a picture elsewhere, if Markdown took it for one
DEFAULTS = ["formation_energy", "band_gap", "bulk_modulus", "shear_modulus"]


@pytest.fixture(scope="module")
def address():
    command = [sys.executable, "-m", "sklearn_cloud", "app", "--port", "0", "--no-browser"]
    limits = ["--max-size", "1", "--max-files", "4"]
    with subprocess.Popen([*command, *limits], stderr=subprocess.PIPE, text=True) as server:
        try:
            first = server.stderr.readline()
            yield re.search(r"http://\S+", first)[0]
            server.send_signal(signal.SIGINT)
            assert server.wait(PATIENCE / 1000) == 130
            assert "the page is closed" in server.stderr.read()
        finally:
            server.kill()


@pytest.fixture(scope="module")
def browser():
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)  # None: the one of Playwright
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_api.sync_playwright() as playwright:
        options = ["--no-sandbox"] if root else []
        browser = playwright.chromium.launch(executable_path=found, args=options)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def structures():
    return load_example().structures[[3, 200]]


@pytest.fixture(scope="module")
def page(browser, address):
    """The page, with lists of what it asked for and of the files that it sent."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.asked, page.sent = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("requestfinished", lambda one: page.sent.append(one) if one.method == "PUT" else None)
    page.on("websocket", lambda socket: page.asked.append(socket.url))
    page.goto(address)
    page.get_by_role("button", name="Predict", exact=True).wait_for()
    return page


@pytest.fixture(scope="module")
def predicted(page, structures):
    """The page after files and formulas were given; also the downloaded table."""
    files = [
        {"name": name, "mimeType": "text/plain", "buffer": text.encode()}
        for name, text in {
            "one.cif": structures[0].to(fmt="cif"),
            "two.cif": structures[1].to(fmt="cif"),
            "broken.cif": "data_x\nloop_\n",
        }.items()
    ]
    page.locator("input[type=file]").set_input_files(files)
    while len(page.sent) < len(files):
        page.wait_for_timeout(100)
    formulas = page.get_by_role("textbox", name="Formulas, one per line")
    formulas.fill(f"NaCl\nXx\n{LINK}")
    formulas.press("Control+Enter")
    page.get_by_role("combobox", name="Properties").fill("experimental band")
    page.get_by_role("option", name="experimental band gap").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Predict", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all as CSV").click()
    return page, pd.read_csv(download.value.path())


def test_the_table_has_the_values_of_the_predictors(predicted, structures):
    page, table = predicted
    names = [*DEFAULTS, "experimental_band_gap"]
    expected = predict_properties([one.to(fmt="cif") for one in structures], names)
    found = table[table["name"].isin(["one.cif", "two.cif"])]
    assert found["property"].tolist() == names * 2
    for column in ("value", "lower", "upper"):
        np.testing.assert_allclose(found[column], expected[column], rtol=1e-3)
    cells = page.get_by_test_id("stDataFrame").locator("td").all_text_contents()
    for row in found.head(3).itertuples():
        assert {row.name, row.formula, row.space_group, f"{row.value:.4g}"} <= set(cells)


def test_bad_rows_are_messages(predicted):
    page, table = predicted
    shown = page.get_by_test_id("stAlert").all_text_contents()
    for name, reason in {
        "broken.cif": "cannot be read",
        LINK: "is not a chemical formula",
        "Xx": "not one of the 118 elements",
        "NaCl": "needs a crystal structure",
    }.items():
        assert any(text.startswith(f"{name}:") and reason in text for text in shown)
        assert table.loc[table["name"] == name, "message"].str.contains(reason).any()
    assert table[table["name"] == "NaCl"]["value"].notna().sum() == 1


def test_each_crystal_is_shown(predicted, structures):
    page, _ = predicted
    picture = page.get_by_test_id("stImage").locator("img")
    picture.wait_for()
    assert picture.evaluate("image => image.naturalWidth") > 100
    before = picture.get_attribute("src")
    turn = page.get_by_role("slider", name="Turn")
    turn.press("ArrowRight")
    sync_api.expect(picture).not_to_have_attribute("src", before, timeout=PATIENCE)
    shown = page.get_by_role("listitem").all_text_contents()
    assert [text.split(":")[0] for text in shown][:2] == ["formation energy", "band gap (PBE)"]
    string = page.get_by_test_id("stCode").text_content()
    assert string.count(" | ") == 2


def test_nothing_is_asked_of_other_hosts(predicted, address):
    page, _ = predicted
    hosts = {urlsplit(url).netloc for url in page.asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(address).netloc}


def test_it_fits_on_a_telephone(predicted):
    page, _ = predicted
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Download all as CSV").scroll_into_view_if_needed()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390


def test_a_large_file_is_refused(browser, address):
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    large = {"name": "large.cif", "mimeType": "text/plain", "buffer": b" " * 1_100_000}
    page.locator("input[type=file]").set_input_files([large])
    page.get_by_text("File must be 1.0MB or smaller").wait_for()
    page.close()


def ask(address, path="/", **headers):
    """Return the status and the text of an answer; the path is sent as it is."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode("utf-8", errors="replace")
    connection.close()
    return found


def test_pages_of_other_sites_are_refused(address):
    assert ask(address)[0] == 200
    assert ask(address, Origin=address)[0] == 200
    assert ask(address, Origin="http://evil.example")[0] == 403
    assert ask(address, Host="evil.example")[0] == 403


@pytest.mark.parametrize("start", ["/", "/static/", "/media/", "/app/static/", "/component/x/"])
def test_no_file_of_the_machine_is_served(address, start):
    for path in ("../" * 12 + "etc/passwd", "%2e%2e/" * 12 + "etc/passwd", "/etc/passwd"):
        assert "root:" not in ask(address, start + path)[1]
