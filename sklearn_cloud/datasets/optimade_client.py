"""Download pages of structures with the client of optimade-python-tools.

Imported only for downloads: it requires the extra `optimade`.
"""

import difflib
import logging
import time
from typing import NamedTuple
from urllib.parse import quote

import requests
from optimade.client import OptimadeClient
from optimade.exceptions import BadRequest
from optimade.filterparser import LarkParser
from optimade.utils import get_child_database_links, get_providers

FIELDS = [
    "chemical_formula_reduced",
    "lattice_vectors",
    "cartesian_site_positions",
    "species",
    "species_at_sites",
    "nsites",
    "nperiodic_dimensions",
    "dimension_types",
    "structure_features",
    "last_modified",
]
OTHER_NAMES = {"c2db": "cmr", "nomad": "nmd"}  # of registered providers
TRANSIENT = {408, 425, 429, 500, 502, 503, 504}  # status codes of temporary errors
FIRST_PAUSE = 1.0  # seconds before the second attempt, doubled before each further one
LONGEST_PAUSE = 120.0
_BROKEN = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)

logger = logging.getLogger(__name__)


class Page(NamedTuple):
    """Result of one request for structures.

    `expected` is the announced number of entries on all pages, or None; `delay` is the number of
    seconds that the server asks to wait before the next request.
    """

    entries: list
    next_link: str | None
    expected: int | None
    provider: str | None
    delay: float


class PatientSession(requests.Session):
    """Session that repeats a request, after growing pauses, until its response is complete.

    The client itself gives up at the first server error (and never at status 429), so requests are
    repeated at the level below it. A refusal such as "bad filter" is returned at once: repeating
    the request would not change it.
    """

    tries = 5

    def get(self, url, **kwargs):
        for attempt in range(1, self.tries + 1):
            response, trouble = self._ask(url, **kwargs)
            if trouble is None:
                return response
            if attempt < self.tries:
                logger.warning("%s; trying again", trouble)
                time.sleep(_pause(attempt, response))
        raise requests.ConnectionError(f"{trouble}, after {self.tries} attempts")

    def _ask(self, url, **kwargs):
        """Return the response, if any, and its problem."""
        place = url.split("?")[0]
        try:
            response = super().get(url, **kwargs)
        except _BROKEN as error:
            return None, f"no complete response from {place} ({type(error).__name__})"
        if response.status_code in TRANSIENT:
            return response, f"{place} answered {response.status_code} {response.reason}"
        if response.status_code == 200 and not _is_whole(response):
            return response, f"no complete OPTIMADE JSON from {place}"
        return response, None


def _session(tries):
    """Return a session class, as required by the client."""
    return type("Session", (PatientSession,), {"tries": tries})


def _is_whole(response):
    try:
        answer = response.json()
    except requests.exceptions.JSONDecodeError:
        return False
    return isinstance(answer, dict) and "data" in answer and isinstance(answer.get("meta"), dict)


def _pause(attempt, response):
    """Return the seconds to wait after a failed attempt; the server may ask for more."""
    asked = "" if response is None else response.headers.get("Retry-After", "")
    asked = float(asked) if asked.isdigit() else 0.0
    return min(max(FIRST_PAUSE * 2 ** (attempt - 1), asked), LONGEST_PAUSE)


