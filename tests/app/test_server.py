import socket
import sys

import pytest

from sklearn_cloud.__main__ import main
from sklearn_cloud.app import server
from sklearn_cloud.app.server import is_loopback, is_wildcard, serve, server_options
from sklearn_cloud.app.uploads import UploadLimits


def test_nothing_is_collected_shared_or_shown():
    options = server_options("127.0.0.1", 0, UploadLimits(megabytes=7))
    assert options["server.address"] == "127.0.0.1"
    assert options["server.maxUploadSize"] == 7
    for name in ("browser.gatherUsageStats", "server.enableStaticServing", "server.enableAgentApi"):
        assert options[name] is False
    for name in ("server.enableXsrfProtection", "server.enableCORS"):
        assert options[name] is True


def test_only_this_machine_by_default(monkeypatch):
    called = {}
    monkeypatch.setattr(server, "serve", lambda limits, **options: called.update(options, l=limits))
    assert main(["app", "--max-files", "3", "--max-size", "4", "--max-crystals", "5"]) == 0
    assert (called["host"], called["port"], called["browser"]) == ("127.0.0.1", 8501, True)
    assert called["l"] == UploadLimits(3, 4, 5)


def test_other_machines_are_announced(monkeypatch, capsys):
    monkeypatch.setattr(
        server, "serve", lambda limits, **options: options["started"]("http://a.example:1")
    )
    assert main(["app", "--no-browser"]) == 0
    assert capsys.readouterr().err == "the page is at http://a.example:1 (Ctrl-C ends it)\n"
    assert main(["app", "--host", "192.0.2.1", "--no-browser"]) == 0
    assert "there is no password" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options", [["--port", "70000"], ["--max-files", "0"], ["--max-size", "x"]]
)
def test_wrong_options(options, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["app", *options])
    assert options[0] in capsys.readouterr().err


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_all_addresses_are_refused(host, capsys):
    assert is_wildcard(host)
    assert main(["app", "--host", host]) == 1
    assert "stands for all addresses" in capsys.readouterr().err


def test_a_port_in_use(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["app", "--port", str(taken.getsockname()[1])]) == 1
    assert "choose another one with --host or --port" in capsys.readouterr().err


def test_an_address_of_another_machine(capsys):
    assert main(["app", "--host", "192.0.2.1"]) == 1  # reserved for documentation
    assert "cannot listen on 192.0.2.1" in capsys.readouterr().err


def test_missing_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "streamlit", None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn-cloud\[app\]'"):
        serve(port=0)


def test_loopback():
    assert all(map(is_loopback, ("127.0.0.1", "127.0.1.1", "::1", "localhost")))
    assert not any(map(is_loopback, ("192.168.1.5", "example.org", "0.0.0.0")))
    assert not is_wildcard("localhost") and not is_wildcard("192.168.1.5")
