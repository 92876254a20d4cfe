"""Do the crystals that were read agree with what their files say of them?

    OMP_NUM_THREADS=1 python benchmarks/tables/cif_agreement.py --data-home DATA

CIF text of `discovery/wbm_10k.csv.gz` (the first so many) and of
`unconventional/cdvae_supercon_*.csv.gz`. Compared are the atoms with `_chemical_formula_sum`, by a
reader of formulas of its own, and the space group that the file names with the one found at a
narrow symprec. The files of both tables list all atoms of the cell and name P1, so pymatgen writes
some again, with the operators of the group that spglib finds.
"""

import csv
import gzip
import re
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from common import argument_parser, parse_arguments, script_provenance, write_json
from pymatgen.core import Structure
from pymatgen.io.cif import CifWriter

from sklearn_cloud.crystals import read_crystal
from sklearn_cloud.symmetry.search import find_symmetry

FORMULA = re.compile(r"^_chemical_formula_sum\s+'?([^'\n]*)'?", re.MULTILINE)
GROUP = re.compile(r"^_(?:symmetry_Int_Tables_number|space_group_IT_number)\s+(\d+)", re.MULTILINE)
COLUMN = "cif"


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--files", type=int, default=2000, help="of the WBM table")
    parser.add_argument("--rewritten", type=int, default=400, help="of each table, by pymatgen")
    parser.add_argument("--symprec", type=float, default=0.01)
    arguments = parse_arguments(parser)
    home = Path(arguments.data_home)
    supercon = sorted((home / "unconventional").glob("cdvae_supercon_*.csv.gz"))
    sources = {
        "wbm": list(texts([home / "discovery" / "wbm_10k.csv.gz"]))[: arguments.files],
        "supercon": list(texts(supercon)),
    }
    for name, cifs in list(sources.items()):
        some = cifs[: arguments.rewritten]
        sources[f"{name}, with operators"] = [write_operators(c, arguments.symprec) for c in some]
    found = {name: compare(cifs, arguments.symprec) for name, cifs in sources.items()}
    content = {**script_provenance(), "symprec": arguments.symprec, "sources": found}
    print(found)
    print(write_json("cif_agreement", content))


def texts(paths):
    for path in paths:
        with gzip.open(path, "rt", newline="") as file:
            yield from (row[COLUMN] for row in csv.DictReader(file))


def write_operators(text, symprec):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of rounded coordinates
        structure = Structure.from_str(text, fmt="cif")
    return str(CifWriter(structure, symprec=symprec))


def compare(cifs, symprec):
    """Counts of files, of those that were read, and of those that agree."""
    counts = dict.fromkeys(["files", "read", "formula", "formula_agrees"], 0)
    counts |= dict.fromkeys(["space_group", "space_group_agrees"], 0)
    counts["unlike"] = []
    for text in cifs:
        counts["files"] += 1
        try:
            crystal = read_crystal(text)
        except ValueError as error:
            counts["unlike"].append(str(error)[:200])
            continue
        counts["read"] += 1
        count(counts, "formula", formula(text), shares(crystal.composition))
        stated = GROUP.search(text)
        if stated and stated[1] != "1":
            number = find_symmetry(crystal, symprec=symprec).number
            count(counts, "space_group", int(stated[1]), number)
    return counts


def count(counts, what, stated, found):
    if stated is None:
        return
    counts[what] += 1
    counts[f"{what}_agrees"] += stated == found
    if stated != found:
        counts["unlike"].append(f"{what}: the file says {stated}, read is {found}")


def formula(text):
    stated = FORMULA.search(text)
    if not stated:
        return None
    pairs = re.findall(r"([A-Z][a-z]?)([\d.]*)", stated[1])
    return shares({element: float(amount or 1) for element, amount in pairs})


def shares(amounts):
    total = sum(amounts.values())
    return {element: round(amount / total, 4) for element, amount in sorted(amounts.items())}


if __name__ == "__main__":
    main()
