"""What is kept of an OPTIMADE database: rows in Parquet files, and where to go on."""

import json
import re
from collections import Counter

import numpy as np

from ..files import atomic_write, write_text
from .optimade_rows import make_row, schema

# Folder readers such as pandas.read_parquet pass over names that begin with an underscore.
STATE_FILE = "_state.json"


def database_name(base_url):
    """Name of the folder of a database."""
    return re.sub(r"[^A-Za-z0-9.-]+", "_", base_url.split("://", 1)[-1]).strip("_")


def open_parquet(path):
    """Open a Parquet file; ValueError naming it if it is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise ValueError(
            f"{path} is damaged: {error}. Delete its folder and fetch anew."
        ) from error


class Store:
    """Rows of one database in a folder of their own, and the state of the download.

    A file is written once, under its final name only when it is whole, and only then does
    the state move on: whatever kills the process, the state describes the files before it.

    Parameters
    ----------
    folder : path
        Where to keep the database; created.
    base_url, filter : str
        What is downloaded. A folder holds one query; another one raises ValueError.
    rows_per_file : int
        How many rows are collected before they are written.
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
            raise ValueError(f"{path} is damaged; delete its folder and fetch anew") from error
        if found != query:
            raise ValueError(
                f"{self.folder} holds {found}, not {query}: use another data_home for it, or "
                "delete that folder"
            )
        return state

    def _part(self, number):
        return self.folder / f"part-{number:06d}.parquet"

    @property
    def received(self):
        """Entries that are stored, crystals or not."""
        return self.counts.total()

    @property
    def complete(self):
        """Whether the pages came to their end with all the entries that were announced."""
        state = self.state
        whole = self.received >= (state["expected"] or 0) and not state["nameless"]
        return state["ended"] and whole

    @property
    def skipped(self):
        """Entries that are not crystals, {reason: count}."""
        return {reason: count for reason, count in self.counts.items() if reason}

    def lacks(self, expected):
        """Whether entries are still to come, as far as is known."""
        return self.state["walked"] < (expected or self.state["expected"] or 0)

    def begin_again(self):
        """Go to the first page; entries that are kept already will be passed over."""
        self.state |= dict(next_link=None, ended=False, walked=0, nameless=0)

    def add(self, page):
        """Take in a page."""
        before = self.received
        for entry in page.entries:
            self._add_entry(entry)
        state = self.state
        state["walked"] += len(page.entries)
        state["next_link"] = page.next_link
        if page.expected is not None:
            state["expected"] = page.expected
        # There are servers that link an empty page after the last one, or repeat it for ever.
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
        """Write the rows that were collected, then the state."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self.pending:
            rows = pa.Table.from_pylist(self.pending, schema())
            with atomic_write(self._part(self.state["files"])) as part:
                pq.write_table(rows, part, compression="zstd")
            self.state["files"] += 1
            self.pending = []
        write_text(self.folder / STATE_FILE, json.dumps(self.state, indent=1))
