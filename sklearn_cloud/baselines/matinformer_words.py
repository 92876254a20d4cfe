"""Words of MatInFormer: symmetry, Wyckoff positions and composition of a crystal."""

from functools import cache

import numpy as np

from ..crystals.crystal import ELEMENTS
from ..pretraining.language import Language
from ..symmetry.search import find_symmetry
from ..symmetry.strings import atomic_fractions, write_composition
from ..symmetry.wyckoff import wyckoff_positions

_SPACE_GROUPS = range(1, 231)
#: Longest row: as many words as a crystal of all elements in a group of 27 Wyckoff positions fills.
MAX_POSITIONS = 4 + 27 + 2 * len(ELEMENTS)


@cache
def vocabulary():
    """{token: id}, in this order: special tokens, symmetry, elements, fractions."""
    classes = [symmetry_classes(number) for number in _SPACE_GROUPS]
    positions = {word for number in _SPACE_GROUPS for word in wyckoff_positions(number)}
    words = [
        "[PAD]",
        "[CLS]",
        *sorted({system for system, _ in classes}),
        *sorted({point_group for _, point_group in classes}),
        *(f"space group {number}" for number in _SPACE_GROUPS),
        *sorted(positions),
        *ELEMENTS,
        *(str(round(step / 100, 2)) for step in range(101)),
    ]
    return {word: i for i, word in enumerate(words)}


def symmetry_classes(space_group):
    """Crystal system and point group of a space group, as two words."""
    import moyopy

    kind = moyopy.SpaceGroupType(space_group)
    return f"system {kind.crystal_system}", f"point group {kind.geometric_crystal_class}"


def crystal_words(crystal, symprec):
    """Tokens of a crystal, from the symmetry to the composition.

    Parameters
    ----------
    crystal : Crystal
    symprec : float
        In angstrom.

    Returns
    -------
    list of str
        Crystal system, point group, space group, the Wyckoff positions that are occupied, each
        element with its atomic fraction.
    """
    number, orbits, *_ = find_symmetry(crystal, symprec=symprec)
    return write_words(number, orbits, crystal.composition)


def write_words(number, orbits, composition):
    """`crystal_words` of a space group, its orbits and {element: atoms}."""
    words = ["[CLS]", *symmetry_classes(number), f"space group {number}"]
    words += dict.fromkeys(orbit.position for orbit in orbits)
    return words + write_composition(atomic_fractions(composition)).split(" ")


class MatInFormerLanguage(Language):
    """The words of `MatInFormerRegressor`, to pre-train its encoder on.

    Crystals of which only the symmetry is known can be written too.

    Examples
    --------
    >>> from sklearn_cloud.baselines import MatInFormerLanguage
    >>> language = MatInFormerLanguage()
    >>> language.vocabulary[language.mask_id]
    '[MASK]'
    """

    name = "matinformer"
    parts = ("special", "symmetry", "sites", "composition")
    max_positions = MAX_POSITIONS

    @property
    def vocabulary(self):
        return (*vocabulary(), "[MASK]")

    @property
    def mask_id(self):
        return len(vocabulary())

    @property
    def words(self):
        return range(vocabulary()["[CLS]"] + 1, self.mask_id)

    def encode(self, described):
        words = write_words(described.space_group, described.orbits, described.composition)
        return [vocabulary()[word] for word in words]

    def composition(self, tokens):
        return np.asarray(tokens)[np.array(self.part_ids(tokens)) == 3].astype(np.uint16).tobytes()

    def part_ids(self, tokens):
        starts = [self.words.start, vocabulary()["space group 230"] + 1, vocabulary()[ELEMENTS[0]]]
        return np.searchsorted(starts, tokens, side="right").tolist()
