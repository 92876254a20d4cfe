"""Languages of crystals: how a crystal becomes the tokens that an encoder is pre-trained on."""

import hashlib
import json
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..crystals.crystal import Crystal
from ..encoder.checkpoints import CONFIG_FILE, read_config
from ..encoder.model import build_encoder
from ..encoder.tokenizer import PARTS, SymmetryTokenizer
from ..encoder.weights import WEIGHTS_FILE, check_fit, read_weights
from ..exceptions import folder_errors
from ..files import read_text
from ..symmetry.strings import SymmetryString, atomic_fractions

LANGUAGE_FILE = "language.json"
_EMBEDDING = "embeddings.word_embeddings.weight"
#: Fields of a configuration that an encoder shares with the network it is put in.
_SHAPE = ("n_layers", "n_heads", "width", "intermediate", "max_positions")


class Described(NamedTuple):
    """A crystal and its symmetry, as a language writes them.

    Attributes
    ----------
    space_group : int
    orbits : list of Orbit
    composition : dict of str to float
        Atoms of each element.
    crystal : Crystal or None
        None where only the symmetry is known.
    symprec : float
        Distance within which sites count as equivalent, in angstrom.
    """

    space_group: int
    orbits: list
    composition: dict
    crystal: Crystal | None
    symprec: float


class Language:
    """Base of the languages.

    A subclass has a closed vocabulary, in which the words follow each other, and writes crystals in
    it. Objects are equal if their tokens are.

    Attributes
    ----------
    name : str
    vocabulary : tuple of str
        All tokens; the position of a token is its id.
    pad_id, mask_id : int
    words : range
        Ids of the tokens that may be masked.
    parts : tuple of str
        Names of the parts of a row, "special" first.
    max_positions : int
        Longest row in tokens.

    Examples
    --------
    >>> from sklearn_cloud.baselines import SlicesLanguage
    >>> from sklearn_cloud.pretraining import Language
    >>> issubclass(SlicesLanguage, Language)
    True
    """

    name = None
    pad_id = 0
    mask_id = None
    parts = ("special",)

    def encode(self, described):
        """Token ids of a crystal.

        Parameters
        ----------
        described : Described

        Returns
        -------
        sequence of int

        Raises
        ------
        ValueError
            If the language cannot write it.
        """
        raise NotImplementedError

    def composition(self, tokens):
        """Return bytes that are equal for rows of the same composition.

        Parameters
        ----------
        tokens : array-like of int
            Ids of one row, unpadded.

        Returns
        -------
        bytes
        """
        raise NotImplementedError

    def part_ids(self, tokens):
        """Return the part of each token of an unmasked row, as an index into `parts`.

        Parameters
        ----------
        tokens : array-like of int
            Ids of one row, unpadded.

        Returns
        -------
        ndarray of int
        """
        raise NotImplementedError

    @property
    def vocabulary_hash(self):
        """Checksum of the vocabulary."""
        return hashlib.sha256("\n".join(self.vocabulary).encode()).hexdigest()

    def save_pretrained(self, directory):
        """Write name and checksum of the language next to an encoder.

        Parameters
        ----------
        directory : str or path-like
            Created if needed.
        """
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        content = {"name": self.name, "vocabulary": self.vocabulary_hash}
        (directory / LANGUAGE_FILE).write_text(json.dumps(content), encoding="utf-8")

    def __eq__(self, other):
        return isinstance(other, Language) and self.vocabulary_hash == other.vocabulary_hash

    def __hash__(self):
        return hash(self.vocabulary_hash)


class SymmetryLanguage(Language):
    """Symmetry strings, the language of `CloudRegressor`."""

    name = "symmetry"
    parts = PARTS
    max_positions = 128

    @cached_property
    def tokenizer(self):
        """`SymmetryTokenizer` of the strings."""
        return _symmetry_tokenizer()

    @property
    def vocabulary(self):
        return self.tokenizer.vocabulary

    @property
    def mask_id(self):
        return self.tokenizer.mask_id

    @property
    def words(self):
        return range(self.vocabulary.index("|") + 1, len(self.vocabulary))

    def encode(self, described):
        fractions = tuple(atomic_fractions(described.composition))
        string = SymmetryString(described.space_group, tuple(described.orbits), fractions)
        return self.tokenizer.encode(str(string))

    def composition(self, tokens):
        # what follows the last separator, as bytes: two for each token
        separator = self.vocabulary.index("|").to_bytes(2, "little")
        row = np.asarray(tokens, dtype=np.uint16).tobytes()
        start = row.rfind(separator)
        while start % 2 and start != -1:  # not a token but halves of two tokens
            start = row.rfind(separator, 0, start + 1)
        return row[max(start, 0) :]

    def part_ids(self, tokens):
        return self.tokenizer.part_ids(tokens)

    def save_pretrained(self, directory):
        self.tokenizer.save_pretrained(directory)


@lru_cache(maxsize=1)
def _symmetry_tokenizer():
    return SymmetryTokenizer()


def load_weights(folder, language, config):
    """Read the weights of an encoder that was pre-trained on a language.

    Parameters
    ----------
    folder : str or path
        The `encoder` that `pretrain` returned.
    language : Language
    config : EncoderConfig
        Shape of the encoder to put them in; it does not have the mask token.

    Returns
    -------
    dict of str to torch.Tensor

    Raises
    ------
    ModelFolderError
        If files are missing or damaged, or belong to another language or shape.
    """
    folder = Path(folder)
    with folder_errors(folder):
        _check_language(folder / LANGUAGE_FILE, language)
        saved, _ = read_config(folder / CONFIG_FILE)
        differs = [name for name in _SHAPE if getattr(saved, name) != getattr(config, name)]
        if differs:
            name = differs[0]
            raise ValueError(
                f"the encoder in {folder} has {name}={getattr(saved, name)}, but the network "
                f"{name}={getattr(config, name)}: give it the parameters of the encoder."
            )
        weights = read_weights(folder / WEIGHTS_FILE)
        weights = {name: tensor.float() for name, tensor in weights.items()}
        check_fit(build_encoder, {"config": saved}, weights, folder / WEIGHTS_FILE)
    return weights | {_EMBEDDING: weights[_EMBEDDING][: config.vocabulary_size]}


def _check_language(path, language):
    try:
        content = json.loads(read_text(path))
    except FileNotFoundError:
        raise ValueError(f"{path.parent} is no encoder of {language.name} tokens.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    expected = {"name": language.name, "vocabulary": language.vocabulary_hash}
    if content != expected:
        found = content.get("name") if isinstance(content, dict) else None
        raise ValueError(
            f"{path.parent} was pre-trained on {found} tokens or another vocabulary, not on the "
            f"{language.name} tokens of this model."
        )
