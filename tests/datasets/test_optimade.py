import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

from sklearn_cloud import datasets
from sklearn_cloud.datasets import (
    OPTIMADE_PROVIDERS,
    fetch_optimade,
    optimade_client,
    read_optimade,
)
from sklearn_cloud.datasets import optimade as module

pytest.importorskip("optimade.server.config", reason="needs optimade[server]")
pq = pytest.importorskip("pyarrow.parquet")

N_STRUCTURES = 17  # that the server of optimade-python-tools brings as examples
LICENCE = "https://creativecommons.org/licenses/by/4.0/"
ALIASES = {"id": "task_id", "chemical_formula_reduced": "pretty_formula"}


# A real OPTIMADE server on loopback, behind a proxy that can spoil its answers.


def get(url):
    with urllib.request.urlopen(url, timeout=30) as response:
        return json.load(response)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Address of an OPTIMADE server with its own example structures."""
    folder = tmp_path_factory.mktemp("server")
    config = folder / "optimade.json"
    config.write_text(json.dumps({"aliases": {"structures": ALIASES}, "page_limit_max": 100}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "optimade.server.main:app", "--port", str(port)]
    environment = os.environ | {"OPTIMADE_CONFIG_FILE": str(config)}
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url, process, folder / "log")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_for(url, process, log):
    for _ in range(1500):  # a busy machine starts it slowly
        if process.poll() is not None:
            raise RuntimeError(log.read_text())
        try:
            return get(f"{url}/v1/info")
        except urllib.error.URLError:
            time.sleep(0.1)
    raise RuntimeError(f"no server: {log.read_text()}")


class Proxy(ThreadingHTTPServer):
    """Hands requests on to the server; `faults` spoil the answers to those for structures.

    Each fault is used for one request, in order. It gets (status, headers, body) and returns
    them as it likes; None lets the answer pass. `pages` are answers of its own, by path.
    """

    daemon_threads = True

    def __init__(self, target):
        super().__init__(("127.0.0.1", 0), Handler)
        self.target = target
        self.faults = []
        self.pages = {}
        self.requests = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    wbufsize = -1  # one packet for headers and body, or each answer waits 40 ms

    def do_GET(self):
        proxy = self.server
        path = self.path.split("?")[0]
        if path in proxy.pages:
            answer = 200, {}, json.dumps(proxy.pages[path]).encode()
        else:
            answer = self.ask()
        if path == "/v1/structures":
            proxy.requests.append(self.path)
            fault = proxy.faults.pop(0) if proxy.faults else None
            answer = fault(*answer) if fault else answer
        self.reply(*answer)

    def ask(self):
        # the server makes the links to its pages from the host that it was asked as
        address, host = self.server.target + self.path, self.server.url.split("//")[1]
        try:
            request = urllib.request.Request(address, headers={"Host": host})
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, {}, response.read()
        except urllib.error.HTTPError as error:
            return error.code, {}, error.read()

    def reply(self, status, headers, body):
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def proxy(server):
    proxy = Proxy(server)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield proxy
    proxy.shutdown()
    proxy.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """Seconds that would have been waited between requests; and no proxy of the machine's."""
    seconds = []
    monkeypatch.setattr(optimade_client, "time", SimpleNamespace(sleep=seconds.append))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return seconds


@pytest.fixture
def fetch(proxy, tmp_path):
    """fetch_optimade from the proxy, four entries a page and a file for each page."""

    def run(**changes):
        settings = dict(data_home=tmp_path, page_limit=4, rows_per_file=1, retries=3)
        return fetch_optimade(proxy.url, **settings | changes)

    return run


