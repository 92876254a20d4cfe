import asyncio

import pytest

from sklearn_cloud.app.same_origin import SameOrigin

HOSTS = ("localhost", "127.0.0.1", "[::1]")


def ask(kind, **headers):
    """What a server answers that sends "welcome" to those who reach it."""
    sent = []

    async def welcome(scope, receive, send):
        await send("welcome")

    async def receive():
        return {"type": f"{kind}.connect"}

    async def send(message):
        sent.append(message)

    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "headers": pairs}
    asyncio.run(SameOrigin(welcome, HOSTS)(scope, receive, send))
    return sent


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "headers",
    [
        {"host": "127.0.0.1:8501"},
        {"host": "LocalHost:8501"},
        {"host": "[::1]:8501", "origin": "http://[::1]:8501"},
        {"host": "127.0.0.1:8501", "origin": "http://127.0.0.1:8501"},
    ],
)
def test_own_pages_and_programs_pass(kind, headers):
    assert ask(kind, **headers) == ["welcome"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "evil.example:8501"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "[127.0.0.1"},
        {"host": "127.0.0.1:8501", "origin": "http://evil.example"},
        {"host": "127.0.0.1:8501", "origin": "http://127.0.0.1:9999"},
        {"host": "127.0.0.1:8501", "origin": "null"},
        {"host": "127.0.0.1:8501", "origin": "http://[x"},
    ],
)
def test_others_are_refused(headers):
    assert ask("http", **headers)[0]["status"] == 403
    assert ask("websocket", **headers) == [{"type": "websocket.close", "code": 1008}]


def test_the_start_of_the_server_passes():
    assert ask("lifespan") == ["welcome"]
