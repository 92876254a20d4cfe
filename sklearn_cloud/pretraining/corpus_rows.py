"""Convert crystals to rows of a training corpus: the first pass of `build_corpus`."""

import hashlib
import json
import re
from collections import Counter
from functools import lru_cache

import numpy as np

from ..crystals.crystal import ELEMENT_RANK, Crystal, check_crystal
from ..crystals.geometry import GEOMETRY, describe_geometry
from ..crystals.reading import read_crystal
from ..files import atomic_write
from ..symmetry.search import find_symmetry
from ..symmetry.wyckoff import Orbit, canonical_orbits
from .corpus_sources import Partition, SymmetryRecord
from .language import Described, SymmetryLanguage


def code_chunk(path, source, items, options, digest):
    """Write the rows of some crystals, and why others were dropped, into one file.

    Parameters
    ----------
    path : pathlib.Path
        The file; it appears when it is complete.
    source : int
        Number of the source.
    items : list of (str, crystal, `SymmetryRecord` or Exception), or Partition
    options : dict
        `language`, `sites`, `symprec` and `max_tokens` of `build_corpus`.
    digest : str
        Checksum of the items, kept in the file.
    """
    if isinstance(items, Partition):
        items = items.read()
    rows, dropped = [], Counter()
    for identifier, item in items:
        try:
            row = _code_crystal(item, options)
        except (TypeError, ValueError, OSError) as error:
            # without numbers and names, there are only a few reasons
            dropped[re.sub(r"'[^']*'|[\d.]+", "...", str(error))[:80]] += 1
            continue
        if len(row["tokens"]) > options["max_tokens"]:
            dropped["more tokens than max_tokens"] += 1
        else:
            rows.append({"identifier": identifier, **row})
    with atomic_write(path) as temporary, open(temporary, "wb") as file:
        np.savez(
            file,
            **_stack(rows),
            source=source,
            n_items=len(items),
            dropped=json.dumps(dropped),
            digest=digest,
        )


def _stack(rows):
    """Return rows as a few arrays that `numpy.load` reads without unpickling."""
    empty = np.zeros((0, len(GEOMETRY)), dtype=np.float32)
    return {
        "identifiers": np.array([row["identifier"] for row in rows], dtype=str),
        "keys": np.array([row["key"] for row in rows], dtype=np.uint64),
        "volumes": np.array([row["volume"] for row in rows], dtype=np.float32),
        "lengths": np.array([len(row["tokens"]) for row in rows], dtype=np.int64),
        "tokens": np.concatenate([row["tokens"] for row in rows] or [[]]).astype(np.uint16),
        "distances": np.concatenate([row["distances"] for row in rows] or [[]]).astype(np.float16),
        "geometry": np.stack([row["geometry"] for row in rows]) if rows else empty,
    }


def _code_crystal(item, options):
    """Return token ids, data for the de-duplication, and the geometry if there is one."""
    if isinstance(item, Exception):
        raise item
    geometry, volume, nearest = np.full(len(GEOMETRY), np.nan, dtype=np.float32), np.nan, {}
    crystal, language = None, options["language"]
    if isinstance(item, SymmetryRecord):
        _check_record(item)
        number, composition = item.space_group, item.composition
        orbits = canonical_orbits(number, [(letter, ()) for letter in item.letters])
    else:
        crystal = check_crystal(item) if isinstance(item, Crystal) else read_crystal(item)
        if not isinstance(crystal, Crystal):
            raise ValueError("a composition without a structure")
        composition = crystal.composition
        number, orbits, sites, *_ = find_symmetry(crystal, symprec=options["symprec"])
        geometry, distances = describe_geometry(crystal, options["symprec"])
        volume = float(np.exp(geometry[0]))
        if options["sites"] == "set":
            orbits = [Orbit(orbit.position, ()) for orbit in orbits]
        for orbit, site in zip(orbits, sites, strict=True):
            nearest.setdefault(orbit, []).append(distances[site])
    if not orbits[0].elements:
        orbits = list(dict.fromkeys(orbits))
    tokens = language.encode(Described(number, orbits, composition, crystal, options["symprec"]))
    if not isinstance(language, SymmetryLanguage):
        nearest = {}
    return {
        "key": _key(composition, number),
        "volume": volume,
        "tokens": tokens,
        "distances": _distances_of_tokens(tokens, orbits, nearest),
        "geometry": geometry,
    }


def _check_record(record):
    unknown = set(record.composition) - set(ELEMENT_RANK)
    if unknown:
        raise ValueError(f"not one of the 118 elements: {sorted(unknown)[0]!r}")
    if not record.composition or min(record.composition.values()) <= 0:
        raise ValueError("a composition without atoms")
    if record.space_group not in range(1, 231):
        raise ValueError(f"there is no space group {record.space_group}")
    if not record.letters:
        raise ValueError("a crystal without sites")


def _distances_of_tokens(tokens, orbits, nearest):
    """Return the mean nearest-neighbour distance at each Wyckoff symbol, and NaN elsewhere."""
    distances = np.full(len(tokens), np.nan)
    if nearest:
        groups = list(dict.fromkeys(orbits))
        known = _wyckoff_ids()
        places = [i for i, token in enumerate(tokens) if token in known]
        distances[places] = [np.mean(nearest[group]) for group in groups]
    return distances


@lru_cache(maxsize=1)
def _wyckoff_ids():
    vocabulary = SymmetryLanguage().vocabulary
    return {i for i, token in enumerate(vocabulary) if re.fullmatch(r"\d+[a-zA]", token)}


def _key(composition, space_group):
    """Return 64 bits that identify formula and space group."""
    smallest = min(composition.values())
    formula = sorted((e, float(round(n / smallest, 3))) for e, n in composition.items())
    digest = hashlib.blake2b(repr((formula, int(space_group))).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")
