"""Statistics of the bonds of a crystal: coordination, lengths, elements and directions.

Two atoms are bonded more strongly the closer they are, compared with the sum of their covalent
radii: the weight of a neighbour at relative distance q is ``exp(1 - (q / m)**6)``, where m is the
mean over all neighbours with these weights (R. Hoppe, Z. Kristallogr. 150, 23 (1979), here with
relative distances).
"""

import numpy as np

from .bond_elements import bond_properties
from .cells import primitive_cell
from .neighbours import find_neighbours

_CUTOFF = 8.0  # angstrom
_SMALLEST_WEIGHT = 1e-3
_ROUNDS = 8  # of Hoppe's weighted mean, which converges fast
_SOFTNESS = 0.37  # angstrom, of the bond valence
#: Of each site; their mean, deviation, minimum and maximum over the sites are features.
SITE = (
    "coordination number",
    "bond length",
    "relative bond length",
    "deviation of bond lengths",
    "electronegativity difference",
    "electronegativity of neighbours",
    "Mendeleev difference",
    "group of neighbours",
    "period of neighbours",
    "off-centring",
    "smallest direction",
    "largest direction",
    "bond valence",
    "shortest relative length",
    "ionic strength",
    "unlike neighbours",
)
#: Edges of the histogram of relative distances.
EDGES = (0.0, 0.9, 1.0, 1.1, 1.2, 1.35, 1.5, 1.7, 1.9, 2.1)
STATISTICS = ("mean", "deviation", "minimum", "maximum")
#: Of the whole crystal.
WHOLE = (
    *(f"bond density {axis}" for axis in ("lowest", "middle", "highest")),
    *(f"stiffness {axis}" for axis in ("lowest", "middle", "highest")),
    "stiffness anisotropy",
    "packing of covalent radii",
    "packing of calculated radii",
    "valence electrons per volume",
    "bond valence per volume",
    "bonds per volume",
    "widest gap",
    "cell thickness",
    *(f"pairs {low:g}-{high:g}" for low, high in zip(EDGES, EDGES[1:], strict=False)),
)
#: Names of all statistics, and of those that networks read next to a string.
BOND_STATISTICS = (*(f"{kind} {name}" for kind in STATISTICS for name in SITE), *WHOLE)
BOND_NUMBERS = (*(f"mean {name}" for name in SITE), *WHOLE[: 1 - len(EDGES)])
IS_BOND_NUMBER = np.isin(BOND_STATISTICS, BOND_NUMBERS)


def describe_bonds(crystal, symprec):
    """Return the statistics of the bonds of a crystal.

    Parameters
    ----------
    crystal : Crystal
    symprec : float
        Tolerance of the search for the primitive cell, in angstrom.

    Returns
    -------
    ndarray of shape (87,), float64
        In the order of `BOND_STATISTICS`; lengths in angstrom, volumes in cubic angstrom. NaN
        where a site has no neighbour within 8 angstrom.

    Raises
    ------
    ValueError
        If there is no primitive cell at this tolerance.
    """
    lattice, positions, kinds = primitive_cell(crystal, symprec)
    elements = [max(species, key=lambda one: one[1])[0] for species in crystal.species]
    properties = bond_properties(tuple(elements[kind] for kind in kinds))
    points = np.mod(positions, 1.0) @ lattice
    pairs = _Pairs(find_neighbours(points, lattice, _CUTOFF), properties["covalent"])
    if not pairs.complete:
        return np.full(len(BOND_STATISTICS), np.nan)
    sites = _describe_sites(pairs, properties)
    statistics = [f(sites, axis=0) for f in (np.mean, np.std, np.min, np.max)]
    whole = _describe_whole(pairs, properties, lattice, positions, sites)
    return np.concatenate([*statistics, whole])


def bond_numbers(crystal, symprec):
    """Return the statistics named in `BOND_NUMBERS`, as `describe_bonds` does."""
    return describe_bonds(crystal, symprec)[IS_BOND_NUMBER]


