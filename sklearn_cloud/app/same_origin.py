"""Refuse requests that a page of another site makes in the browser of a user."""

from urllib.parse import urlsplit


class SameOrigin:
    """ASGI middleware: only pages of this server may ask it, by one of its own names.

    A page of another site can send requests to servers on the machine of its reader, also under
    a name of its own that leads there (DNS rebinding). Both are told by the headers ``Origin`` and
    ``Host``, which a browser does not let a page change.

    Parameters
    ----------
    app : ASGI application
    hosts : sequence of str
        Names of this server, without a port.
    """

    def __init__(self, app, hosts):
        self.app = app
        self.hosts = {host.lower().strip("[]") for host in hosts}

    async def __call__(self, scope, receive, send):
        if scope["type"] not in ("http", "websocket") or self.is_own(dict(scope["headers"])):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b"not from another site"})

    def is_own(self, headers):
        """Whether a request names this server, and comes from a page of it or from no page."""
        host = headers.get(b"host", b"").decode("latin-1")
        origin = headers.get(b"origin", b"").decode("latin-1")
        try:
            known = urlsplit(f"//{host}").hostname in self.hosts
            return known and (not origin or urlsplit(origin).netloc == host)
        except ValueError:  # no address at all
            return False
