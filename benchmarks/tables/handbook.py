"""Predictions next to measured values: bulk moduli, and band gaps of the example crystals.

    python benchmarks/tables/handbook.py
    python benchmarks/tables/handbook.py --folder predictors/bulk_modulus

Measured bulk moduli and volumes of the elements are those of the collection `dcdft` in ASE: K.
Lejaeghere, V. Van Speybroeck, G. Van Oost, S. Cottenier, Critical Reviews in Solid State and
Materials Sciences 39, 1 (2014), extrapolated to 0 K, without zero-point effects. Those of diamond
and of the compounds were collected by P. Hao et al., Physical Review B 85, 014111 (2012), and P.
Haas, F. Tran, P. Blaha, Physical Review B 79, 085104 (2009); they are copied from the table in
`data/data_solids_wPBE.py` of https://github.com/statt8900/ksb_scripts, not from the papers.

The measured band gaps are those of `load_example`, which names a source for each. Writes
`handbook_bulk_moduli.json` and `handbook_band_gaps.json` to `benchmarks/results/`, from which
`docs/make_handbook_figure.py` draws a figure.
"""

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np

from sklearn_cloud.datasets import load_example
from sklearn_cloud.predictors import load_predictor

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is
from common import script_provenance, write_json  # noqa: E402

#: Metals, Si and Ge: molecular crystals and those with a single measurement are left out.
ELEMENTS = (
    "Li Na K Rb Cs Mg Ca Sr Ba Sc Y Ti Zr Hf V Nb Ta Cr Mo W Re Fe Ru Os Co Rh Ir Ni Pd Pt Cu Ag "
    "Au Zn Cd Tl Al Pb Si Ge"
)
#: Structure, lattice parameter (angstrom) and bulk modulus (GPa).
COMPOUNDS = """\
C diamond 3.555 443
LiF rocksalt 3.974 69.8, LiCl rocksalt 5.072 35.4, NaF rocksalt 4.570 51.4
NaCl rocksalt 5.565 26.6, MgO rocksalt 4.188 165, MgS rocksalt 5.188 80
CaO rocksalt 4.781 115, TiC rocksalt 4.318 233, TiN rocksalt 4.226 277
ZrC rocksalt 4.687 207, ZrN rocksalt 4.576 240, VC rocksalt 4.148 303
VN rocksalt 4.130 268, NbC rocksalt 4.461 300, NbN rocksalt 4.383 287
FeAl cesiumchloride 2.881 136.1, CoAl cesiumchloride 2.854 162, NiAl cesiumchloride 2.881 166
BN zincblende 3.594 372.3, BP zincblende 4.527 152, AlP zincblende 5.450 74.4
AlAs zincblende 5.649 74, GaN zincblende 4.523 195, GaP zincblende 5.441 87.4
GaAs zincblende 5.641 75.6, InP zincblende 5.858 71, InAs zincblende 6.048 58
SiC zincblende 4.348 225"""


def read_elements():
    """Return names, crystals and measured moduli (GPa) of the elements."""
    from ase.build import bulk
    from ase.collections import dcdft

    rows = []
    for name in ELEMENTS.split():
        measured = dcdft.data[name]
        crystal = bulk(name)
        scale = (measured["exp_volume"] * len(crystal) / crystal.get_volume()) ** (1 / 3)
        crystal.set_cell(crystal.cell * scale, scale_atoms=True)
        rows.append((name, crystal, measured["exp_B"]))
    return rows


def read_computed():
    """Return the moduli (GPa) of the elements that WIEN2k gives with PBE, from the same source."""
    from ase.collections import dcdft

    return np.array([dcdft.data[name]["wien2k_B"] for name in ELEMENTS.split()])


def read_compounds():
    """Return names, crystals and measured moduli (GPa) of diamond and the compounds."""
    from ase.build import bulk

    rows = []
    for text in COMPOUNDS.replace("\n", ", ").split(", "):
        name, structure, parameter, modulus = text.split()
        rows.append((name, bulk(name, structure, a=float(parameter)), float(modulus)))
    return rows


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="of bulk_modulus (default: the package's)")
    arguments = parser.parse_args()
    moduli(load_predictor(arguments.folder or "bulk_modulus"))
    band_gaps(load_predictor("band_gap"))


def moduli(predictor):
    """Predict bulk moduli, and write them."""
    rows = [*read_elements(), *read_compounds()]
    names, crystals, measured = zip(*rows, strict=True)
    found = predict(predictor, crystals)
    ratio = found["predicted"] / measured
    computed = found["predicted"][: len(ELEMENTS.split())] / read_computed()
    summary = {
        "crystals": len(names),
        "elements": len(ELEMENTS.split()) + 1,
        "median_relative_error": float(np.median(np.abs(ratio - 1))),
        "mean_log10_ratio": float(np.log10(ratio).mean()),
        "mae_log10": float(np.abs(np.log10(ratio)).mean()),
        "median_relative_difference_to_pbe": float(np.median(np.abs(computed - 1))),
        **coverage(found, np.array(measured)),
    }
    write("handbook_bulk_moduli", predictor, names, measured, found, summary)


def band_gaps(predictor):
    """Predict band gaps of the example crystals, and write them."""
    example = load_example()
    measured, names = example.target, example.frame["formula"]
    found = predict(predictor, example.structures)
    gapped = found["predicted"] > 0
    difference = found["predicted"] - measured
    summary = {
        "crystals": len(names),
        "mean_absolute_difference": float(np.abs(difference).mean()),
        "mean_difference": float(difference.mean()),
        "median_ratio": float(np.median(found["predicted"] / measured)),
        "predicted_without_gap": int((~gapped).sum()),
        **coverage(found, measured),
    }
    write("handbook_band_gaps", predictor, names, measured, found, summary)


def predict(predictor, crystals):
    """Return predictions and bounds of the 90 % interval."""
    crystals = list(crystals)
    lower, upper = predictor.predict_interval(crystals).T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the same as above
        return {"predicted": predictor.predict(crystals), "lower": lower, "upper": upper}


def coverage(found, measured):
    inside = (found["lower"] <= measured) & (measured <= found["upper"])
    return {"measured_value_in_90%_interval": float(inside.mean())}


def write(name, predictor, names, measured, found, summary):
    """Print a table, and write the result file."""
    columns = zip(names, measured, *found.values(), strict=True)
    rows = [
        {"crystal": c, **dict(zip(("measured", *found), map(float, values), strict=True))}
        for c, *values in columns
    ]
    for row in rows:
        print(
            "{crystal:10} {measured:8.2f} {predicted:8.2f}  [{lower:.2f}, {upper:.2f}]".format(
                **row
            )
        )
    print(summary)
    content = {"summary": summary, "model": predictor.card["model"], "rows": rows}
    print(write_json(name, {**content, "provenance": script_provenance()}))


if __name__ == "__main__":
    main()
