"""Convert OPTIMADE entries to rows of the Parquet tables, and rows to crystals."""

from datetime import datetime
from urllib.parse import quote

import numpy as np

from ..crystals.crystal import ELEMENT_RANK, Crystal

# The sites of these structures do not define their composition. Disorder is allowed.
INCOMPLETE_FEATURES = (
    "assemblies",
    "implicit_atoms",
    "site_attachments",
    "unknown_positions",
)
SMALLEST_VOLUME = 1e-3  # cubic angstrom
GEOMETRY = ["lattice_vectors", "cartesian_site_positions", "species_at_sites", "species"]


def schema():
    """Return the columns of the Parquet files; lengths in angstrom."""
    import pyarrow as pa

    vectors = pa.list_(pa.list_(pa.float64(), 3))
    species = [
        ("name", pa.string()),
        ("chemical_symbols", pa.list_(pa.string())),
        ("concentration", pa.list_(pa.float64())),
    ]
    return pa.schema(
        [
            ("id", pa.string()),
            ("provider", pa.string()),
            ("database", pa.string()),
            ("chemical_formula_reduced", pa.string()),
            ("lattice_vectors", vectors),
            ("cartesian_site_positions", vectors),
            ("species_at_sites", pa.list_(pa.string())),
            ("species", pa.list_(pa.struct(species))),
            ("nperiodic_dimensions", pa.int8()),
            ("last_modified", pa.timestamp("us", tz="UTC")),
            ("licence", pa.string()),
            ("source_url", pa.string()),
            ("problem", pa.string()),
        ]
    )


class NoCrystal(Exception):
    """Raised if an entry does not describe a crystal; the message has the reason."""


def make_row(identifier, attributes, origin):
    """Return the row of the table for one entry.

    Parameters
    ----------
    identifier : str
        Its id.
    attributes : object
        Its properties, from the server.
    origin : dict
        `base_url`, `provider` and `licence` of the database.

    Returns
    -------
    dict
        By column. If the entry is not a crystal, `problem` is the reason, and there is no geometry.
    """
    attributes = attributes if isinstance(attributes, dict) else {}
    row = dict(
        id=identifier,
        provider=origin["provider"],
        database=origin["base_url"],
        licence=origin["licence"],
        source_url=f"{origin['base_url']}/v1/structures/{quote(identifier, safe='')}",
        chemical_formula_reduced=_text(attributes.get("chemical_formula_reduced")),
        last_modified=_time(attributes.get("last_modified")),
        problem=None,
    )
    try:
        return row | _read_geometry(attributes)
    except NoCrystal as reason:
        return row | {"problem": str(reason)}
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return row | {"problem": "malformed"}


def _text(value):
    return value if isinstance(value, str) else None


def _time(value):
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _read_geometry(attributes):
    features = attributes.get("structure_features") or []
    for feature in INCOMPLETE_FEATURES:
        if feature in features:
            raise NoCrystal(feature)
    dimensions = _periodic_dimensions(attributes)
    lattice = _read_vectors(attributes.get("lattice_vectors"), "no cell vectors")
    if len(lattice) != 3 or abs(np.linalg.det(lattice)) < SMALLEST_VOLUME:
        raise NoCrystal("a cell without volume")
    positions = _read_vectors(attributes.get("cartesian_site_positions"), "no positions")
    names = attributes.get("species_at_sites") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError("species_at_sites must be a list of names")
    announced = attributes.get("nsites")
    if len(names) != len(positions) or announced not in (None, len(names)):
        raise NoCrystal("sites are missing")
    return dict(
        lattice_vectors=lattice.tolist(),
        cartesian_site_positions=positions.tolist(),
        species_at_sites=names,
        species=_read_species(names, attributes.get("species")),
        nperiodic_dimensions=dimensions,
    )


def _periodic_dimensions(attributes):
    """Return 2 or 3; layers count as crystals, as their databases give a cell with vacuum."""
    dimensions = attributes.get("nperiodic_dimensions")
    if dimensions is None:
        dimensions = sum(attributes.get("dimension_types") or (1, 1, 1))
    if dimensions not in (2, 3):
        raise NoCrystal("a molecule or a chain")
    return int(dimensions)


def _read_vectors(value, reason):
    if not value:
        raise NoCrystal(reason)
    vectors = np.array(value, dtype=float)  # null becomes nan
    if vectors.ndim != 2 or vectors.shape[1] != 3 or not np.isfinite(vectors).all():
        raise NoCrystal(reason)
    return vectors


def _read_species(names, listed):
    """Return the species that occur: name, elements and occupancies, without vacancies."""
    if listed is None:  # then the names are elements
        listed = [dict(name=name, chemical_symbols=[name]) for name in names]
    described = {specie["name"]: specie for specie in listed}
    return [_read_specie(described[name]) for name in dict.fromkeys(names)]


def _read_specie(specie):
    symbols = specie["chemical_symbols"]
    shares = specie.get("concentration") or [1.0] * (len(symbols) == 1)
    if specie.get("attached"):
        raise NoCrystal("site_attachments")
    held = {}
    for symbol, share in zip(symbols, shares, strict=True):
        if symbol != "vacancy":
            held[symbol] = held.get(symbol, 0.0) + float(share)
    if not held or not ELEMENT_RANK.keys() >= held.keys():
        raise NoCrystal("species that are not elements")
    if not min(held.values()) > 0 or not sum(held.values()) <= 1.001:
        raise NoCrystal("occupancies that are not in (0, 1]")
    return dict(
        name=specie["name"],
        chemical_symbols=list(held),
        concentration=list(held.values()),
    )


def make_crystal(row):
    """Return the crystal of a row with geometry."""
    held = {specie["name"]: _held(specie) for specie in row["species"]}
    index = {content: kind for kind, content in enumerate(dict.fromkeys(held.values()))}
    lattice = np.array(row["lattice_vectors"], dtype=float)
    return Crystal(
        lattice,
        np.array(row["cartesian_site_positions"], dtype=float) @ np.linalg.inv(lattice),
        np.array([index[held[name]] for name in row["species_at_sites"]], dtype=np.int32),
        tuple(index),
    )


def _held(specie):
    return tuple(sorted(zip(specie["chemical_symbols"], specie["concentration"])))
