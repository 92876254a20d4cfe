"""SlicesBertRegressor: a BERT encoder on SLICES strings."""

from itertools import product
from numbers import Integral, Real
from os import PathLike
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from .._compat import Interval, StrOptions
from ..encoder.config import PAD_ID, EncoderConfig
from ..encoder.model import CloudModule
from ..features.elements import N_ELEMENTS, atomic_numbers
from ..pretraining.language import Language, load_weights
from ..training.crystal_network import CrystalNetwork
from ..training.devices import choose_bf16
from ..training.net_regressor import NetRegressor
from .bonds import bond_graph

# The tokens by their ids: padding, [CLS], elements by atomic number, the 27 translations from
# "- - -" to "+ + +", then the numbers of the atoms.
_CLS = PAD_ID + 1
_ELEMENTS = _CLS
_TRANSLATIONS = _ELEMENTS + N_ELEMENTS + 1
_NUMBERS = _TRANSLATIONS + 27


class SlicesTokens(NamedTuple):
    """What the network reads of one crystal.

    Attributes
    ----------
    elements : ndarray of shape (n_atoms,), int
        Atomic numbers.
    bonds : ndarray of shape (n_bonds, 5), int
        As in `BondGraph`.
    """

    elements: np.ndarray
    bonds: np.ndarray

    @property
    def n_tokens(self):
        return 1 + len(self.elements) + 3 * len(self.bonds)

    def token_ids(self):
        """Ids of the tokens, shape (n_tokens,): [CLS], elements, three tokens for each bond."""
        translations = _TRANSLATIONS + (self.bonds[:, 2:] + 1) @ (9, 3, 1)
        bonds = np.column_stack([_NUMBERS + self.bonds[:, :2], translations])
        return np.concatenate([[_CLS], _ELEMENTS + self.elements, bonds.ravel()])


def slices_tokens(crystal, symprec):
    """`SlicesTokens` of a crystal."""
    graph = bond_graph(crystal, symprec)
    return SlicesTokens(np.array([atomic_numbers()[e] for e in graph.elements]), graph.bonds)


