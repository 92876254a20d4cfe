"""Voronoi tessellation features of Ward et al."""

from functools import lru_cache

import numpy as np

from ..crystals.crystal import ELEMENT_RANK
from .base import CrystalFeatures, fractions_of, import_matminer
from .magpie import MagpieFeatures, magpie_properties, magpie_statistics, magpie_table
from .tessellation import tessellate

_STATISTICS = ("minimum", "maximum", "range", "mean", "average deviation")
_SHELLS = (1, 2, 3)


class VoronoiFeatures(CrystalFeatures):
    """Transform crystals to features of their Voronoi cells and their composition.

    The attributes of Ward et al. [1]_: statistics over the sites of the effective coordination
    number and of the differences of elemental properties between neighbours, weighted by the faces
    between them; variation of bond lengths and cell sizes; ordering of the first three shells of
    neighbours; packing efficiency; and, for the composition, Magpie statistics, stoichiometric
    norms, valence electrons and ionicity.

    Parameters
    ----------
    on_error : {"raise", "warn"}, default="raise"
        How to handle rows that are not crystals or have no features. `"warn"` makes their
        features NaN and lists the rows in one `UserWarning`.
    n_jobs : int, default=None
        Number of joblib workers; None means 1 unless in a `joblib.parallel_config` context.
    verbose : int, default=0
        If not 0, show a progress bar.

    See Also
    --------
    GeometryFeatures : Fewer and simpler features.

    Notes
    -----
    The features are those of matminer's featurizers CoordinationNumber (Voronoi, effective),
    StructuralHeterogeneity, ChemicalOrdering, MaximumPackingEfficiency, LocalPropertyDifference,
    Stoichiometry, ElementProperty ("magpie"), ValenceOrbital and IonProperty (one oxidation
    state per element), with the tables of elements of matminer (`pip install
    'sklearn-cloud[baselines]'`). The structural ones are computed from one tessellation with
    complete cells; with a fixed cutoff of 13 angstrom, those of layered crystals would be open.
    Disordered sites have no single element to compare and raise an error.

    References
    ----------
    .. [1] L. Ward et al., "Including crystal structure attributes in machine learning models of
       formation energies via Voronoi tessellations", Physical Review B 96, 024104 (2017).
       doi:10.1103/PhysRevB.96.024104

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.features import VoronoiFeatures
    >>> cscl = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> features = VoronoiFeatures().set_output(transform="pandas")
    >>> features.fit_transform([cscl])["packing efficiency"].round(3).tolist()  # bcc
    [0.68]
    """

    def _names(self):
        return [*_structure_names(), *MagpieFeatures().get_feature_names_out(), *_ward_names()]

    def _describe(self, crystal):
        elements = _site_elements(crystal)
        faces = tessellate(crystal)
        return [
            *_coordination(faces),
            *_heterogeneity(faces),
            *_ordering(faces, elements),
            _packing(faces, crystal),
            *_property_differences(faces, elements),
            *magpie_statistics(fractions_of(crystal)),
            *_composition_numbers(tuple(sorted(crystal.composition.items()))),
        ]


def _structure_names():
    return [
        *(f"{statistic} effective coordination number" for statistic in _STATISTICS),
        "average deviation bond length",
        "maximum bond length",
        "minimum bond length",
        *(f"{statistic} bond length variation" for statistic in _STATISTICS),
        "average deviation cell volume",
        *(f"ordering of shell {shell}" for shell in _SHELLS),
        "packing efficiency",
        *(
            f"{statistic} local difference {name}"
            for name in magpie_properties()
            for statistic in _STATISTICS
        ),
    ]


def _statistics(values):
    """Return statistics of each column over the sites, shape (n_columns * 5,)."""
    lowest, highest, mean = values.min(axis=0), values.max(axis=0), values.mean(axis=0)
    deviation = np.abs(values - mean).mean(axis=0)
    return np.stack([lowest, highest, highest - lowest, mean, deviation], axis=-1).ravel()


def _site_elements(crystal):
    """Return the rank of the element on each site."""
    for species in crystal.species:
        if len(species) > 1:
            held = ", ".join(f"{element} {occupancy:g}" for element, occupancy in species)
            raise ValueError(
                f"a site is disordered ({held}), but Voronoi features need one element per site: "
                "order the structure, or use MagpieFeatures and GeometryFeatures"
            )
    return np.array([ELEMENT_RANK[species[0][0]] for species in crystal.species])[crystal.kinds]


def _per_site(faces, values):
    """Return sums over the faces of each site."""
    return np.bincount(faces.center, values)


