"""Checkpoints of the original implementation: its strings, token ids and names of weights."""

import json
import re
from pathlib import Path

from ..exceptions import shorten
from ..files import read_text
from .tokenizer import SEPARATOR, TOKENIZER_FILE, SymmetryTokenizer

VOCABULARY_FILE = "vocab.txt"
ADDED_TOKENS_FILE = "added_tokens.json"
TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
SPECIAL_TOKENS = ("[PAD]", "[CLS]", "[SEP]", "[MASK]", "[UNK]")
#: Space groups 39 and 131 in that implementation. Neither generates its space group, but the
#: weights were trained on this form.
GENERATOR_STRINGS = {
    "0 3 a O D D b O O O j O D O 0": "0 3 a O D D b O O O c O D O 0",
    "1 3 b O O O g O O D c O O O 0": "1 3 b D D O g D O O c O D D 0",
}

_WYCKOFF = re.compile(r"\d+[a-zA]")
_COUNT = re.compile(r"x\d+")


def original_string(string):
    """Convert a symmetry string to the form of the original implementation, as far as possible.

    Parameters
    ----------
    string : str
        A valid symmetry string.

    Returns
    -------
    str
        The generator strings of space groups 39 and 131 are those of that implementation. The
        sites are Wyckoff symbols, each once: for a string with ``sites="orbits"`` in the order of
        the elements on them, otherwise in the given order.

    Notes
    -----
    The original implementation lists elements and Wyckoff symbols in the order of their first
    appearance in the structure file; here they are sorted. Nevertheless, its training strings have
    the elements in our order (98 % of the 10,000 published ones), but the Wyckoff symbols are
    sorted only in one of six: they follow the atoms, which are grouped by element. ``"orbits"``
    strings can therefore be written in that order. Other strings cannot, and no string shows which
    orbit of an element came first. On 310 crystals of MatBench's dielectric task with the same
    elements in the same order, and the same symbols, as in the authors' string, the symbols have
    the authors' order in 71 % of the converted strings and in 35 % of the sorted ones.

    Examples
    --------
    >>> from sklearn_cloud.encoder.original_format import original_string
    >>> original_string("4a O x2 8c Na | Na 0.5 O 0.5")
    '8c 4a | Na 0.5 O 0.5'
    """
    parts = string.split(SEPARATOR)
    # A composition starts with an element, the other parts with a digit.
    elements = parts[-1].split(" ")[::2] if parts[-1][0].isalpha() else []
    parts = [
        _first_seen(part, elements) if _WYCKOFF.match(part) else GENERATOR_STRINGS.get(part, part)
        for part in parts
    ]
    return SEPARATOR.join(parts)


def _first_seen(sites, elements):
    """Return the Wyckoff symbols of a sites part, each once, in the order of their elements."""
    rank = {element: i for i, element in enumerate(elements)}
    orbits = []
    for word in sites.split(" "):
        if _WYCKOFF.fullmatch(word):
            orbits.append((word, []))
        elif not _COUNT.fullmatch(word):
            orbits[-1][1].append(rank.get(word, len(rank)))
    orbits.sort(key=lambda orbit: min(orbit[1], default=0))
    return " ".join(dict.fromkeys(symbol for symbol, _ in orbits))