def status(code, **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda *answer: (code, names, b"{}")


def body(change):
    """Fault that changes the JSON of an answer."""

    def fault(status, headers, text):
        answer = json.loads(text)
        changed = change(answer)
        return status, headers, json.dumps(answer if changed is None else changed).encode()

    return fault


def table(folder):
    """All rows of the only database below a folder, by id."""
    (database,) = (path for path in folder.iterdir() if path.is_dir())
    return pd.read_parquet(database).sort_values("id", ignore_index=True)


def assert_whole(folder, server):
    """The rows are those of the server, each once."""
    entries = {
        e["id"]: e["attributes"] for e in get(f"{server}/v1/structures?page_limit=50")["data"]
    }
    rows = table(folder)
    assert len(entries) == N_STRUCTURES
    assert rows["id"].tolist() == sorted(entries)
    for row in rows.itertuples():
        sent = entries[row.id]
        np.testing.assert_array_equal(np.stack(row.lattice_vectors), sent["lattice_vectors"])
        positions = np.stack(row.cartesian_site_positions)
        np.testing.assert_array_equal(positions, sent["cartesian_site_positions"])
        assert row.species_at_sites.tolist() == sent["species_at_sites"]


def parts(folder):
    return {path: path.read_bytes() for path in folder.rglob("part-*.parquet")}


# What arrives


def test_every_structure_arrives(fetch, server, proxy):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = fetch(page_limit=5)
    assert result.complete
    (line,) = result.report.to_dict("records")
    assert line == dict(
        provider="exmpl",
        database=proxy.url,
        stored=N_STRUCTURES,
        skipped={},
        expected=N_STRUCTURES,
        complete=True,
        error=None,
    )
    assert_whole(result.folder, server)
    assert len(proxy.requests) == 4


def test_columns_are_typed_and_compressed(fetch, proxy):
    info = get(f"{proxy.target}/v1/info")
    info["data"]["attributes"]["license"] = {"href": LICENCE}
    proxy.pages["/v1/info"] = info
    folder = fetch(page_limit=5).folder
    path = min(parts(folder))
    file = pq.ParquetFile(path)
    vectors = "list<element: fixed_size_list<element: double>[3]>"
    types = {field.name: str(field.type) for field in file.schema_arrow}
    assert types["lattice_vectors"] == types["cartesian_site_positions"] == vectors
    assert types["species_at_sites"] == "list<element: string>"
    assert types["last_modified"] == "timestamp[us, tz=UTC]"
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    row = table(folder).iloc[0]
    assert (row["id"], row["chemical_formula_reduced"]) == ("mpf_1", "Ac")
    assert row["last_modified"] == pd.Timestamp("2019-06-08T05:13:37.331", tz="UTC")
    assert row["licence"] == LICENCE
    assert get(row["source_url"])["data"]["id"] == "mpf_1"


def test_crystals_are_those_of_the_library_s_own_adapter(fetch, server):
    from optimade.adapters import Structure

    entries = get(f"{server}/v1/structures?page_limit=50")["data"]
    expected = {entry["id"]: Structure(entry).as_pymatgen for entry in entries}
    crystals = dict(read_optimade(fetch(rows_per_file=100).folder))
    assert len(crystals) == N_STRUCTURES
    for identifier, crystal in crystals.items():
        other = expected[identifier.rsplit("/", 1)[1]]
        np.testing.assert_allclose(crystal.lattice, other.lattice.matrix)
        np.testing.assert_allclose(crystal.positions, other.frac_coords, atol=1e-9)
        held = [crystal.species[kind] for kind in crystal.kinds]
        assert held == [((site.specie.symbol, 1.0),) for site in other]


def test_rows_are_collected_into_files(fetch):
    assert len(parts(fetch(rows_per_file=6).folder)) == 3  # after 8 and 16 rows, and at the end


def test_filter_is_handed_on(fetch, server, tmp_path):
    query = 'elements HAS "Ag" AND nelements < 3'
    expected = urllib.parse.quote(query)
    ids = [e["id"] for e in get(f"{server}/v1/structures?filter={expected}")["data"]]
    result = fetch(filter=query)
    assert 0 < len(ids) < N_STRUCTURES
    assert table(result.folder)["id"].tolist() == sorted(ids)
    with pytest.raises(ValueError, match="use another data_home"):
        fetch()


def test_filter_that_matches_nothing(fetch):
    result = fetch(filter='elements HAS "Og"')
    assert result.complete and result.report["expected"].tolist() == [0]


def test_filter_is_checked_before_anything_is_asked(fetch, proxy):
    with pytest.raises(ValueError, match="not a valid OPTIMADE filter"):
        fetch(filter="elements HAS Fe AND")
    assert proxy.requests == []


def test_complete_download_is_not_asked_for_again(fetch, proxy, server):
    folder = fetch().folder
    before, asked = parts(folder), len(proxy.requests)
    assert fetch().complete
    assert len(proxy.requests) == asked
    assert fetch(restart=True).complete
    assert len(proxy.requests) == 2 * asked
    assert parts(folder) == before


def test_max_results_stops_without_a_warning_and_can_be_raised(fetch, server):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = fetch(max_results=3)
        assert result.report[["stored", "complete"]].values.tolist() == [[4, False]]
        assert fetch(max_results=5).report["stored"].tolist() == [8]
        assert fetch().complete
    assert_whole(result.folder, server)


def test_progress_bar_on_request(fetch, capsys):
    fetch(max_results=4)
    assert capsys.readouterr() == ("", "")
    fetch(verbose=1)
    assert f"{N_STRUCTURES}/{N_STRUCTURES}" in capsys.readouterr().err


def test_server_that_asks_for_slowness_gets_it(fetch, proxy, monkeypatch):
    waited = []
    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=waited.append))
    proxy.faults = [body(lambda answer: answer["meta"].update(request_delay=2.5))]
    fetch(page_limit=10)
    assert waited == [2.5]


