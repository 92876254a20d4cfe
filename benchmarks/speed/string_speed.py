"""Symmetry strings per second, against pymatgen and against the bare symmetry search.

    OMP_NUM_THREADS=1 python benchmarks/speed/string_speed.py

One process, the same Structure objects, CPU seconds. The ways take turns, so that a disturbance of
the machine meets all of them, and the fastest of several rounds counts. pymatgen does the same job
with its SpacegroupAnalyzer: space group, Wyckoff letters, composition. The bare search is moyopy on
the structures, without making any use of what it finds. Needs `corpus/mp_structures.tsv.xz` in the
data folder.
"""

import subprocess
import sys
import time
from pathlib import Path

import moyopy
from moyopy.interface import MoyoAdapter
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from sklearn_cloud import SymmetryStringTransformer
from sklearn_cloud.symmetry import generator_string

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import (
    argument_parser,
    parse_arguments,
    sample_corpus,
    script_provenance,
    write_json,
)

SYMPREC = 0.1


def with_pymatgen(structures):
    strings = []
    for structure in structures:
        analyzer = SpacegroupAnalyzer(structure, symprec=SYMPREC)
        dataset = analyzer.get_symmetry_dataset()
        generators = " ".join(generator_string(int(dataset.number)))
        letters = sorted(set(dataset.wyckoffs))
        composition = structure.composition.fractional_composition.as_dict()
        fractions = " ".join(f"{e} {round(x, 2)}" for e, x in composition.items())
        strings.append(f"{generators} | {' '.join(letters)} | {fractions}")
    return strings


def bare_search(structures):
    for structure in structures:
        moyopy.MoyoDataset(MoyoAdapter.from_structure(structure), symprec=SYMPREC)


def with_transformer(structures, **options):
    return SymmetryStringTransformer(symprec=SYMPREC, **options).transform(structures)


def fastest(jobs, structures, repeats):
    """CPU seconds of each job, the fewest of several rounds."""
    seconds = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            start = time.process_time()
            job(structures)
            seconds[name].append(time.process_time() - start)
    return {name: min(found) for name, found in seconds.items()}


def import_seconds():
    """Seconds of `import sklearn_cloud` in a fresh interpreter."""
    code = (
        "import time; t = time.perf_counter(); import sklearn_cloud; print(time.perf_counter() - t)"
    )
    times = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(5)
    ]
    return min(times)


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--crystals", type=int, default=3000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parse_arguments(parser)
    structures = sample_corpus(arguments)
    jobs = {
        "sklearn_cloud, moyopy": with_transformer,
        "sklearn_cloud, spglib": lambda s: with_transformer(s, backend="spglib"),
        "bare moyopy search": bare_search,
        "pymatgen SpacegroupAnalyzer": with_pymatgen,
    }
    with_transformer(structures[:100])  # imports are not counted
    seconds = fastest(jobs, structures, arguments.repeats)
    ours = seconds["sklearn_cloud, moyopy"]
    result = {
        "crystals": len(structures),
        "mean_sites": sum(map(len, structures)) / len(structures),
        "strings_per_second": {name: len(structures) / s for name, s in seconds.items()},
        "times_faster_than_pymatgen": seconds["pymatgen SpacegroupAnalyzer"] / ours,
        "share_over_bare_search": ours / seconds["bare moyopy search"] - 1,
        "import_seconds": import_seconds(),
    }
    for name, value in result.items():
        print(name, value)
    write_json("string_speed", {**script_provenance(seed=arguments.seed), **result})


if __name__ == "__main__":
    main()