class SlicesLanguage(Language):
    """The tokens of `SlicesBertRegressor`, to pre-train its encoder on.

    Needs coordinates: crystals without, with disordered sites or with longer strings are left out.

    Parameters
    ----------
    max_tokens : int, default=512
        As in `SlicesBertRegressor`.

    Examples
    --------
    >>> from sklearn_cloud.baselines import SlicesLanguage
    >>> len(SlicesLanguage(max_tokens=64).vocabulary)
    212
    """

    name = "slices"
    parts = ("special", "elements", "translations", "atoms")

    def __init__(self, max_tokens=512):
        self.max_tokens = max_tokens

    @property
    def max_positions(self):
        return self.max_tokens

    @property
    def vocabulary(self):
        elements = sorted(atomic_numbers(), key=atomic_numbers().get)
        translations = ["".join(signs) for signs in product("-o+", repeat=3)]
        numbers = [str(number) for number in range(self.max_tokens)]
        return ("[PAD]", "[CLS]", *elements, *translations, *numbers, "[MASK]")

    @property
    def mask_id(self):
        return _NUMBERS + self.max_tokens

    @property
    def words(self):
        return range(_ELEMENTS + 1, self.mask_id)

    def encode(self, described):
        if described.crystal is None:
            raise ValueError("SLICES needs coordinates, but only the symmetry is known")
        tokens = slices_tokens(described.crystal, described.symprec)
        if tokens.n_tokens > self.max_tokens:
            raise ValueError(f"more tokens than max_tokens of {type(self).__name__}")
        return tokens.token_ids()

    def composition(self, tokens):
        tokens = np.asarray(tokens)
        elements = tokens[np.array(self.part_ids(tokens)) == 1]
        numbers, counts = np.unique(elements, return_counts=True)
        return np.stack([numbers, counts // np.gcd.reduce(counts)]).astype(np.int64).tobytes()

    def part_ids(self, tokens):
        return np.searchsorted([_ELEMENTS + 1, _TRANSLATIONS, _NUMBERS], tokens, "right").tolist()


class BaseSlicesBert(CrystalNetwork):
    """Input and network of `SlicesBertRegressor`."""

    width: int = 128
    n_layers: int = 4
    n_heads: int = 4
    dropout: float = 0.1
    max_tokens: int = 512
    on_too_long: str = "truncate"
    symprec: float = 0.1
    encoder: str | PathLike | None = None
    max_epochs = 50

    _parameter_constraints = {
        "width": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "max_tokens": [Interval(Integral, 2, None, closed="left")],
        "on_too_long": [StrOptions({"truncate", "raise"})],
        "symprec": [Interval(Real, 0, None, closed="neither")],
        "encoder": [str, PathLike, None],
    }

    def _load(self):
        if self.encoder is None:
            return None
        return load_weights(self.encoder, SlicesLanguage(self.max_tokens), self._config())

    def _config(self):
        return EncoderConfig(
            n_layers=self.n_layers,
            n_heads=self.n_heads,
            width=self.width,
            max_positions=self.max_tokens,
            dropout=self.dropout,
            vocabulary_size=_NUMBERS + self.max_tokens,
        )

    def _module(self):
        # CloudModule sees to the precision itself and needs no MixedPrecision around it.
        bf16 = choose_bf16(self.precision, self.device_)
        return CloudModule, {"config": self._config(), "bf16": bf16}

    def _read_item(self, crystal):
        tokens = slices_tokens(crystal, self.symprec)
        elements, bonds = tokens.elements, tokens.bonds
        if tokens.n_tokens <= self.max_tokens:
            return tokens
        if self.on_too_long == "raise":
            raise ValueError(
                f"the SLICES string has {tokens.n_tokens} tokens ({len(elements)} atoms and "
                f"{len(bonds)} bonds), but the encoder reads at most {self.max_tokens}: "
                "increase max_tokens, or use on_too_long='truncate' to leave out the last bonds"
            )
        elements = elements[: self.max_tokens - 1]
        n_bonds = (self.max_tokens - 1 - len(elements)) // 3
        return SlicesTokens(elements, bonds[:n_bonds])

    def _size(self, inputs):
        return inputs.n_tokens

    def _collate(self, batch):
        rows = [torch.from_numpy(one.token_ids()) for one in batch]
        return {"input_ids": pad_sequence(rows, batch_first=True, padding_value=PAD_ID)}


class SlicesBertRegressor(BaseSlicesBert, NetRegressor):
    """Predict numbers from SLICES strings with a BERT encoder.

    The paper's SLICES-BERT: the atoms and bonds of a crystal as a string (see
    `SlicesStringTransformer`), read by the same kind of encoder as symmetry strings, whose [CLS]
    vector goes through a multi-layer perceptron.

    Parameters
    ----------
    width : int, default=128
        Size of the encoder's vectors.
    n_layers : int, default=4
        Transformer layers.
    n_heads : int, default=4
        Attention heads per layer; divides `width`.
    dropout : float, default=0.1
        Dropout of encoder and head while training.
    max_tokens : int, default=512
        Longest string that is read whole. A string has one token for its beginning, one for each
        atom and three for each bond: 142 on average in MatBench's dielectric, where 2 % have more
        than 512.
    on_too_long : {"truncate", "raise"}, default="truncate"
        What to do with longer strings: leave out the bonds at the end, or refuse the crystal.
    symprec : float, default=0.1
        Tolerance of the search for the primitive cell, in angstrom.
    encoder : str, path or None, default=None
        Folder of an encoder of the same shape that was pre-trained on `SlicesLanguage`; None starts
        from random weights.
    {other parameters}

    Attributes
    ----------
    {other attributes}

    Notes
    -----
    SLICES strings are those of [1]_; the CLOUD paper compares with a BERT encoder on them without
    describing its size. What is chosen here:

    - No pre-trained encoder comes with the package: by default it starts from random weights.
      `sklearn_cloud.pretraining.pretrain` makes one.
    - The three translations of a bond, `o o +`, are one token of 27: the same content in three
      tokens per bond in the place of five.
    - Disordered sites cannot be written and are refused.

    See Also
    --------
    SlicesStringTransformer : Makes the strings, and says how bonds are found.

    References
    ----------
    .. [1] Xiao et al., An invertible, invariant crystal representation for inverse design of
       solid-state materials using generative deep learning, Nature Communications 14, 7027 (2023).

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.baselines import SlicesBertRegressor
    >>> crystals = [
    ...     Structure(Lattice.cubic(a), [metal, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    ...     for metal, a in [("Cs", 4.12), ("Tl", 3.83), ("Rb", 3.75)]
    ... ]
    >>> model = SlicesBertRegressor(max_epochs=2, validation_fraction=0, random_state=0)
    >>> model.fit(crystals, [4.12, 3.83, 3.75]).predict(crystals).shape
    (3,)
    """
