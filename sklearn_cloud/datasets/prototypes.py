"""Crystal prototypes: their occupied sites as functions of a few free coordinates."""

import functools
from fractions import Fraction

import numpy as np

# name: (Hall number of the setting in spglib's database, sites). Each site is a slot for an
# element (A, B, ...) and the x y z of one representative of its orbit, in fractions of the
# conventional cell; a letter with an optional number or second letter is a free coordinate.
PROTOTYPES = {
    "diamond": (525, "A 0 0 0"),
    "zincblende": (512, "A 0 0 0; B 1/4 1/4 1/4"),
    "wurtzite": (480, "A 1/3 2/3 0; B 1/3 2/3 u"),
    "4H-SiC": (480, "A 0 0 0; A 1/3 2/3 1/4; B 0 0 u; B 1/3 2/3 v"),
    "hexagonal BN": (488, "A 1/3 2/3 1/4; B 1/3 2/3 3/4"),
    "rocksalt": (523, "A 0 0 0; B 1/2 1/2 1/2"),
    "CsCl": (517, "A 0 0 0; B 1/2 1/2 1/2"),
    "NiAs": (488, "A 0 0 0; B 1/3 2/3 1/4"),
    "fluorite": (523, "A 0 0 0; B 1/4 1/4 1/4"),
    "antifluorite": (523, "A 1/4 1/4 1/4; B 0 0 0"),
    "half-Heusler": (512, "A 0 0 0; B 1/4 1/4 1/4; C 1/2 1/2 1/2"),
    "full-Heusler": (523, "A 0 0 0; B 1/2 1/2 1/2; C 1/4 1/4 1/4"),
    "elpasolite": (523, "A 0 0 0; B 1/2 1/2 1/2; C 1/4 1/4 1/4; D u 0 0"),
    "K2PtCl6": (523, "A 0 0 0; B 1/4 1/4 1/4; C u 0 0"),
    "cuprite": (522, "A 0 0 0; B 1/4 1/4 1/4"),
    "tenorite": (90, "A 1/4 1/4 0; B 0 y 1/4"),
    "rutile": (419, "A 0 0 0; B u u 0"),
    "anatase": (427, "A 0 3/4 1/8; B 0 3/4 z"),
    "baddeleyite": (81, "A xa ya za; B x1 y1 z1; B x2 y2 z2"),
    "corundum": (460, "A 0 0 z; B x 0 1/4"),
    "bixbyite": (502, "A 1/4 1/4 1/4; A xa 0 1/4; B x y z"),
    "anti-bixbyite": (502, "A 1/4 1/4 1/4; A xa 0 1/4; B x y z"),
    "La2O3": (456, "A 1/3 2/3 za; B 0 0 0; B 1/3 2/3 z"),
    "beta-Ga2O3": (63, "A xa 0 za; A xb 0 zb; B x1 0 z1; B x2 0 z2; B x3 0 z3"),
    "spinel": (526, "A 1/8 1/8 1/8; B 1/2 1/2 1/2; C u u u"),
    "perovskite": (517, "A 1/2 1/2 1/2; B 0 0 0; C 1/2 0 0"),
    "BaTiO3": (376, "A 0 0 0; B 1/2 1/2 zb; C 1/2 1/2 z1; C 1/2 0 z2"),
    "KNbO3": (185, "A 0 0 za; B 1/2 0 1/2; C 0 0 z1; C 1/2 y z2"),
    "LaAlO3": (460, "A 0 0 1/4; B 0 0 0; C x 0 1/4"),
    "GdFeO3": (292, "A xa 1/4 za; B 0 0 1/2; C x1 1/4 z1; C x2 y2 z2"),
    "LiNbO3": (452, "A 0 0 za; B 0 0 0; C x y z"),
    "V2O5": (279, "A xa 1/4 za; B x1 1/4 z1; B x2 1/4 z2; B 1/4 1/4 z3"),
    "quartz": (443, "A xa 0 2/3; B x y z"),
    "litharge": (409, "A 3/4 1/4 0; B 1/4 1/4 z"),
    "massicot": (269, "A x y 1/4; B x1 y1 1/4"),
    "montroydite": (292, "A xa 1/4 za; B x1 1/4 z1"),
    "alpha-Bi2O3": (81, "A xa ya za; A xb yb zb; B x1 y1 z1; B x2 y2 z2; B x3 y3 z3"),
    "calcite": (460, "A 0 0 0; B 0 0 1/4; C x 0 1/4"),
    "zircon": (427, "A 0 3/4 1/8; B 0 1/4 3/8; C 0 y z"),
    "scheelite": (364, "A 0 0 1/2; B 0 0 0; C x y z"),
    "clinobisvanite": (98, "A 0 1/4 za; B 0 1/4 zb; C x1 y1 z1; C x2 y2 z2"),
    "wolframite": (72, "A 1/2 ya 1/4; B 0 yb 1/4; C x1 y1 z1; C x2 y2 z2"),
    "delafossite": (458, "A 0 0 0; B 0 0 1/2; C 0 0 z"),
    "alpha-NaFeO2": (458, "A 0 0 1/2; B 0 0 0; C 0 0 z"),
    "garnet": (530, "A 1/8 0 1/4; B 0 0 0; C 3/8 0 1/4; D x y z"),
    "chalcopyrite": (399, "A 0 0 0; B 0 0 1/2; C u 1/4 1/8"),
    "kesterite": (356, "A 0 0 0; A 0 1/2 1/4; B 1/2 0 1/4; C 0 0 1/2; D x y z"),
    "sulvanite": (511, "A 0 0 0; B 1/2 0 0; C u u u"),
    "thiogallate": (356, "A 0 0 0; B 0 0 1/2; B 0 1/2 1/4; C x y z"),
    "MoS2": (488, "A 1/3 2/3 1/4; B 1/3 2/3 z"),
    "CdI2": (456, "A 0 0 0; B 1/3 2/3 z"),
    "CdCl2": (458, "A 0 0 0; B 0 0 z"),
    "HgI2": (420, "A 0 0 0; B 0 1/2 z"),
    "BiI3": (436, "A 0 0 1/3; B x y z"),
    "GaS": (488, "A 1/3 2/3 za; B 1/3 2/3 z"),
    "TlSe": (425, "A 0 0 1/4; B 0 1/2 1/4; C u v 0"),
    "tetradymite": (458, "A 0 0 za; B 0 0 0; C 0 0 z"),
    "stibnite": (294, "A xa ya 1/4; A xb yb 1/4; B x1 y1 1/4; B x2 y2 1/4; B x3 y3 1/4"),
    "cinnabar": (441, "A xa 0 1/3; B x 0 5/6"),
    "selenium": (441, "A x 0 1/3"),
    "iodine": (304, "A 0 y z"),
    "black phosphorus": (304, "A 0 y z"),
    "GeS": (292, "A xa 1/4 za; B x 1/4 z"),
    "TlI": (298, "A 0 ya 1/4; B 0 y 1/4"),
    "matlockite": (409, "A 1/4 1/4 za; B 3/4 1/4 0; C 1/4 1/4 z"),
    "SbSI": (297, "A xa ya 1/4; B x1 y1 1/4; C x2 y2 1/4"),
    "pyrite": (501, "A 0 0 0; B u u u"),
    "marcasite": (275, "A 0 0 0; B x y 0"),
    "skutterudite": (500, "A 1/4 1/4 1/4; B 0 y z"),
    "CdSb": (290, "A xa ya za; B x y z"),
    "Mg3Sb2": (456, "A 0 0 0; A 1/3 2/3 za; B 1/3 2/3 z"),
    "Na3As": (488, "A 0 0 1/4; A 1/3 2/3 za; B 1/3 2/3 1/4"),
    "Li3N": (485, "A 0 0 1/2; A 1/3 2/3 0; B 0 0 0"),
    "beta-FeSi2": (304, "A xa 0 0; A 0 yb zb; B x1 y1 z1; B x2 y2 z2"),
    "BaSi2": (292, "A xa 1/4 za; A xb 1/4 zb; B x1 1/4 z1; B x2 1/4 z2; B x3 y3 z3"),
    "acanthite": (82, "A xa ya za; A xb yb zb; B x y z"),
    "ZrSe3": (60, "A xa 1/4 za; B x1 1/4 z1; B x2 1/4 z2; B x3 1/4 z3"),
    "Nd2CuO4": (424, "A 0 0 z; B 0 0 0; C 0 1/2 0; C 0 1/2 1/4"),
}


