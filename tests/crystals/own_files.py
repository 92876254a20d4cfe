"""Small crystals in the files that people have."""

import gzip
import json

from pymatgen.core import Lattice, Structure


def cscl(cation, anion="Cl", a=4.0):
    return Structure(Lattice.cubic(a), [cation, anion], [[0, 0, 0], [0.5, 0.5, 0.5]])


def write_json(path, content):
    text = json.dumps(content)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def optimade(cation):
    """An entry as a server of OPTIMADE sends it."""
    crystal = cscl(cation)
    elements = [site.species_string for site in crystal]
    return {
        "id": f"odbx/{cation}",
        "type": "structures",
        "attributes": {
            "lattice_vectors": crystal.lattice.matrix.tolist(),
            "cartesian_site_positions": crystal.cart_coords.tolist(),
            "species_at_sites": elements,
            "species": [
                {"name": e, "chemical_symbols": [e], "concentration": [1.0]} for e in elements
            ],
            "nsites": 2,
            "_odbx_gap": 1.5,
        },
    }


def jarvis(cation):
    """A row of the tables of JARVIS."""
    crystal = cscl(cation)
    return {
        "jid": f"JVASP-{cation}",
        "formation_energy_peratom": -1.0,
        "atoms": {
            "lattice_mat": crystal.lattice.matrix.tolist(),
            "coords": crystal.frac_coords.tolist(),
            "elements": [site.species_string for site in crystal],
            "cartesian": False,
            "props": ["", ""],
        },
    }
