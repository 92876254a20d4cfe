"""Predicted bulk moduli of elements and alkali halides next to measured ones.

    python benchmarks/tables/handbook.py
    python benchmarks/tables/handbook.py --folder predictors/bulk_modulus

Lattice parameters (angstrom) and moduli (GPa) at low or room temperature are those of C. Kittel,
Introduction to Solid State Physics, 8th edition: table 3 of chapter 1, tables 3 and 7 of chapter 3;
for diamond the modulus is 443 GPa, from ultrasound. The values were entered by hand and have not
been proofread against the book. Writes
`benchmarks/results/handbook_bulk_moduli.json`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from pymatgen.core import Lattice, Structure

from sklearn_cloud.predictors import load_predictor

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is
from common import script_provenance, write_json  # noqa: E402

ELEMENTS = {
    "Fm-3m": "Al 4.05 72.2, Cu 3.61 137, Ag 4.09 100.7, Au 4.08 173.2, Ni 3.52 186, Pd 3.89 180.8, "
    "Pt 3.92 278.3, Pb 4.95 43.0, Ir 3.84 355, Rh 3.80 270.4, Ca 5.58 15.2, Sr 6.08 11.6",
    "Im-3m": "Fe 2.87 168.3, Cr 2.88 190.1, Mo 3.15 272.5, W 3.16 323.2, V 3.03 161.9, "
    "Nb 3.30 170.2, Ta 3.30 200, Na 4.225 6.8, K 5.225 3.2, Li 3.491 11.6, Rb 5.585 3.1, "
    "Cs 6.045 2.0, Ba 5.02 10.3",
    "Fd-3m": "C 3.567 443, Si 5.430 98.8, Ge 5.658 77.2",
}
#: Distance of the neighbours instead of the lattice parameter.
HALIDES = (
    "Li F 2.014 67.1, Li Cl 2.570 29.8, Li Br 2.751 23.8, Li I 3.000 17.1, Na F 2.317 46.5, "
    "Na Cl 2.820 24.0, Na Br 2.989 19.9, Na I 3.237 15.1, K F 2.674 30.5, K Cl 3.147 17.4, "
    "K Br 3.298 14.8, K I 3.533 11.7, Rb F 2.815 26.2, Rb Cl 3.291 15.6, Rb Br 3.445 13.0, "
    "Rb I 3.671 10.6"
)


def read_tables():
    """Return names, crystals and measured moduli."""
    rows = []
    for group, text in ELEMENTS.items():
        for line in text.split(", "):
            element, parameter, modulus = line.split()
            lattice = Lattice.cubic(float(parameter))
            crystal = Structure.from_spacegroup(group, lattice, [element], [[0, 0, 0]])
            rows.append((element, crystal, float(modulus)))
    for line in HALIDES.split(", "):
        cation, anion, distance, modulus = line.split()
        lattice = Lattice.cubic(2 * float(distance))
        sites = [[0, 0, 0], [0.5, 0.5, 0.5]]
        crystal = Structure.from_spacegroup("Fm-3m", lattice, [cation, anion], sites)
        rows.append((f"{cation}{anion}", crystal, float(modulus)))
    return rows


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="of the predictor (default: the package's)")
    arguments = parser.parse_args()
    predictor = load_predictor(arguments.folder or "bulk_modulus")
    names, crystals, measured = zip(*read_tables(), strict=True)
    measured = np.array(measured)
    predicted = predictor.predict(list(crystals))
    lower, upper = predictor.predict_interval(list(crystals)).T
    relative = np.abs(predicted / measured - 1)
    for row in zip(names, measured, predicted, lower, upper, strict=True):
        print("{:5} {:7.1f} {:7.1f}  [{:.1f}, {:.1f}]".format(*row))
    covered = (lower <= measured) & (measured <= upper)
    summary = {
        "crystals": len(names),
        "median_relative_error": float(np.median(relative)),
        "mean_log10_ratio": float(np.log10(predicted / measured).mean()),
        "mae_log10": float(np.abs(np.log10(predicted / measured)).mean()),
        "measured_value_in_90%_interval": float(covered.mean()),
    }
    print(summary)
    rows = [
        {"crystal": name, "measured": float(m), "predicted": float(p), "interval": [lo, up]}
        for name, m, p, lo, up in zip(
            names, measured, predicted, lower.tolist(), upper.tolist(), strict=True
        )
    ]
    content = {"summary": summary, "model": predictor.card["model"], "rows": rows}
    print(write_json("handbook_bulk_moduli", {**content, "provenance": script_provenance()}))


if __name__ == "__main__":
    main()
