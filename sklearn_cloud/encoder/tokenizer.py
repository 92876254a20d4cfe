"""Tokenizer of symmetry strings, with a closed vocabulary."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from ..exceptions import shorten
from ..files import read_text

VOCABULARY_FILE = Path(__file__).parent.parent / "data" / "vocabulary.json"
TOKENIZER_FILE = "symmetry_tokenizer.json"
FORMAT_VERSION = 1
PARTS = ("special", "generator", "sites", "composition")
SEPARATOR = " | "
# Five letters are both a translation of a generator string and an element; the prefix distinguishes
# their tokens.
GENERATOR_PREFIX = "generator:"


@lru_cache(maxsize=1)
def _token_kinds():
    """Return the symbols of each kind of token, in the order of the vocabulary."""
    kinds = json.loads(VOCABULARY_FILE.read_text(encoding="utf-8"))
    kinds.pop("format_version")
    return kinds


class SymmetryTokenizer:
    """Convert symmetry strings to token ids and back.

    The vocabulary is closed and known in advance: special tokens, the separator ``|``, the
    symbols of generator strings, the Wyckoff symbols of all 230 space groups, orbit counts, 118
    elements and the atomic fractions 0.0 to 1.0 in steps of 0.01. There is no unknown token:
    symbols outside the vocabulary are an error. The same letter in the generator string and in the
    composition (``O`` is the translation 0 and oxygen) is two different tokens.

    Attributes
    ----------
    vocabulary : tuple of str
        All tokens; the position of a token is its id.
    pad_id, cls_id, sep_id, mask_id : int
        Ids of the special tokens.

    Examples
    --------
    >>> from sklearn_cloud.encoder import SymmetryTokenizer
    >>> tokenizer = SymmetryTokenizer()
    >>> tokenizer.tokens("0 0 0 | 1a | O 1.0")[:5]
    ['[CLS]', 'generator:0', 'generator:0', 'generator:0', '|']
    >>> tokenizer.decode(tokenizer.encode("0 0 0 | 1a | O 1.0"))
    '0 0 0 | 1a | O 1.0'
    """

    def __init__(self):
        kinds = _token_kinds()
        self._words = tuple(word for symbols in kinds.values() for word in symbols)
        self.vocabulary = tuple(
            GENERATOR_PREFIX + symbol if kind == "generator" else symbol
            for kind, symbols in kinds.items()
            for symbol in symbols
        )
        self._ids = {token: i for i, token in enumerate(self.vocabulary)}
        self.pad_id, self.cls_id, self.sep_id, self.mask_id = range(len(kinds["special"]))
        self._separator_id = self._ids["|"]
        generator = {s: self._ids[GENERATOR_PREFIX + s] for s in kinds["generator"]}
        wyckoff, count, element, fraction = (
            {symbol: self._ids[symbol] for symbol in kinds[kind]}
            for kind in ("wyckoff", "count", "element", "fraction")
        )
        # The tables of a part alternate: a composition is element, fraction, element, ...
        self._tables = {
            "generator": [generator],
            "sites": [{**wyckoff, **element, **count}],
            "composition": [element, fraction],
        }
        self._part_of_first = {
            **dict.fromkeys(generator.values(), PARTS.index("generator")),
            **dict.fromkeys(wyckoff.values(), PARTS.index("sites")),
            **dict.fromkeys(element.values(), PARTS.index("composition")),
        }
        self._first_words = {
            **{word: "generator" for word in ("0", "1")},
            **dict.fromkeys(wyckoff, "sites"),
            **dict.fromkeys(element, "composition"),
        }

    def __len__(self):
        return len(self.vocabulary)

    def __reduce__(self):
        return type(self), ()

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
            If a token is not in the vocabulary or the parts are out of order.
        """
        if not isinstance(string, str):
            raise TypeError(f"Expected a symmetry string, got {type(string).__name__}.")
        ids, last_part = [self.cls_id], 0
        for segment in string.split(SEPARATOR):
            if len(ids) > 1:
                ids.append(self._separator_id)
            words = segment.split(" ")
            part = self._first_words.get(words[0])
            if part is None:
                self._raise_unknown(string, words[0], ids)
            if PARTS.index(part) <= last_part:
                raise ValueError(
                    f"The {part} part is out of order in {shorten(repr(string))}: expected "
                    "generator string, sites, composition, each at most once."
                )
            last_part = PARTS.index(part)
            self._append_words(ids, words, part, string)
        ids.append(self.sep_id)
        return ids

    def _append_words(self, ids, words, part, string):
        tables = self._tables[part]
        for i, word in enumerate(words):
            token_id = tables[i % len(tables)].get(word)
            if token_id is None:
                self._raise_unknown(string, word, ids)
            ids.append(token_id)
        if len(words) % len(tables):
            raise ValueError(
                f"Element {words[-1]!r} has no atomic fraction in {shorten(repr(string))}."
            )

    def _raise_unknown(self, string, word, ids):
        raise ValueError(
            f"Token {shorten(repr(word))} at position {len(ids) - 1} of {shorten(repr(string))} "
            "is not in the vocabulary of this part. Create symmetry strings with "
            "SymmetryStringTransformer or symmetry_string."
        )

    def encode_batch(self, strings):
        """Return the token ids of many strings; every distinct string is encoded once.

        Parameters
        ----------
        strings : iterable of str

        Returns
        -------
        list of list of int
            One list per string; equal strings share the same list object.

        Raises
        ------
        TypeError, ValueError
            As `encode`; the message names the row.
        """
        known, batch = {}, []
        for row, string in enumerate(strings):
            ids = known.get(string)
            if ids is None:
                try:
                    ids = known[string] = self.encode(string)
                except (TypeError, ValueError) as error:
                    raise type(error)(f"Row {row}: {error}") from None
            batch.append(ids)
        return batch

    def tokens(self, string):
        """Return the tokens of a string by their names in the vocabulary, one per id.

        Parameters
        ----------
        string : str
            Symmetry string.

        Returns
        -------
        list of str
        """
        return [self.vocabulary[i] for i in self.encode(string)]

    def decode(self, ids):
        """Convert token ids to a symmetry string, without ``[CLS]``, ``[SEP]`` and ``[PAD]``.

        Parameters
        ----------
        ids : iterable of int

        Returns
        -------
        str

        Raises
        ------
        ValueError
            If an id is outside the vocabulary.
        """
        ids = [int(i) for i in ids]
        outside = [i for i in ids if not 0 <= i < len(self)]
        if outside:
            raise ValueError(f"Token id {outside[0]} is outside the vocabulary of {len(self)}.")
        silent = (self.pad_id, self.cls_id, self.sep_id)
        return " ".join(self._words[i] for i in ids if i not in silent)

    def part_ids(self, ids):
        """Return the part of the string that each token belongs to.

        Parameters
        ----------
        ids : sequence of int
            Token ids of one unmasked string from `encode`; padding is allowed.

        Returns
        -------
        list of int
            Indices into ``("special", "generator", "sites", "composition")``; special tokens
            and separators are 0.
        """
        special = (self.pad_id, self.cls_id, self.sep_id, self.mask_id, self._separator_id)
        parts, current = [], 0
        for token_id in ids:
            if token_id in special:
                current = 0
            elif current == 0:
                current = self._part_of_first[int(token_id)]
            parts.append(current)
        return parts

    def save_pretrained(self, directory):
        """Save the vocabulary as JSON in a directory, which is created if needed.

        Parameters
        ----------
        directory : str or path-like
        """
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        content = {"format_version": FORMAT_VERSION, "vocabulary": self.vocabulary}
        (directory / TOKENIZER_FILE).write_text(json.dumps(content, indent=0), encoding="utf-8")

    @classmethod
    def from_pretrained(cls, directory):
        """Read a saved tokenizer and check that it has the current vocabulary.

        Parameters
        ----------
        directory : str or path-like

        Returns
        -------
        SymmetryTokenizer

        Raises
        ------
        ValueError
            If the file is missing or unreadable, or has another format or vocabulary.
        """
        path = Path(directory) / TOKENIZER_FILE
        try:
            content = json.loads(read_text(path))
            version, saved = content["format_version"], content["vocabulary"]
        except FileNotFoundError:
            raise ValueError(f"There is no tokenizer file {path}.") from None
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is not a tokenizer file: {shorten(repr(error))}") from error
        if version != FORMAT_VERSION:
            raise ValueError(
                f"{path} has format version {version}, but this version of sklearn-cloud reads "
                f"{FORMAT_VERSION}: update sklearn-cloud, or save the tokenizer again."
            )
        tokenizer = cls()
        if tuple(saved) != tokenizer.vocabulary:
            raise ValueError(f"{path}: {tokenizer._difference(saved)}")
        return tokenizer

    def describe(self):
        """Return a JSON description of this tokenizer, for `from_description`."""
        return {"format_version": FORMAT_VERSION, "sha256": self._sha256()}

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
            If its vocabulary is not that of this version.
        """
        tokenizer = cls()
        if description["sha256"] != tokenizer._sha256():
            raise ValueError(
                f"its vocabulary (format version {description['format_version']}) is not that "
                "of this version of sklearn-cloud"
            )
        return tokenizer

    def _sha256(self):
        return hashlib.sha256("\n".join(self.vocabulary).encode()).hexdigest()

    def _difference(self, saved):
        for i, (ours, theirs) in enumerate(zip(self.vocabulary, saved)):
            if ours != theirs:
                found = shorten(repr(theirs))
                return f"the vocabulary differs: token {i} is {found}, expected {ours!r}."
        return f"the vocabulary has {len(saved)} tokens, expected {len(self)}."

    def to_hugging_face(self):
        """Return a transformers tokenizer with the same vocabulary and ids.

        Returns
        -------
        transformers.PreTrainedTokenizer
        """
        from .hugging_face import HuggingFaceTokenizer

        return HuggingFaceTokenizer()