# Interruptions


@pytest.mark.parametrize("rows_per_file", [1, 3, 100])
def test_interrupted_download_goes_on(fetch, server, monkeypatch, rows_per_file):
    whole, calls = optimade_client.Database.page, []

    def interrupted(database, link=None):
        calls.append(link)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return whole(database, link)

    monkeypatch.setattr(optimade_client.Database, "page", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(rows_per_file=rows_per_file)
    monkeypatch.setattr(optimade_client.Database, "page", whole)
    result = fetch(max_results=1, rows_per_file=rows_per_file)  # enough are there
    assert result.report["stored"].tolist() == [12]
    before = parts(result.folder)
    assert fetch(rows_per_file=rows_per_file).complete
    assert_whole(result.folder, server)
    assert before.items() <= parts(result.folder).items()


def test_killed_download_goes_on(fetch, server, proxy, tmp_path):
    arrived, proceed = threading.Event(), threading.Event()

    def hang(*answer):
        arrived.set()
        proceed.wait()
        return answer

    proxy.faults = [None, None, None, hang]
    code = (
        "from sklearn_cloud.datasets import fetch_optimade\n"
        f"fetch_optimade({proxy.url!r}, data_home={str(tmp_path)!r}, page_limit=4, rows_per_file=1)"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        # a busy machine may take minutes to import what it needs
        while not arrived.wait(1):
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    finally:
        process.kill()
        proceed.set()
    before = parts(tmp_path)
    assert len(before) == 3
    result = fetch()
    assert result.complete
    assert_whole(result.folder, server)
    assert before.items() <= parts(tmp_path).items()


def test_killed_between_a_file_and_the_state(fetch, server, tmp_path):
    folder = fetch(max_results=2).folder
    (state,) = folder.rglob("_state.json")
    text = state.read_text()
    fetch(max_results=5)
    state.write_text(text)  # the second file is there, the state does not know
    assert len(parts(folder)) == 2
    assert fetch(max_results=5).report["stored"].tolist() == [8]
    assert fetch().complete
    assert_whole(folder, server)


def test_two_processes_do_not_share_a_folder(fetch, tmp_path):
    folder = fetch(max_results=2).folder
    (state,) = folder.rglob("_state.json")
    with FileLock(state.with_name("_lock")), pytest.raises(RuntimeError, match="another process"):
        fetch()


# Providers that fail


def cut(status, headers, text):
    return status, headers, text[: len(text) // 2]


def cut_connection(status, headers, text):
    return status, {"Content-Length": str(len(text))}, text[: len(text) // 2]


def without(key):
    return body(lambda answer: answer.pop(key) and None)


TROUBLES = {
    "500": status(500),
    "503": status(503),
    "429": status(429),
    "half the JSON": cut,
    "connection cut": cut_connection,
    "HTML": lambda *answer: (200, {}, b"<html>maintenance</html>"),
    "a list": body(lambda answer: answer["data"]),
    "no data": without("data"),
    "no meta": without("meta"),
}
NONSENSE = {
    "errors": body(lambda answer: answer.update(errors=[{"title": "x", "detail": "y"}])),
    "data is null": body(lambda answer: answer.update(data=None)),
    "data is one entry": body(lambda answer: answer.update(data=answer["data"][0])),
    "links is a list": body(lambda answer: answer.update(links=["next"])),
    "count is text": body(lambda answer: answer["meta"].update(data_returned="many")),
    "provider is text": body(lambda answer: answer["meta"].update(provider="x")),
    "an empty page": body(lambda answer: answer.update(data=[])),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_trouble_that_passes(fetch, server, proxy, pauses, trouble):
    proxy.faults = [None, None, trouble, trouble]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = fetch()
    assert pauses == [1, 2]
    assert_whole(result.folder, server)


@pytest.mark.parametrize(
    ("trouble", "requests"),
    [pytest.param(t, 3, id=name) for name, t in TROUBLES.items()]
    + [pytest.param(t, 1, id=name) for name, t in NONSENSE.items()],
)
def test_trouble_that_stays_loses_nothing(fetch, server, proxy, trouble, requests):
    proxy.faults = [None, None] + [trouble] * requests
    with pytest.warns(UserWarning, match=f"8 of {N_STRUCTURES} entries received; .") as caught:
        result = fetch()
    assert caught[0].filename == __file__
    assert len(proxy.requests) == 2 + requests
    (line,) = result.report.to_dict("records")
    assert (line["stored"], line["expected"], line["complete"]) == (8, N_STRUCTURES, False)
    assert line["error"] and not result.complete
    before = parts(result.folder)
    assert len(before) == 2
    assert fetch().complete
    assert len(proxy.requests) == 2 + requests + 3  # no page that came is asked for again
    assert_whole(result.folder, server)
    assert before.items() <= parts(result.folder).items()


def test_server_says_how_long_to_wait(fetch, proxy, pauses):
    proxy.faults = [status(429, Retry_After="7"), status(503, Retry_After="86400")]
    assert fetch().complete
    assert pauses == [7, optimade_client.LONGEST_PAUSE]


def test_refusal_is_not_repeated(fetch, proxy, pauses):
    with pytest.warns(UserWarning, match="403.*[Ll]imit"):
        fetch(page_limit=1000)
    assert len(proxy.requests) == 1 and pauses == []


def test_no_server(tmp_path, capsys, pauses):
    with pytest.warns(UserWarning, match="0 of an unknown number of entries received"):
        result = fetch_optimade("http://127.0.0.1:9", data_home=tmp_path, retries=4)
    assert pauses == [1, 2, 4]
    assert not result.complete
    assert capsys.readouterr().out == ""


def test_client_stays_silent(fetch, proxy, capsys):
    """Its messages may hold what looks like markup, which it would trip over."""
    proxy.faults = [body(lambda answer: answer.update(errors=["[/red]"]))] + [status(404)]
    with pytest.warns(UserWarning, match="the download is incomplete"):
        fetch()
    with pytest.warns(UserWarning, match="404"):
        fetch()
    assert capsys.readouterr() == ("", "")


def test_missing_entries_are_reported_and_filled_in(fetch, server, proxy):
    proxy.faults = [None, body(lambda answer: answer["data"].pop() and None)]
    with pytest.warns(UserWarning, match="16 of 17 entries received; the pages ended too early"):
        result = fetch()
    assert not result.complete
    before = parts(result.folder)
    assert fetch().complete
    assert_whole(result.folder, server)
    assert before.items() <= parts(result.folder).items()


@pytest.mark.parametrize("entry", [None, 3, "x", {}, {"id": None}, {"id": ""}, {"id": ["x"]}])
def test_entries_without_an_id(fetch, proxy, entry):
    proxy.faults = [body(lambda answer: answer["data"].append(entry))]
    with pytest.warns(UserWarning, match="1 entries without an id"):
        result = fetch()
    assert result.report["stored"].tolist() == [N_STRUCTURES]
    assert fetch().complete


def test_pages_in_a_circle(fetch, proxy):
    first = body(
        lambda answer: answer["links"].update(next=f"{proxy.url}/v1/structures?page_offset=8")
    )
    proxy.faults = [first] * 9
    with pytest.warns(UserWarning, match="form a cycle"):
        fetch()
    assert len(proxy.requests) == 2


def test_last_page_for_ever(fetch, server, proxy):
    """A server that answers any offset, and says that more follows."""
    number = iter(range(100, 200))
    last = get(f"{server}/v1/structures?page_limit=5&page_offset=15")

    def repeat(answer):
        answer["links"]["next"] = f"{proxy.url}/v1/structures?page_offset={next(number)}"
        answer["data"] = last["data"]

    proxy.faults = [None, None, None] + [body(repeat)] * 50
    assert fetch(page_limit=5).complete
    assert len(proxy.requests) < 8


def test_empty_page_after_the_last(fetch, server, proxy):
    link = f"{proxy.url}/v1/structures?page_offset=100"
    proxy.faults = [None, body(lambda answer: answer["links"].update(next=link))]
    proxy.faults += [body(lambda answer: answer["links"].update(next=link + "0"))]
    result = fetch(page_limit=10)
    assert result.complete and len(proxy.requests) == 3
    assert_whole(result.folder, server)


def test_link_in_its_long_form(fetch, server, proxy):
    def lengthen(answer):
        answer["links"]["next"] = {"href": answer["links"]["next"], "meta": {}}

    proxy.faults = [body(lengthen)] * 8
    assert_whole(fetch().folder, server)


def test_server_that_does_not_count(fetch, server, proxy):
    def forget(answer):
        del answer["meta"]["data_returned"], answer["meta"]["data_available"]

    proxy.faults = [body(forget)] * 9
    result = fetch()
    assert result.complete and result.report["expected"].isna().all()
    assert_whole(result.folder, server)


@pytest.mark.parametrize(("filter", "expected"), [(None, N_STRUCTURES), ("nelements > 0", None)])
def test_server_that_counts_without_the_filter(fetch, proxy, filter, expected):
    proxy.faults = [body(lambda answer: answer["meta"].pop("data_returned") and None)]
    (line,) = fetch(page_limit=50, filter=filter).report.to_dict("records")
    assert line["complete"]
    assert line["expected"] == expected or (expected is None and pd.isna(line["expected"]))


# Entries that are not crystals

WHOLE = dict(
    chemical_formula_reduced="ClNa",
    lattice_vectors=[[4, 0, 0], [0, 4, 0], [0, 0, 4]],
    cartesian_site_positions=[[0, 0, 0], [2, 2, 1]],
    species_at_sites=["Na", "Cl"],
    species=[
        {"name": "Na", "chemical_symbols": ["Na"], "concentration": [1.0]},
        {"name": "Cl", "chemical_symbols": ["Cl"], "concentration": [1.0]},
    ],
    nsites=2,
    nperiodic_dimensions=3,
    dimension_types=[1, 1, 1],
    structure_features=[],
    last_modified="2024-02-03T04:05:06Z",
)


def sodium(*symbols, **more):
    specie = {"name": "Na", "chemical_symbols": list(symbols)} | more
    return {"species": [specie, WHOLE["species"][1]]}


def answer_with(attributes):
    """A complete answer with one made-up entry."""
    entry = {"id": "made/up", "type": "structures", "attributes": attributes}
    meta = {"data_returned": 1, "provider": {"prefix": "made"}}
    return {"data": [entry], "meta": meta, "links": {"next": None}}


@pytest.fixture
def fetch_entry(fetch, proxy):
    def run(attributes):
        proxy.pages["/v1/structures"] = answer_with(attributes)
        return fetch()

    return run


LATTICE = WHOLE["lattice_vectors"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"structure_features": ["disorder", "assemblies"]}, "assemblies"),
        ({"structure_features": ["implicit_atoms"]}, "implicit_atoms"),
        ({"structure_features": ["site_attachments"]}, "site_attachments"),
        ({"structure_features": ["unknown_positions"]}, "unknown_positions"),
        (sodium("Na", concentration=[1.0], attached=["H"], nattached=[3]), "site_attachments"),
        ({"nperiodic_dimensions": 0}, "a molecule or a chain"),
        ({"nperiodic_dimensions": 1}, "a molecule or a chain"),
        ({"nperiodic_dimensions": None, "dimension_types": [0, 0, 1]}, "a molecule or a chain"),
        ({"lattice_vectors": None}, "no cell vectors"),
        ({"lattice_vectors": [[4, 0, 0], [0, 4, 0], [None] * 3]}, "no cell vectors"),
        ({"lattice_vectors": [[4, 0, 0], [0, 4, 0]]}, "a cell without volume"),
        ({"lattice_vectors": [[4, 0, 0], [0, 4, 0], [4, 4, 0]]}, "a cell without volume"),
        ({"cartesian_site_positions": None}, "no positions"),
        ({"cartesian_site_positions": [[0, 0, 0], [2, 2, None]]}, "no positions"),
        ({"cartesian_site_positions": [[0, 0, 0]]}, "sites are missing"),
        ({"species_at_sites": None}, "sites are missing"),
        ({"species_at_sites": ["Na"]}, "sites are missing"),
        ({"nsites": 4}, "sites are missing"),
        (sodium("X", concentration=[1.0]), "species that are not elements"),
        (sodium("vacancy", concentration=[1.0]), "species that are not elements"),
        (sodium("Na", concentration=[1.2]), "occupancies that are not in (0, 1]"),
        (sodium("Na", "K", concentration=[1.0, 0.0]), "occupancies that are not in (0, 1]"),
        (sodium("Na", "K", concentration=[0.5]), "malformed"),
        (sodium("Na", "K"), "malformed"),
        ({"species": []}, "malformed"),
        ({"species_at_sites": "Na"}, "malformed"),
        ({"species_at_sites": [1, 2]}, "malformed"),
        ({"cartesian_site_positions": [["a", 0, 0], [2, 2, 1]]}, "malformed"),
        ({"cartesian_site_positions": [[0, 0], [2, 2, 1]]}, "malformed"),
        ({"lattice_vectors": [[10**400, 0, 0], [0, 4, 0], [0, 0, 4]]}, "malformed"),
        ({"structure_features": 3}, "malformed"),
    ],
)
def test_what_is_no_crystal_is_counted_with_the_reason(fetch_entry, change, reason):
    result = fetch_entry(WHOLE | change)
    assert result.complete
    assert result.report[["stored", "skipped"]].values.tolist() == [[0, {reason: 1}]]
    row = table(result.folder).iloc[0]
    assert (row["id"], row["problem"]) == ("made/up", reason)
    assert row["lattice_vectors"] is None and row["species"] is None
    assert list(read_optimade(result.folder)) == []


@pytest.mark.parametrize("attributes", [None, [], "x", {}])
def test_entries_without_properties(fetch_entry, attributes):
    assert fetch_entry(attributes).report["skipped"].tolist() == [{"no cell vectors": 1}]


@pytest.mark.parametrize(
    ("change", "species"),
    [
        ({}, [(("Na", 1.0),), (("Cl", 1.0),)]),
        ({"species": None, "nsites": None}, [(("Na", 1.0),), (("Cl", 1.0),)]),
        (sodium("Na"), [(("Na", 1.0),), (("Cl", 1.0),)]),
        (
            sodium("Na", "K", concentration=[0.75, 0.25]) | {"structure_features": ["disorder"]},
            [(("K", 0.25), ("Na", 0.75)), (("Cl", 1.0),)],
        ),
        (sodium("Na", "vacancy", concentration=[0.9, 0.1]), [(("Na", 0.9),), (("Cl", 1.0),)]),
        (sodium("Na", "Na", concentration=[0.5, 0.5]), [(("Na", 1.0),), (("Cl", 1.0),)]),
        (sodium("Cl"), [(("Cl", 1.0),), (("Cl", 1.0),)]),
        ({"nperiodic_dimensions": 2, "dimension_types": [1, 1, 0]}, None),
        ({"nperiodic_dimensions": None, "dimension_types": None}, None),
        ({"last_modified": "long ago", "chemical_formula_reduced": 3}, None),
    ],
)
def test_what_is_a_crystal(fetch_entry, change, species):
    result = fetch_entry(WHOLE | change)
    assert result.report["stored"].tolist() == [1]
    ((identifier, crystal),) = read_optimade(result.folder)
    assert identifier == result.report["database"][0].removeprefix("http://") + "/made/up"
    np.testing.assert_allclose(crystal.positions, [[0, 0, 0], [0.5, 0.5, 0.25]])
    np.testing.assert_array_equal(crystal.lattice, LATTICE)
    assert len(set(crystal.species)) == len(crystal.species)
    if species:
        assert [crystal.species[kind] for kind in crystal.kinds] == species


def test_positions_in_an_oblique_cell(fetch_entry):
    lattice = np.array([[4.0, 0.1, 0], [1, 5, 0.2], [0.3, 0.4, 6]])
    fractions = np.array([[0.1, 0.2, 0.3], [0.9, 0.5, 0.7]])
    positions = (fractions @ lattice).tolist()
    change = {"lattice_vectors": lattice.tolist(), "cartesian_site_positions": positions}
    ((_, crystal),) = read_optimade(fetch_entry(WHOLE | change).folder)
    np.testing.assert_allclose(crystal.positions, fractions)


# Names of providers


@pytest.fixture
def registry(proxy, monkeypatch):
    """The list of providers: one that answers, one that does not, one without an address."""
    urls = {"cmr": f"{proxy.url}/index", "mp": "http://127.0.0.1:9", "aiida": None}
    proxy.pages["/providers"] = {"data": [link(name, url) for name, url in urls.items()]}
    children = [link("child", f"{proxy.url}/"), link("root", proxy.url, link_type="root")]
    proxy.pages["/index/v1/links"] = {"data": children, "meta": {}}
    monkeypatch.setattr("optimade.utils.PROVIDER_LIST_URLS", (f"{proxy.url}/providers",))
    return proxy


def link(name, url, link_type="child"):
    attributes = dict(name=name, description=name, base_url=url, homepage=None, link_type=link_type)
    return {"id": name, "type": "links", "attributes": attributes}


@pytest.mark.parametrize("name", ["cmr", "CMR", "c2db"])
def test_provider_by_its_id(registry, server, tmp_path, name):
    result = fetch_optimade(name, data_home=tmp_path)
    assert result.complete
    assert result.report[["provider", "database"]].values.tolist() == [["cmr", registry.url]]
    assert_whole(result.folder, server)


def test_unknown_provider(registry, tmp_path):
    with pytest.raises(ValueError, match="unknown OPTIMADE provider 'cmrr'. Did you mean 'cmr'"):
        fetch_optimade(["cmr", "cmrr"], data_home=tmp_path)
    assert registry.requests == []
    with pytest.raises(TypeError, match="must be a string, got 3"):
        fetch_optimade([3], data_home=tmp_path)


def test_silent_provider_does_not_stop_the_others(registry, tmp_path):
    with pytest.warns(UserWarning, match="mp: 0 of an unknown number .*\n.*aiida: 0 of") as caught:
        result = fetch_optimade(["mp", "aiida", "cmr"], data_home=tmp_path)
    assert len(caught) == 1
    assert result.report["provider"].tolist() == ["mp", "aiida", "cmr"]
    assert result.report["stored"].tolist() == [0, 0, N_STRUCTURES]
    assert result.report["complete"].tolist() == [False, False, True]


def test_base_url_with_its_version(proxy, tmp_path):
    result = fetch_optimade(f"{proxy.url}/v1/", data_home=tmp_path)
    assert result.report["database"].tolist() == [proxy.url]


def test_providers_of_the_paper_are_registered():
    from optimade.server.data import providers

    assert len(OPTIMADE_PROVIDERS) == 14
    assert OPTIMADE_PROVIDERS.keys() <= {provider["id"] for provider in providers["data"]}


# Reading


def test_reading_holds_one_file_at_a_time(fetch):
    folder = fetch().folder
    last = max(parts(folder))
    last.write_bytes(b"PAR1 nothing")
    crystals = read_optimade(folder)
    assert next(crystals)[1].composition == {"Ac": 1}
    with pytest.raises(ValueError, match=f"{last.name} is damaged"):
        list(crystals)
    with pytest.raises(ValueError, match=f"{last.name} is damaged"):
        fetch()


def test_damaged_state(fetch):
    (state,) = fetch(max_results=2).folder.rglob("_state.json")
    state.write_text("{")
    with pytest.raises(ValueError, match="_state.json is damaged"):
        fetch()


def test_reading_nothing(tmp_path):
    with pytest.raises(FileNotFoundError, match="no structures"):
        next(read_optimade(tmp_path))


@pytest.mark.parametrize("package", ["pyarrow.parquet", "optimade.client"])
def test_missing_extra(monkeypatch, tmp_path, package):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "sklearn_cloud.datasets.optimade_client")
    monkeypatch.delattr(datasets, "optimade_client")
    with pytest.raises(ImportError, match=r"pip install 'sklearn-cloud\[optimade\]'"):
        fetch_optimade("mp", data_home=tmp_path)
    if package.startswith("pyarrow"):
        with pytest.raises(ImportError, match=r"pip install 'sklearn-cloud\[optimade\]'"):
            next(read_optimade(tmp_path))


def test_import_brings_none_of_the_packages():
    code = (
        "import sys, sklearn_cloud.datasets\n"
        "assert not {'pyarrow', 'optimade', 'requests', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
