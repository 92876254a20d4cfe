"""MatInFormerRegressor: a BERT encoder on space group, Wyckoff positions and composition."""

from numbers import Integral, Real
from os import PathLike
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from .._compat import Interval
from ..encoder.config import PAD_ID, EncoderConfig
from ..encoder.model import build_encoder, build_head, cls_vectors
from ..features.elements import atomic_numbers, element_features
from ..pretraining.language import load_weights
from ..training.crystal_network import CrystalNetwork
from ..training.net_regressor import NetRegressor
from .matinformer_words import MAX_POSITIONS, MatInFormerLanguage, crystal_words, vocabulary

_STATISTICS = 4  # mean, deviation, minimum and maximum


class CrystalWords(NamedTuple):
    """What the network reads of one crystal.

    Attributes
    ----------
    token_ids : ndarray of shape (n_tokens,), int
    descriptors : ndarray of shape (n_descriptors,), float32
    """

    token_ids: np.ndarray
    descriptors: np.ndarray


def describe_composition(amounts):
    """Statistics of the elements' properties: mean, deviation, minimum, maximum.

    Parameters
    ----------
    amounts : dict of str to float
        Atoms of each element.

    Returns
    -------
    ndarray of shape (4 * n_features,), float32
        Mean and standard deviation are weighted by the atoms; the properties are the columns of
        `element_features`.
    """
    # in an order of their own, so that the same composition gives the same bits
    numbers = sorted((atomic_numbers()[element], amount) for element, amount in amounts.items())
    table = element_features()[[number - 1 for number, _ in numbers]].astype(float)
    shares = np.array([amount for _, amount in numbers])
    shares = shares / shares.sum()
    mean = shares @ table
    deviation = np.sqrt(shares @ (table - mean) ** 2)
    parts = [mean, deviation, table.min(axis=0), table.max(axis=0)]
    return np.concatenate(parts).astype(np.float32)


class MatInFormerNetwork(nn.Module):
    """[CLS] vector of the words next to a vector of the descriptors, and a perceptron on both."""

    def __init__(self, n_outputs, config):
        super().__init__()
        width = config.width
        self.pad_id = config.pad_id
        self.encoder = build_encoder(config)
        n_descriptors = _STATISTICS * element_features().shape[1]
        self.descriptors = nn.Sequential(
            nn.Linear(n_descriptors, width), nn.SiLU(), nn.Dropout(config.dropout)
        )
        self.head = build_head(2 * width, n_outputs, 1, width, config.dropout)

    def forward(self, input_ids, descriptors):
        """Outputs, shape (n_rows, n_outputs)."""
        words = cls_vectors(self.encoder, input_ids, input_ids != self.pad_id)
        return self.head(torch.cat([words, self.descriptors(descriptors)], dim=1))


class BaseMatInFormer(CrystalNetwork):
    """Input and network of `MatInFormerRegressor`."""

    width: int = 128
    n_layers: int = 4
    n_heads: int = 4
    dropout: float = 0.1
    symprec: float = 0.1
    encoder: str | PathLike | None = None

    _parameter_constraints = {
        "width": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "symprec": [Interval(Real, 0, None, closed="neither")],
        "encoder": [str, PathLike, None],
    }

    def _load(self):
        if self.encoder is None:
            return None
        return load_weights(self.encoder, MatInFormerLanguage(), self._config())

    def _config(self):
        return EncoderConfig(
            n_layers=self.n_layers,
            n_heads=self.n_heads,
            width=self.width,
            max_positions=MAX_POSITIONS,
            dropout=self.dropout,
            vocabulary_size=len(vocabulary()),
        )

    def _network(self):
        return MatInFormerNetwork, {"config": self._config()}

    def _read_item(self, crystal):
        words = crystal_words(crystal, self.symprec)
        ids = np.array([vocabulary()[word] for word in words])
        return CrystalWords(ids, describe_composition(crystal.composition))

    def _size(self, inputs):
        return len(inputs.token_ids)

    def _collate(self, batch):
        rows = [torch.from_numpy(one.token_ids) for one in batch]
        return {
            "input_ids": pad_sequence(rows, batch_first=True, padding_value=PAD_ID),
            "descriptors": torch.from_numpy(np.stack([one.descriptors for one in batch])),
        }


class MatInFormerRegressor(BaseMatInFormer, NetRegressor):
    """Predict numbers from the space group, Wyckoff positions and composition of a crystal.

    The paper's MatInFormer: the words that crystallography has for the symmetry of a crystal, and
    its composition, are read by a transformer encoder; descriptors of materials informatics stand
    next to the encoder's [CLS] vector.

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
    symprec : float, default=0.1
        Distance within which sites count as equivalent, in angstrom.
    encoder : str, path or None, default=None
        Folder of an encoder of the same shape that was pre-trained on `MatInFormerLanguage`; None
        starts from random weights.
    {other parameters}

    Attributes
    ----------
    {other attributes}

    Notes
    -----
    MatInFormer [1]_ turns the information of the space group into tokens for a transformer
    encoder, pre-trains it to reconstruct lattices, and puts the result next to descriptors made
    by hand [2]_. What is different here:

    - Pre-training is masked language modelling (`sklearn_cloud.pretraining.pretrain`), not the
      reconstruction of lattices. None comes with the package: by default the encoder starts from
      random weights. Expect larger errors than published on small data sets.
    - The encoder is the BERT encoder of this library, smaller than the original; BERT and the
      original's RoBERTa differ in their pre-training, not in their layers.
    - The words are crystal system, point group, space group, occupied Wyckoff positions, and
      elements with their atomic fractions rounded to 0.01; the Wyckoff letters are canonical, as
      in symmetry strings.
    - The descriptors are means, deviations, minima and maxima of tabulated properties of the
      elements (`element_features`): none of them looks at the cell.

    A disordered site counts with its average composition.

    References
    ----------
    .. [1] Huang, Magar, Xu and Barati Farimani, Materials Informatics Transformer: A Language
       Model for Interpretable Materials Properties Prediction, arXiv:2308.16259 (2023).
    .. [2] Multimodal learning of heat capacity based on transformers and crystallography
       pretraining, Journal of Applied Physics 135, 165104 (2024).

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.baselines import MatInFormerRegressor
    >>> crystals = [
    ...     Structure(Lattice.cubic(a), [metal, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    ...     for metal, a in [("Cs", 4.12), ("Tl", 3.83), ("Rb", 3.75)]
    ... ]
    >>> model = MatInFormerRegressor(max_epochs=2, validation_fraction=0, random_state=0)
    >>> model.fit(crystals, [4.12, 3.83, 3.75]).predict(crystals).shape
    (3,)
    """
