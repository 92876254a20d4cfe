"""Readable tokens of a string, and their parts of the string."""

from ..encoder.tokenizer import GENERATOR_PREFIX

SPECIAL = "special"  # part of [CLS], [SEP] and the separators
_NO_PART = ("[CLS]", "[SEP]", "[PAD]", "[MASK]", "|")
_CONTINUED = "##"  # prefix of a word piece in the vocabulary of the original checkpoints


def name_tokens(tokenizer, ids):
    """Return the text and the part of each token.

    Parameters
    ----------
    tokenizer : SymmetryTokenizer or OriginalTokenizer
    ids : sequence of int
        Token ids of one string.

    Returns
    -------
    tokens : tuple of str
        The tokens as written in the string.
    parts : tuple of {"generator", "sites", "composition", "special"}
    """
    tokens = tuple(tokenizer.vocabulary[i].removeprefix(GENERATOR_PREFIX) for i in ids)
    parts, part = [], SPECIAL
    for i, token in enumerate(tokens):
        if token in _NO_PART:
            part = SPECIAL
        elif part == SPECIAL:
            part = _part_that_starts_with(token, tokens[i + 1])
        parts.append(part)
    return tokens, tuple(parts)


def _part_that_starts_with(token, following):
    if token[0].isalpha():
        return "composition"
    # Generator strings start with the word 0 or 1; a Wyckoff symbol continues with its letter.
    is_word = token in ("0", "1") and not following.startswith(_CONTINUED)
    return "generator" if is_word else "sites"
