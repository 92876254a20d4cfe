"""Small corpora that the tests of this folder share."""

import numpy as np

from sklearn_cloud.crystals.crystal import Crystal
from sklearn_cloud.pretraining.corpus_builder import CorpusSource, build_corpus
from sklearn_cloud.pretraining.corpus_sources import SymmetryRecord

CATIONS = ("Li", "Na", "K", "Rb", "Cs", "Tl")
ANIONS = ("F", "Cl", "Br", "I")


def cscl(cation, anion, a):
    """CsCl type: 1a and 1b of space group 221, nearest neighbours at a * sqrt(3) / 2."""
    return Crystal(
        np.eye(3) * a,
        np.array([[0, 0, 0], [0.5, 0.5, 0.5]]),
        np.array([0, 1], dtype=np.int32),
        (((cation, 1.0),), ((anion, 1.0),)),
    )


def make_crystals():
    """24 crystals with coordinates."""
    pairs = [(cation, anion) for cation in CATIONS for anion in ANIONS]
    return [(f"{c}{a}", cscl(c, a, 3.5 + 0.07 * i)) for i, (c, a) in enumerate(pairs)]


def make_records(n=200, seed=0):
    """Distinct oxides without coordinates in four space groups, so that strings differ in length.

    Fractions of oxygen depend on the space group: there is something to learn.
    """
    rng = np.random.RandomState(seed)
    letters = {14: "e", 62: "acd", 166: "abch", 225: "abc"}
    found = {}
    while len(found) < n:
        group = int(rng.choice(list(letters)))
        composition = {
            "O": float(2 + group % 5),
            str(rng.choice(CATIONS)): float(rng.randint(1, 9)),
        }
        size = rng.randint(1, len(letters[group]) + 1)
        record = SymmetryRecord(composition, group, tuple(letters[group][:size]))
        found.setdefault((tuple(sorted(composition.items())), group, size), record)
    return [(f"record-{i}", record) for i, record in enumerate(found.values())]


def make_corpus(folder, items=None, **options):
    items = [*make_crystals(), *make_records()] if items is None else items
    return build_corpus(folder, [CorpusSource("made up", items)], **options)
