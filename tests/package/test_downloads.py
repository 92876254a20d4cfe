import hashlib
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sklearn_cloud.downloads import download, get_data_home
from sklearn_cloud.files import sha256_of

CONTENT = b"crystals " * 40_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server:
    """Loopback server that gives its answers in order, and the last one again and again."""

    def __init__(self, *answers, delay=0.0):
        self.answers, self.delay, self.n_requests = answers, delay, 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                answer = server.answers[min(server.n_requests, len(server.answers) - 1)]
                server.n_requests += 1
                time.sleep(server.delay)
                self.send_response(200 if isinstance(answer, bytes | str) else answer)
                self.send_header("Content-Length", str(len(CONTENT)))
                self.end_headers()
                if answer == "cut":
                    self.wfile.write(CONTENT[:1000])
                elif isinstance(answer, bytes):
                    self.wfile.write(answer)

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/table.json.gz"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def serve(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    servers = []

    def start(*answers, **options):
        servers.append(Server(*answers, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def left_over(folder):
    return [name for name in os.listdir(folder) if not name.endswith(".lock")]


def test_download_writes_the_file_and_nothing_else(serve, tmp_path):
    path = tmp_path / "new" / "folder" / "table.json.gz"
    assert download(serve(CONTENT).url, path, SHA256) == path
    assert path.read_bytes() == CONTENT
    assert sha256_of(path) == SHA256
    assert left_over(path.parent) == ["table.json.gz"]


def test_left_over_of_a_killed_download_does_no_harm(serve, tmp_path):
    path = tmp_path / "table.json.gz"
    (tmp_path / "table.json.gz.part").write_bytes(CONTENT + b"more")
    download(serve(CONTENT).url, path, SHA256)
    assert path.read_bytes() == CONTENT
    assert left_over(tmp_path) == ["table.json.gz"]


def test_existing_file_is_kept(serve, tmp_path):
    server, path = serve(CONTENT), tmp_path / "table.json.gz"
    path.write_bytes(b"mine")
    download(server.url, path, SHA256)
    assert path.read_bytes() == b"mine"
    assert server.n_requests == 0


def test_other_checksum_is_refused_and_nothing_kept(serve, tmp_path):
    server = serve(CONTENT[::-1])
    with pytest.raises(ValueError, match="sha256") as error:
        download(server.url, tmp_path / "table.json.gz", SHA256)
    assert server.url in str(error.value) and SHA256 in str(error.value)
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("first", ["cut", 503])
def test_broken_transfer_is_tried_again(serve, tmp_path, first):
    server, path = serve(first, CONTENT), tmp_path / "table.json.gz"
    download(server.url, path, SHA256, wait=0)
    assert path.read_bytes() == CONTENT
    assert server.n_requests == 2


@pytest.mark.parametrize(("answer", "n_requests"), [("cut", 3), (500, 3), (404, 1)])
def test_failure_names_address_and_place(serve, tmp_path, answer, n_requests):
    server, path = serve(answer), tmp_path / "table.json.gz"
    with pytest.raises(ConnectionError, match="Without a network") as error:
        download(server.url, path, SHA256, wait=0)
    assert server.url in str(error.value) and str(path) in str(error.value)
    assert server.n_requests == n_requests
    assert left_over(tmp_path) == []


def test_no_network(serve, tmp_path):
    server, path = serve(CONTENT), tmp_path / "table.json.gz"
    server.http.socket.close()  # nobody answers at this address any more
    with pytest.raises(ConnectionError, match="Without a network") as error:
        download(server.url, path, SHA256, retries=2, wait=0, timeout=1)
    assert server.url in str(error.value) and str(path) in str(error.value)
    assert left_over(tmp_path) == []


def test_only_one_of_several_downloads(serve, tmp_path):
    server, path = serve(CONTENT, delay=0.2), tmp_path / "table.json.gz"
    threads = [threading.Thread(target=download, args=(server.url, path, SHA256)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.n_requests == 1
    assert path.read_bytes() == CONTENT


def test_progress_bar_only_when_asked(serve, tmp_path, capsys):
    server = serve(CONTENT)
    download(server.url, tmp_path / "silent", SHA256)
    assert capsys.readouterr() == ("", "")
    download(server.url, tmp_path / "loud", SHA256, verbose=1)
    assert "table.json.gz" in capsys.readouterr().err


def test_data_home_order(monkeypatch, tmp_path):
    monkeypatch.setenv("SKLEARN_CLOUD_DATA", str(tmp_path / "variable"))
    assert get_data_home(tmp_path / "argument") == tmp_path / "argument"
    assert get_data_home() == tmp_path / "variable"
    monkeypatch.delenv("SKLEARN_CLOUD_DATA")
    for variable in ("HOME", "LOCALAPPDATA", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    assert get_data_home().name == "sklearn_cloud"
    assert tmp_path in get_data_home().parents
    assert not get_data_home().exists()


def test_data_home_expands_the_user(monkeypatch):
    assert get_data_home("~/crystals") == Path.home() / "crystals"