def _coordination(faces):
    areas = _per_site(faces, faces.area)
    return _statistics(areas**2 / _per_site(faces, faces.area**2))


def _heterogeneity(faces):
    """Return the variation of bond lengths between and around sites, and of cell volumes."""
    areas = _per_site(faces, faces.area)
    lengths = _per_site(faces, faces.area * faces.distance) / areas
    off = np.abs(faces.distance - lengths[faces.center])
    variations = _per_site(faces, faces.area * off) / areas / lengths
    lengths = lengths / lengths.mean()
    volumes = _per_site(faces, faces.area * faces.distance)
    return [
        np.abs(lengths - lengths.mean()).mean(),
        lengths.max(),
        lengths.min(),
        *_statistics(variations),
        np.abs(volumes - volumes.mean()).mean() / volumes.mean(),
    ]


def _packing(faces, crystal):
    """Return the share of the volume in the largest spheres inside the cells."""
    nearest = np.full(len(crystal.kinds), np.inf)
    np.minimum.at(nearest, faces.center, faces.distance)
    return np.pi / 6 * (nearest**3).sum() / abs(np.linalg.det(crystal.lattice))


def _property_differences(faces, elements):
    properties = magpie_table()[elements]
    differences = np.abs(properties[faces.neighbor] - properties[faces.center])
    weighted = np.zeros((len(elements), properties.shape[1]))
    np.add.at(weighted, faces.center, faces.area[:, None] * differences)
    return _statistics(weighted / _per_site(faces, faces.area)[:, None])


def _ordering(faces, elements):
    """Return Warren-Cowley parameters of the shells: the mean of |1 - share / x|.

    A shell is reached by walks over faces that visit no site twice; the weight of a walk is the
    product of the areas of its faces, each relative to the largest of its cell.
    """
    kinds, kind = np.unique(elements, return_inverse=True)
    if len(kinds) == 1:
        return [0.0] * len(_SHELLS)
    fractions = np.bincount(kind) / len(kind)
    shells = _shell_weights(faces, kind, len(kinds))
    return [
        np.abs(1 - shell / shell.sum(axis=1, keepdims=True) / fractions).mean() for shell in shells
    ]


def _shell_weights(faces, kind, n_kinds):
    """Return the weight of each kind of site in the first three shells, each (n_sites, n_kinds)."""
    largest = np.zeros(len(kind))
    np.maximum.at(largest, faces.center, faces.area)
    weight = faces.area / largest[faces.center]
    back = faces.area / largest[faces.neighbor]  # of the same face, from the other side
    is_kind = np.eye(n_kinds)[kind]

    first, second, third = (np.zeros((len(kind), n_kinds)) for _ in _SHELLS)
    np.add.at(first, faces.center, weight[:, None] * is_kind[faces.neighbor])
    # what lies behind a face, apart from the site that it is seen from
    onward = first[faces.neighbor] - back[:, None] * is_kind[faces.center]
    np.add.at(second, faces.center, weight[:, None] * onward)

    starts = np.searchsorted(faces.center, np.arange(len(kind) + 1))
    for site in range(len(kind)):
        own = slice(starts[site], starts[site + 1])
        direct = {
            (neighbor, *image): weight_back
            for neighbor, image, weight_back in zip(
                faces.neighbor[own].tolist(), faces.image[own].tolist(), back[own], strict=True
            )
        }
        for step in range(own.start, own.stop):
            middle = faces.neighbor[step]
            steps = slice(starts[middle], starts[middle + 1])
            ends, images = faces.neighbor[steps], faces.image[steps] + faces.image[step]
            returns = (ends == site) & ~images.any(axis=1)
            weights = weight[step] * np.where(returns, 0.0, weight[steps])
            third[site] += weights @ onward[steps]
            # the last step must not lead to the start either, if a face joins the two
            keys = zip(ends.tolist(), *images.T.tolist(), strict=True)
            home = np.array([direct.get(key, 0.0) for key in keys])
            third[site, kind[site]] -= weights @ home
    return first, second, third


@lru_cache(maxsize=1)
def _ward_featurizers():
    composition = import_matminer("featurizers.composition")
    return (
        composition.Stoichiometry(),
        composition.ValenceOrbital(),
        composition.IonProperty(fast=True),
    )


def _ward_names():
    return [name for featurizer in _ward_featurizers() for name in featurizer.feature_labels()]


@lru_cache(maxsize=1 << 14)
def _composition_numbers(amounts):
    from pymatgen.core import Composition

    composition = Composition(dict(amounts)).reduced_composition
    return tuple(
        number for featurizer in _ward_featurizers() for number in featurizer.featurize(composition)
    )