class _Pairs:
    """Bonds with their weights, and all distances in units of the covalent radii."""

    def __init__(self, found, covalent):
        self.n_sites = len(covalent)
        sums = covalent[found.centers] + covalent[found.neighbors]
        self.relative_distances = relative = found.distances / sums
        nearest = np.full(self.n_sites, np.inf)
        np.minimum.at(nearest, found.centers, relative)
        self.nearest = nearest
        self.complete = bool(np.isfinite(nearest).all())
        if not self.complete:
            return
        mean = nearest
        for _ in range(_ROUNDS):
            weights = np.exp(1 - (relative / mean[found.centers]) ** 6)
            mean = np.bincount(found.centers, weights * relative) / np.bincount(
                found.centers, weights
            )
        weights = np.exp(1 - (relative / mean[found.centers]) ** 6)
        kept = weights > _SMALLEST_WEIGHT
        self.weights, self.centers = weights[kept], found.centers[kept]
        self.neighbors, self.distances = found.neighbors[kept], found.distances[kept]
        self.relative, self.sums = relative[kept], sums[kept]
        self.directions = found.vectors[kept] / self.distances[:, None]
        self.coordination = np.bincount(self.centers, self.weights)

    def total(self, values):
        """Sum of a property of the bonds, for each site."""
        return np.bincount(self.centers, values, self.n_sites)

    def mean(self, values):
        """Weighted mean of a property of the bonds, for each site."""
        return self.total(self.weights * values) / self.coordination

    def difference(self, values):
        """Neighbour minus center."""
        return values[self.neighbors] - values[self.centers]


def _describe_sites(pairs, properties):
    """Return the features of `SITE`, shape (n_sites, 16)."""
    electronegativity = pairs.difference(properties["electronegativity"])
    length = pairs.mean(pairs.distances)
    variance = np.maximum(pairs.mean(pairs.distances**2) - length**2, 0)
    directions = pairs.directions
    off_centre = np.stack([pairs.mean(directions[:, k]) for k in range(3)], axis=1)
    products = directions[:, :, None] * directions[:, None]
    spread = np.stack([pairs.mean(p) for p in products.reshape(-1, 9).T], axis=1)
    along = np.linalg.eigvalsh(spread.reshape(-1, 3, 3))
    columns = [
        pairs.coordination,
        length,
        pairs.mean(pairs.relative),
        np.sqrt(variance) / length,
        pairs.mean(np.abs(electronegativity)),
        pairs.mean(electronegativity),
        pairs.mean(np.abs(pairs.difference(properties["mendeleev"]))),
        pairs.mean(properties["group"][pairs.neighbors]),
        pairs.mean(properties["period"][pairs.neighbors]),
        np.linalg.norm(off_centre, axis=1),
        along[:, 0],
        along[:, 2],
        _bond_valence(pairs),
        pairs.nearest,
        pairs.total(pairs.weights * np.abs(electronegativity) / pairs.distances),
        pairs.mean((pairs.difference(properties["number"]) != 0).astype(float)),
    ]
    return np.column_stack(columns)


def _bond_valence(pairs):
    return pairs.total(np.exp((pairs.sums - pairs.distances) / _SOFTNESS))


def _describe_whole(pairs, properties, lattice, positions, sites):
    """Return the features of `WHOLE`."""
    volume = abs(np.linalg.det(lattice))
    density = np.linalg.eigvalsh(_tensor(pairs, pairs.weights * pairs.distances**2) / volume)
    stiffness = np.linalg.eigvalsh(_tensor(pairs, pairs.weights / pairs.distances**2) / volume)
    reciprocal = np.linalg.norm(np.linalg.inv(lattice), axis=0)
    histogram = np.histogram(pairs.relative_distances, bins=EDGES)[0] / pairs.n_sites
    return [
        *density,
        *stiffness,
        stiffness[0] / stiffness[2],
        _packing(properties["covalent"], volume),
        _packing(properties["calculated"], volume),
        properties["valence"].sum() / volume,
        sites[:, SITE.index("bond valence")].sum() / volume,
        sites[:, SITE.index("coordination number")].sum() / volume,
        max(_gap(x) / r for x, r in zip(positions.T, reciprocal, strict=True)),
        1 / reciprocal.max(),
        *histogram,
    ]


def _tensor(pairs, strengths):
    """Sum over the bonds of strength times direction times direction, shape (3, 3)."""
    return np.einsum("n,ni,nj->ij", strengths, pairs.directions, pairs.directions)


def _packing(radii, volume):
    return 4 / 3 * np.pi * (radii**3).sum() / volume


def _gap(fractions):
    """Largest interval of fractional coordinates without an atom, periodic."""
    ordered = np.sort(np.mod(fractions, 1.0))
    return np.diff(np.append(ordered, ordered[0] + 1)).max()
