"""Local store of an OPTIMADE database: Parquet files, and the state of the download."""

import json
import re
from collections import Counter

import numpy as np

from ..files import atomic_write, write_text
from .optimade_rows import make_row, schema

# Folder readers such as pandas.read_parquet ignore names that start with an underscore.
STATE_FILE = "_state.json"


def database_name(base_url):
    """Return the name of the folder of a database."""
    return re.sub(r"[^A-Za-z0-9.-]+", "_", base_url.split("://", 1)[-1]).strip("_")


def open_parquet(path):
    """Open a Parquet file; raise ValueError with its path if it is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise ValueError(
            f"{path} is damaged: {error}. Delete its folder and download it again."
        ) from error


class Store:
    """Rows of one database in its own folder, and the state of the download.

    A file gets its final name when it is complete, and only then is the state updated: if the
    process is killed, the state still describes the existing files.

    Parameters
    ----------
    folder : path
        Folder of the database; created if needed.
    base_url, filter : str
        The query. A folder has one query; another one raises ValueError.
    rows_per_file : int
        Number of rows per file.
    """

    def __init__(self, folder, base_url, filter, rows_per_file):
        self.folder = folder
        self.rows_per_file = rows_per_file
        self.pending = []
        folder.mkdir(parents=True, exist_ok=True)
        query = {"base_url": base_url, "filter": filter}
        self.state = self._read_state(query)
        self.ids = set()
        self.counts = Counter()  # rows per problem; None counts the crystals
        for path in sorted(folder.glob("part-*.parquet")):
            if path >= self._part(self.state["files"]):  # from before a kill, not in the state
                path.unlink()
                continue
            with open_parquet(path) as file:
                columns = file.read(["id", "problem"]).to_pydict()
            self.ids.update(columns["id"])
            self.counts.update(columns["problem"])

    def _read_state(self, query):
        path = self.folder / STATE_FILE
        if not path.exists():
            unknown = dict(provider=None, licence=None, next_link=None, expected=None)
            return query | unknown | dict(ended=False, walked=0, nameless=0, files=0)
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
            found = {key: state[key] for key in query}
        except (ValueError, KeyError) as error:
            raise ValueError(
                f"{path} is damaged; delete its folder and download it again"
            ) from error
        if found != query:
            raise ValueError(
                f"{self.folder} contains {found}, not {query}: use another data_home, or delete "
                "that folder"
            )
        return state

    def _part(self, number):
        return self.folder / f"part-{number:06d}.parquet"

    @property
    def received(self):
        """Number of stored entries, crystals or not."""
        return self.counts.total()

    @property
    def complete(self):
        """Whether all pages with all announced entries were received."""
        state = self.state
        whole = self.received >= (state["expected"] or 0) and not state["nameless"]
        return state["ended"] and whole

    @property
    def skipped(self):
        """Number of entries that are not crystals, {reason: count}."""
        return {reason: count for reason, count in self.counts.items() if reason}

    def lacks(self, expected):
        """Whether entries are known to be missing."""
        return self.state["walked"] < (expected or self.state["expected"] or 0)

    def begin_again(self):
        """Return to the first page; entries that are stored already will be skipped."""
        self.state |= dict(next_link=None, ended=False, walked=0, nameless=0)

    def add(self, page):
        """Add the entries of a page."""
        before = self.received
        for entry in page.entries:
            self._add_entry(entry)
        state = self.state
        state["walked"] += len(page.entries)
        state["next_link"] = page.next_link
        if page.expected is not None:
            state["expected"] = page.expected
        # Some servers link an empty page after the last one, or repeat it forever.
        past_end = self.received == before and state["walked"] > (state["expected"] or np.inf)
        state["ended"] = page.next_link is None or not page.entries or past_end
        if len(self.pending) >= self.rows_per_file:
            self.flush()

    def _add_entry(self, entry):
        identifier = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(identifier, (str, int)) or identifier == "":
            self.state["nameless"] += 1
        elif str(identifier) not in self.ids:
            row = make_row(str(identifier), entry.get("attributes"), self.state)
            self.ids.add(row["id"])
            self.counts[row["problem"]] += 1
            self.pending.append(row)

    def flush(self):
        """Write the collected rows, then the state."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self.pending:
            rows = pa.Table.from_pylist(self.pending, schema())
            with atomic_write(self._part(self.state["files"])) as part:
                pq.write_table(rows, part, compression="zstd")
            self.state["files"] += 1
            self.pending = []
        write_text(self.folder / STATE_FILE, json.dumps(self.state, indent=1))
