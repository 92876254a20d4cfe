"""Readable tokens of a string, and their parts of the string."""

from ..crystals.crystal import ELEMENT_RANK
from ..encoder.tokenizer import GENERATOR_PREFIX
from ..symmetry.generators import space_group_number

SPECIAL = "special"  # part of [CLS], [SEP] and the separators
NUMBERS = "[numbers]"  # the token that a network makes of the numbers next to a string
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


def name_groups(tokens, parts):
    """Return what each token says about the crystal.

    Parameters
    ----------
    tokens, parts : tuple of str
        As returned by `name_tokens`.

    Returns
    -------
    list of (str, str) or None
        ("symmetry", "space group 221"), ("site", "3c O") or ("element", "O"); None for the special
        tokens. An atomic fraction belongs to the element before it, an element or a count in the
        sites to the Wyckoff symbol before it.
    """
    words = [[]]  # the places of the tokens of each word
    for place, token in enumerate(tokens):
        if token.startswith(_CONTINUED) and words[-1]:
            words[-1].append(place)
        else:
            words.append([place])
    groups, site, element = [None] * len(tokens), None, None
    name_of_group = f"space group {_space_group(tokens, parts)}"
    for places in filter(None, words):
        word = "".join(tokens[place].removeprefix(_CONTINUED) for place in places)
        part = parts[places[0]]
        if part == "sites" and word[0].isdigit():
            site = [word]
        elif part == "sites" and word in ELEMENT_RANK:
            site.append(word)
        elif part == "composition" and word in ELEMENT_RANK:
            element = word
        found = {"generator": ("symmetry", name_of_group), "composition": ("element", element)}
        for place in places:
            groups[place] = ("site", site) if part == "sites" else found.get(part)
    return [(g[0], " ".join(g[1])) if g and g[0] == "site" else g for g in groups]


def _space_group(tokens, parts):
    """Return the number of the space group, or the generators if they are of none."""
    words = [t.removeprefix(_CONTINUED) for t, part in zip(tokens, parts) if part == "generator"]
    try:
        return space_group_number(" ".join("".join(words)))
    except ValueError:
        return "".join(words)