class Database:
    """An OPTIMADE database, downloaded page by page.

    Parameters
    ----------
    base_url : str
        URL without the version.
    filter : str or None
        OPTIMADE filter.
    page_limit : int
        Number of entries per page.
    tries : int
        Number of attempts per request.
    timeout : float
        Seconds to wait for an answer.
    """

    def __init__(self, base_url, *, filter, page_limit, tries, timeout):
        self.base_url = base_url
        self.filter = filter
        self.page_limit = page_limit
        self.session = _session(tries)
        self.timeout = timeout

    def page(self, link=None):
        """Return the page at `link`, or the first one; ConnectionError if it is not available."""
        answer = self._ask(
            "structures",
            quote(self.filter or ""),  # the client puts it into the address as it is
            page_limit=self.page_limit,
            response_fields=FIELDS,
            override_url=link,
        )
        try:
            return _read_page(answer, self.filter)
        except (AttributeError, TypeError, ValueError) as error:
            raise ConnectionError(f"the page is not an OPTIMADE page: {error}") from error

    def licence(self):
        """Return the licence stated by the server for its data, or None."""
        try:
            attributes = self._ask("info", "")["data"]["attributes"]
            stated = attributes.get("license") or attributes.get("available_licenses")
        except (ConnectionError, KeyError, TypeError, AttributeError) as error:
            logger.warning("%s does not state a licence: %s", self.base_url, error)
            return None
        if isinstance(stated, dict):
            stated = stated.get("href")
        return ", ".join(map(str, stated)) if isinstance(stated, list) else stated and str(stated)

    def _ask(self, endpoint, filter, **query):
        # The client would keep all pages in memory, and lose them at the first error. One page per
        # call, received by a callback, is its way to control the paging from outside.
        answers = []
        client = OptimadeClient(
            self.base_url,
            use_async=False,
            silent=True,
            http_client=self.session,
            http_timeout=float(self.timeout),
            callbacks=[lambda url, answer: answers.append(answer)],
        )
        # With newer versions of rich, even a silent client prints errors; they are reported here.
        client._progress.print = lambda *args, **kwargs: None
        result = client.get_one(endpoint, filter, self.base_url, paginate=False, **query)
        if not answers:
            raise ConnectionError("; ".join(result[self.base_url].errors))
        return answers[0]


def _read_page(answer, filter):
    entries, meta, links = answer["data"], answer["meta"], answer["links"] or {}
    if not isinstance(entries, list) or answer["errors"]:
        raise ValueError(f"{str(answer['errors'] or entries):.300}")
    next_link = links.get("next")
    if isinstance(next_link, dict):
        next_link = next_link.get("href")
    expected = meta.get("data_returned")
    if expected is None and not filter:
        expected = meta.get("data_available")
    return Page(
        entries=entries,
        next_link=None if not next_link else str(next_link),
        expected=None if expected is None else int(expected),
        provider=str((meta.get("provider") or {}).get("prefix") or "") or None,
        delay=min(max(float(meta.get("request_delay") or 0), 0), LONGEST_PAUSE),
    )


def check_filter(filter):
    """Raise ValueError if the client's parser cannot read the filter."""
    try:
        LarkParser().parse(filter)
    except BadRequest as error:
        raise ValueError(f"{filter!r} is not a valid OPTIMADE filter: {error}") from error


def find_databases(providers, tries):
    """Return the databases of providers.

    Parameters
    ----------
    providers : str or iterable of str
        Ids of registered providers, and base URLs of databases.
    tries : int
        Number of attempts per request.

    Returns
    -------
    list of (provider, base URL, error)
        The provider is None for a base URL. The base URL is None if a provider does not list its
        databases, for the reason in the error, which is None otherwise.

    Raises
    ------
    TypeError, ValueError
        If a name is not a string, or no provider of that name is registered.
    """
    found = []
    for name in [providers] if isinstance(providers, str) else providers:
        if not isinstance(name, str):
            raise TypeError(f"the id of a provider must be a string, got {name!r}")
        if "://" in name:
            found.append((None, _plain(name), None))
            continue
        provider = OTHER_NAMES.get(name.lower(), name.lower())
        try:
            found += [(provider, _plain(url), None) for url in _listed_urls(provider, tries)]
        except ConnectionError as error:
            found.append((provider, None, str(error)))
    return found


def _plain(url):
    return url.rstrip("/").removesuffix("/v1").rstrip("/")


def _listed_urls(provider, tries):
    try:
        registered = {entry["id"]: entry for entry in get_providers()}
    except requests.RequestException as error:
        raise ConnectionError(f"the list of providers cannot be read: {error}") from error
    if not registered:
        raise ConnectionError("the list of providers cannot be read; pass the base URL instead")
    if provider not in registered:
        close = difflib.get_close_matches(provider, registered, n=1)
        hint = f"Did you mean {close[0]!r}? " if close else ""
        raise ValueError(
            f"unknown OPTIMADE provider {provider!r}. {hint}Registered providers are "
            f"{', '.join(sorted(registered))}; for any other, pass its base URL (https://...)."
        )
    try:
        links = get_child_database_links(registered[provider], session=_session(tries)())
    except (RuntimeError, requests.RequestException) as error:
        raise ConnectionError(f"{provider} does not list its databases: {error}") from error
    urls = [link.attributes.base_url for link in links]
    if not urls:
        raise ConnectionError(f"{provider} lists no databases; pass its base URL instead")
    return [str(getattr(url, "href", url)) for url in urls]