def build_prototype(name, species, coordinates):
    """Return elements and positions of all atoms in the conventional cell of a prototype.

    Parameters
    ----------
    name : str
        Name of the prototype.
    species : list of str
        Element of each slot: A, B, ...
    coordinates : dict of str to float
        Values of the free coordinates.

    Returns
    -------
    elements : list of str of length n_atoms
    positions : ndarray of shape (n_atoms, 3)
        Fractional coordinates in [0, 1).
    """
    hall_number, sites = PROTOTYPES[name]
    elements, positions = [], []
    for site in sites.split("; "):
        slot, *xyz = site.split()
        point = [coordinates[c] if c in coordinates else float(Fraction(c)) for c in xyz]
        orbit = _expand_orbit(np.array(point), *_operations(hall_number))
        elements += [species[ord(slot) - ord("A")]] * len(orbit)
        positions.append(orbit)
    return elements, np.concatenate(positions)


@functools.cache
def _operations(hall_number):
    import spglib

    operations = spglib.get_symmetry_from_database(hall_number)
    return operations["rotations"], operations["translations"]


def _expand_orbit(point, rotations, translations):
    images = np.mod(rotations @ point + translations, 1.0)
    # images that differ by rounding are one atom, also 0 and 0.999...
    _, first = np.unique(np.mod(images.round(5), 1.0), axis=0, return_index=True)
    return np.mod(images[np.sort(first)].round(10), 1.0)