class OriginalTokenizer:
    """Convert symmetry strings to the token ids of the original implementation.

    It reads the same strings as `SymmetryTokenizer`, converts them with `original_string` and looks
    up each word: atomic fractions in the added tokens, everything else by WordPiece, the longest
    pieces first. The ids are those of transformers' ``BertTokenizer`` on
    the same files, except that a word outside the vocabulary is an error, never ``[UNK]``.

    Parameters
    ----------
    words : sequence of str
        Lines of ``vocab.txt``.
    added : sequence of str
        Tokens of ``added_tokens.json``, whose ids follow those of ``words``.

    Attributes
    ----------
    vocabulary : tuple of str
        All tokens; the position of a token is its id.
    pad_id, cls_id, sep_id, mask_id : int
        Ids of the special tokens.

    Raises
    ------
    ValueError
        If a special token is missing or a token appears twice.

    Examples
    --------
    >>> from sklearn_cloud.encoder import OriginalTokenizer
    >>> words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "8a", "|", "Si"]
    >>> tokenizer = OriginalTokenizer(words, added=["1.0"])
    >>> tokenizer.encode("8a | Si 1.0")
    [2, 5, 6, 7, 8, 3]
    """

    def __init__(self, words, added):
        self._words, self._added = tuple(words), tuple(added)
        self.vocabulary = self._words + self._added
        self._ids = {token: i for i, token in enumerate(self.vocabulary)}
        if len(self._ids) < len(self.vocabulary):
            raise ValueError("a token appears twice in the vocabulary")
        missing = [token for token in SPECIAL_TOKENS if token not in self._ids]
        if missing:
            raise ValueError(f"the vocabulary has no {', '.join(missing)}")
        self.pad_id, self.cls_id, self.sep_id, self.mask_id = (
            self._ids[token] for token in SPECIAL_TOKENS[:4]
        )
        self._word_ids = {token: [self._ids[token]] for token in self._added}
        self._symmetry = SymmetryTokenizer()

    def __len__(self):
        return len(self.vocabulary)

    def __reduce__(self):
        return OriginalTokenizer, (self._words, self._added)

    def encode(self, string):
        """Return the token ids of a symmetry string, from ``[CLS]`` to ``[SEP]``.

        Parameters
        ----------
        string : str
            Up to three parts joined by ``" | "``: generator string, sites, composition.

        Returns
        -------
        list of int

        Raises
        ------
        TypeError
            If ``string`` is not a string.
        ValueError
            If it is not a symmetry string or a word is not in this vocabulary.
        """
        # Check the grammar of symmetry strings: WordPiece would accept almost anything.
        self._symmetry.encode(string)
        ids = [self.cls_id]
        for word in original_string(string).split(" "):
            if word not in self._word_ids:
                self._word_ids[word] = self._pieces(word)
            ids += self._word_ids[word]
        return [*ids, self.sep_id]

    def _pieces(self, word):
        """Return the ids of the WordPieces of a word."""
        ids, start = [], 0
        while start < len(word):
            mark = "##" if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if mark + word[start:end] in self._ids), None)
            if end is None:
                raise ValueError(
                    f"Token {shorten(repr(word))} is not in the vocabulary of this checkpoint."
                )
            ids.append(self._ids[mark + word[start:end]])
            start = end
        return ids

    def describe(self):
        """Return a JSON description of this tokenizer, for `from_description`."""
        return {"words": list(self._words), "added": list(self._added)}

    @classmethod
    def from_description(cls, description):
        """Return the tokenizer of a description from `describe`.

        Parameters
        ----------
        description : dict
            What `describe` returned.

        Raises
        ------
        ValueError
            If a special token is missing or a token appears twice.
        """
        return cls(description["words"], description["added"])

    # As there: each distinct string is encoded once, and errors name the row.
    encode_batch = SymmetryTokenizer.encode_batch
    tokens = SymmetryTokenizer.tokens

    def save_pretrained(self, directory):
        """Write the vocabulary in the files of the original format.

        Parameters
        ----------
        directory : str or path-like
            Created if needed.
        """
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        added = {token: i for i, token in enumerate(self._added, start=len(self._words))}
        config = {"tokenizer_class": "BertTokenizer", "do_lower_case": False}
        words = "".join(f"{word}\n" for word in self._words)
        (directory / VOCABULARY_FILE).write_text(words, encoding="utf-8")
        (directory / ADDED_TOKENS_FILE).write_text(json.dumps(added, indent=2), encoding="utf-8")
        (directory / TOKENIZER_CONFIG_FILE).write_text(json.dumps(config), encoding="utf-8")

    @classmethod
    def from_pretrained(cls, directory):
        """Read ``vocab.txt`` and its companions.

        Parameters
        ----------
        directory : str or path-like

        Returns
        -------
        OriginalTokenizer

        Raises
        ------
        ValueError
            If a file is missing, unreadable or that of another kind of tokenizer.
        """
        directory = Path(directory)
        added = _read_json(directory / ADDED_TOKENS_FILE)
        config = _read_json(directory / TOKENIZER_CONFIG_FILE)
        if config.get("do_lower_case", True):
            raise ValueError(
                f"{directory / TOKENIZER_CONFIG_FILE} must have do_lower_case=false, because "
                "element symbols are case-sensitive."
            )
        words = read_text(directory / VOCABULARY_FILE).splitlines()
        expected = range(len(words), len(words) + len(added))
        if sorted(map(str, added.values())) != sorted(map(str, expected)):
            raise ValueError(
                f"The ids in {directory / ADDED_TOKENS_FILE} do not follow the {len(words)} "
                f"tokens of {VOCABULARY_FILE}."
            )
        try:
            return cls(words, sorted(added, key=added.get))
        except ValueError as error:
            raise ValueError(f"{directory / VOCABULARY_FILE}: {error}") from error


def _read_json(path):
    try:
        content = json.loads(read_text(path))
    except FileNotFoundError:
        raise ValueError(
            f"{path.parent} has a {VOCABULARY_FILE} but no {path.name}: a checkpoint of the "
            "original implementation has both."
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} cannot be read: it is not a JSON object.")
    return content


def read_tokenizer(directory):
    """Read the tokenizer of a folder, in our format or that of the original implementation.

    Parameters
    ----------
    directory : pathlib.Path

    Returns
    -------
    SymmetryTokenizer or OriginalTokenizer
        The latter if there is a ``vocab.txt``.

    Raises
    ------
    ValueError
        If the tokenizer is missing or damaged, or there are both.
    """
    if not (directory / VOCABULARY_FILE).exists():
        return SymmetryTokenizer.from_pretrained(directory)
    if (directory / TOKENIZER_FILE).is_file():
        raise ValueError(
            f"{directory} has tokenizers in two formats, {TOKENIZER_FILE} and "
            f"{VOCABULARY_FILE}: remove the one that does not belong to the weights."
        )
    return OriginalTokenizer.from_pretrained(directory)
