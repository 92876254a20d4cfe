"""Write the shards of a corpus: the second pass of `build_corpus`."""

import json
import zipfile
from collections import Counter

import numpy as np

from ..crystals.geometry import GEOMETRY
from ..files import sha256_of, write_text
from .corpus import ARRAYS, FORMAT_VERSION, MANIFEST
from .corpus_contents import hash_digests


def write_corpus(folder, chunks, plan, shard_rows, language):
    """Keep one row per formula and space group, write shards and manifest.

    Parameters
    ----------
    folder : pathlib.Path
    chunks : list of pathlib.Path
        Files written by the first pass.
    plan : dict
        Options and sources, for the manifest.
    shard_rows : int
    language : Language

    Raises
    ------
    ValueError
        If no crystal is left, or a chunk is damaged.
    """
    keep, counts, dropped = _choose_rows(chunks, len(plan["sources"]))
    sums = np.zeros((3, len(GEOMETRY)))
    if not any(chosen.any() for chosen in keep):
        raise ValueError(
            f"no crystals are left for the corpus in {str(folder)!r}; dropped: {dropped}"
        )
    shards, pending = [], []
    for path, chosen in zip(chunks, keep, strict=True):
        with _open_chunk(path) as chunk:
            pending.append(_select(chunk, chosen))
        numbers = pending[-1]["geometry"].astype(float)
        numbers = numbers[np.isfinite(numbers).all(axis=1)]
        sums += [np.full(len(GEOMETRY), len(numbers)), numbers.sum(0), (numbers**2).sum(0)]
        if sum(len(part["ends"]) for part in pending) >= shard_rows:
            shards.append(_write_shard(folder, f"shard-{len(shards):05d}", _join(pending)))
            pending = []
    if sum(len(part["ends"]) for part in pending):
        shards.append(_write_shard(folder, f"shard-{len(shards):05d}", _join(pending)))
    mean = sums[1] / np.maximum(sums[0], 1)
    scale = np.sqrt(np.maximum(sums[2] / np.maximum(sums[0], 1) - mean**2, 1e-12))
    sources = [
        {**source, **counted, **contents}
        for source, counted, contents in zip(
            plan["sources"], counts, _contents(chunks, len(counts)), strict=True
        )
    ]
    _write_manifest(
        folder,
        {
            "vocabulary": language.vocabulary_hash,
            **{key: plan[key] for key in ("language", "sites", "symprec", "max_tokens")},
            "rows": sum(shard["rows"] for shard in shards),
            "sources": sources,
            "dropped": dropped,
            "geometry": {"names": GEOMETRY, "mean": mean.tolist(), "scale": scale.tolist()},
            "shards": shards,
        },
    )


def _contents(chunks, n_sources):
    """Checksum of the crystals of each source that was in memory."""
    digests = [[] for _ in range(n_sources)]
    for path in chunks:
        with _open_chunk(path) as chunk:
            if "digest" in chunk and str(chunk["digest"]):
                digests[int(chunk["source"])].append(str(chunk["digest"]))
    return [{"crystals": hash_digests(found)} if found else {} for found in digests]


def read_digest(path):
    """Checksum of the crystals of a chunk; empty if they came from a file."""
    with _open_chunk(path) as chunk:
        return str(chunk["digest"]) if "digest" in chunk else ""


def _open_chunk(path):
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{str(path)!r} is damaged ({error}): remove this file and build the corpus again; the "
            f"other files are reused"
        ) from error


def _choose_rows(chunks, n_sources):
    """Return the rows to keep of each chunk, counts per source, and counts of dropped crystals."""
    keys, volumes, sources, sizes, dropped = [], [], [], [], Counter()
    counts = [Counter(read=0, kept=0) for _ in range(n_sources)]
    for path in chunks:
        with _open_chunk(path) as chunk:
            keys.append(chunk["keys"])
            volumes.append(chunk["volumes"])
            sizes.append(len(chunk["keys"]))
            sources.append(int(chunk["source"]))
            counts[sources[-1]]["read"] += int(chunk["n_items"])
            dropped.update(json.loads(str(chunk["dropped"])))
    keys = np.concatenate(keys or [[]])
    volumes = np.nan_to_num(np.concatenate(volumes or [[]]), nan=np.inf)
    order = np.lexsort((volumes, keys))  # stable: of equal volumes the first one comes first
    winners = order[np.diff(keys[order], prepend=keys[order[:1]] - 1) != 0]
    chosen = np.zeros(len(keys), dtype=bool)
    chosen[winners] = True
    dropped["same formula and space group as a denser crystal"] = len(keys) - len(winners)
    keep = np.split(chosen, np.cumsum(sizes)[:-1]) if sizes else []
    for source, kept in zip(sources, keep, strict=True):
        counts[source]["kept"] += int(kept.sum())
    return keep, counts, dict(dropped.most_common())


def _select(chunk, chosen):
    """Return the chosen rows of a chunk."""
    of_token = np.repeat(chosen, chunk["lengths"])
    return {
        "identifiers": chunk["identifiers"][chosen],
        "tokens": chunk["tokens"][of_token],
        "distances": chunk["distances"][of_token],
        "ends": np.cumsum(chunk["lengths"][chosen]),
        "geometry": chunk["geometry"][chosen],
    }


def _join(parts):
    """Join rows of several chunks to the arrays of one shard."""
    starts = np.cumsum([0, *(len(part["tokens"]) for part in parts[:-1])])
    ends = [part["ends"] + start for part, start in zip(parts, starts, strict=True)]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return {**joined, "ends": np.concatenate(ends)}


def _write_shard(folder, name, rows):
    """Write one shard, and its identifiers as a text file; return its entry in the manifest."""
    entry = {"name": name, "rows": len(rows["ends"]), "sha256": {}}
    for array in ARRAYS:
        path = folder / f"{name}.{array}.npy"
        np.save(path, rows[array])
        entry["sha256"][array] = sha256_of(path)
    identifiers = "\n".join(rows["identifiers"].tolist()) + "\n"
    (folder / f"{name}.identifiers.txt").write_text(identifiers, encoding="utf-8")
    return entry


def _write_manifest(folder, manifest):
    """Write the manifest, as the last file: a folder without it is not a corpus."""
    manifest = {"format_version": FORMAT_VERSION, **manifest}
    write_text(folder / MANIFEST, json.dumps(manifest, indent=1) + "\n")
