"""Check the example crystals of the package against two independent tables.

    python benchmarks/maintenance/check_example.py

1. Structures: space group and formula as in the table, no two atoms too close.
2. Gaps against the measured gaps of MatBench (`matbench/compositions/matbench_expt_gap.csv.gz`):
   within 0.3 eV or 15 % of a value listed for the composition.
3. Cells against Materials Project crystals (`corpus/mp_structures.tsv.xz`) of the same formula and
   space group: the same arrangement of atoms, and a volume per atom within 8 % (the calculated
   cells are relaxed with a semilocal functional, which overestimates volumes by a few percent).

A disagreement stands only where the `note` of the row explains it ("gap: ..." or "cell: ...").
Prints a line for each crystal and ends with exit status 1 if a disagreement is left unexplained.
"""

import csv
import gzip
import sys
from collections import Counter, defaultdict
from pathlib import Path

from pymatgen.analysis.molecule_structure_comparator import CovalentRadius
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Composition, Structure
from tqdm import tqdm

from sklearn_cloud.datasets import load_example
from sklearn_cloud.pretraining.corpus_sources import read_structure_table

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import argument_parser

GAP_TOLERANCE = 0.3, 0.15  # eV, and share of the listed value
VOLUME_TOLERANCE = 0.08
RMS_TOLERANCE = 0.1  # displacement in units of the mean distance between atoms
DISTANCE_RATIO = 0.7  # of the sum of covalent radii
SYMPREC = 0.05


def check_structure(structure, row):
    """What is wrong with a structure, in words; empty if nothing is."""
    wrong = []
    if structure.composition.reduced_formula != Composition(row.formula).reduced_formula:
        wrong.append(f"formula {structure.composition.reduced_formula}")
    space_group = structure.get_space_group_info(symprec=0.01)[1]
    if space_group != row.space_group:
        wrong.append(f"space group {space_group}")
    if closest_contact(structure) < DISTANCE_RATIO:
        wrong.append("atoms too close")
    return ", ".join(wrong)


def closest_contact(structure):
    """Smallest ratio of a distance to the sum of covalent radii."""
    radii = [CovalentRadius.radius[site.specie.symbol] for site in structure]
    firsts, seconds, _, distances = structure.get_neighbor_list(4.0)
    pairs = zip(firsts, seconds, distances, strict=True)
    return min(distance / (radii[i] + radii[j]) for i, j, distance in pairs)


def read_gaps(path):
    """{reduced formula: [gaps in eV]}."""
    gaps = defaultdict(list)
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            gaps[Composition(row["formula"]).reduced_formula].append(float(row["target"]))
    return gaps


def gap_agrees(gap, listed):
    absolute, relative = GAP_TOLERANCE
    return any(abs(gap - x) <= max(absolute, relative * x) + 1e-9 for x in listed)


def read_cells(path, wanted):
    """{(reduced formula, space group): [structures]} for the formulas wanted."""
    names = {tuple(sorted(Composition(f).reduced_composition.items())): f for f in wanted}
    cells = defaultdict(list)
    for _, crystal in tqdm(read_structure_table(path), desc="reading crystals", unit="crystal"):
        symbols = [next(iter(crystal.species[kind]))[0] for kind in crystal.kinds]
        composition = Composition(Counter(symbols)).reduced_composition
        name = names.get(tuple(sorted(composition.items())))
        if name is not None:
            structure = Structure(crystal.lattice, symbols, crystal.positions)
            cells[name, structure.get_space_group_info(SYMPREC)[1]].append(structure)
    return cells


def compare_cell(structure, candidates):
    """Displacement (None if the arrangement differs) and volume ratio - 1, best candidate."""
    matcher = StructureMatcher(ltol=0.2, stol=0.3, angle_tol=5)
    found = []
    for candidate in candidates:
        match = matcher.get_rms_dist(structure, candidate)
        volume = structure.volume / len(structure) / (candidate.volume / len(candidate)) - 1
        found.append((match is None, match[0] if match else None, volume))
    return min(found, key=lambda f: (f[0], f[1] if f[1] is not None else abs(f[2])))[1:]


def check_row(structure, row, gaps, cells):
    """The cells of one line of the report, and the disagreements that no note explains."""
    formula = Composition(row.formula).reduced_formula
    listed = gaps.get(formula, [])
    candidates = cells.get((formula, row.space_group), [])
    explained = {part.split(":")[0] for part in row.note.split("; ")}
    problems = {"structure": check_structure(structure, row), "gap": "", "cell": ""}
    line = [row.formula, row.prototype, f"{row.band_gap:g}"]
    line.append("/".join(f"{x:g}" for x in listed) or "-")
    if listed and not gap_agrees(row.band_gap, listed):
        problems["gap"] = "gap"
    if candidates:
        rms, volume = compare_cell(structure, candidates)
        line += ["differs" if rms is None else f"{rms:.3f}", f"{100 * volume:+.1f} %"]
        if rms is None or rms > RMS_TOLERANCE or abs(volume) > VOLUME_TOLERANCE:
            problems["cell"] = "cell"
    else:
        line += ["-", "-"]
    left = [text for kind, text in problems.items() if text and kind not in explained]
    noted = [text for kind, text in problems.items() if text and kind in explained]
    verdict = [f"UNEXPLAINED {text}" for text in left] + [f"{text} explained" for text in noted]
    return [*line, ", ".join(verdict) or "ok"], left, noted


def main():
    arguments = argument_parser(__doc__).parse_args()
    if arguments.data_home is None:
        sys.exit("no data folder: pass --data-home or set SKLEARN_CLOUD_DATA")
    gap_table = arguments.data_home / "matbench" / "compositions" / "matbench_expt_gap.csv.gz"
    cell_table = arguments.data_home / "corpus" / "mp_structures.tsv.xz"
    for path in (gap_table, cell_table):
        if not path.is_file():
            sys.exit(f"missing file: {path}")
    example = load_example()
    formulas = {Composition(f).reduced_formula for f in example.frame["formula"]}
    gaps, cells = read_gaps(gap_table), read_cells(cell_table, formulas)
    sys.exit(report(example, gaps, cells))


def report(example, gaps, cells):
    """Print the table and the counts; return the number of unexplained disagreements."""
    form = "{:12s} {:18s} {:>6s} {:>12s} {:>8s} {:>8s}  {}"
    print(form.format("formula", "prototype", "gap", "listed gap", "rms", "volume", "verdict"))
    counts = Counter()
    for structure, row in zip(example.structures, example.frame.itertuples(), strict=True):
        line, left, noted = check_row(structure, row, gaps, cells)
        print(form.format(*line))
        counts["rows"] += 1
        counts["gap compared"] += line[3] != "-"
        counts["cell compared"] += line[4] != "-"
        counts["explained"] += len(noted)
        counts["unexplained"] += len(left)
    print(", ".join(f"{name}: {count}" for name, count in counts.items()))
    return min(counts["unexplained"], 1)


if __name__ == "__main__":
    main()
