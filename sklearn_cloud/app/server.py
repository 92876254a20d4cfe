"""Start the web page.

Streamlit, not Gradio: it keeps uploads in memory, Gradio writes them to a folder that it serves.
"""

import ipaddress
import os
import socket
import sys
import webbrowser
from contextlib import asynccontextmanager
from pathlib import Path

from .uploads import UploadLimits

PAGE = Path(__file__).with_name("page.py")
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

#: Limits of the page that runs; `serve` sets them.
limits = UploadLimits()


def serve(own_limits=None, *, host="127.0.0.1", port=8501, browser=True, started=None):
    """Serve the page until Ctrl-C.

    Parameters
    ----------
    own_limits : UploadLimits, default=None
        None takes the default ones.
    host : str, default="127.0.0.1"
        Address of this machine to listen on, and by which browsers name it.
    port : int, default=8501
        0 chooses a free one.
    browser : bool, default=True
        Whether to open the page in the default browser, if there is a display.
    started : callable, default=None
        Called with the address of the page when it is ready.

    Raises
    ------
    ImportError
        If Streamlit is not installed.
    ValueError
        If `host` stands for all addresses.
    OSError
        If the address or the port cannot be used.
    """
    global limits
    check_address(host, port)
    streamlit = require_streamlit()
    limits = UploadLimits() if own_limits is None else own_limits

    @asynccontextmanager
    async def announce(app):
        address = f"http://{name_of(host)}:{streamlit.get_option('server.port')}"
        if started is not None:
            started(address)
        if browser and has_display():
            webbrowser.open(address)
        yield

    from starlette.middleware import Middleware

    from .same_origin import SameOrigin

    guard = Middleware(SameOrigin, hosts=(*_LOOPBACK, host) if is_loopback(host) else (host,))
    app = streamlit.App(PAGE, lifespan=announce, middleware=[guard])
    app.run(config=server_options(host, port, limits))


def server_options(host, port, limits):
    """Return the options of Streamlit's server; they have priority over its files of options."""
    return {
        "browser.gatherUsageStats": False,
        "browser.serverAddress": name_of(host),
        "client.showErrorDetails": "none",
        "client.toolbarMode": "minimal",
        "logger.hideWelcomeMessage": True,
        "server.address": host,
        "server.enableAgentApi": False,
        "server.enableCORS": True,
        "server.enableStaticServing": False,
        "server.enableXsrfProtection": True,
        "server.fileWatcherType": "none",
        "server.headless": True,
        "server.maxUploadSize": limits.megabytes,
        "server.port": port,
        "server.runOnSave": False,
    }


def require_streamlit():
    """Return the module.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        import streamlit
    except ImportError:
        raise ImportError(
            "the web page requires Streamlit: pip install 'sklearn-cloud[app]'."
        ) from None
    return streamlit


def check_address(host, port):
    """Raise an error, before anything is loaded, if the page cannot be served there."""
    if is_wildcard(host):
        raise ValueError(
            f"--host {host} stands for all addresses: name the one by which others reach this "
            "machine, such as 192.168.1.5."
        )
    try:
        family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            if sys.platform != "win32":  # there, it would allow a port in use
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise OSError(
            f"cannot listen on {host}, port {port} ({error.strerror or error}): choose another "
            "one with --host or --port; 0 is a free port."
        ) from None


def is_wildcard(host):
    """Whether a host stands for all addresses of the machine."""
    try:
        return host == "" or ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def is_loopback(host):
    """Whether only programs on this machine reach a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def name_of(host):
    """Return a host as it is written in an address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def has_display():
    """Whether a browser can open; without a display, one in the terminal would take it over."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
