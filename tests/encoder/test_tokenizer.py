import json
import subprocess
import sys
from pathlib import Path

import pytest

import sklearn_cloud
from sklearn_cloud.encoder import SymmetryTokenizer
from sklearn_cloud.encoder.config import PAD_ID, VOCABULARY_SIZE
from sklearn_cloud.encoder.tokenizer import PARTS, TOKENIZER_FILE

ZIRCONATE = "0 3 a D D O b O O O j O O O 0 | 4a 8b | Rb 0.33 Zr 0.17 O 0.5"
STRINGS = [
    ZIRCONATE,
    "0 3 a D D O b O O O j O O O 0 | 4a Rb 4a Zr 8b O x10 x2 | Rb 0.33 Zr 0.17 O 0.5",
    "1 3 b O O O g O D D c O O O 1 X Y Z | 8A 192l | F 1.0",
    "4a 8b | O 0.07 Og 0.93",
    "0 0 0",
    "1a",
    "Rb 0.0 O 1.0",
    "0 0 0 | O 1.0",
]


@pytest.fixture(scope="module")
def tokenizer():
    return SymmetryTokenizer()


@pytest.mark.parametrize("string", STRINGS)
def test_decode_inverts_encode(tokenizer, string):
    ids = tokenizer.encode(string)
    assert tokenizer.decode(ids) == string
    assert len(ids) == len(string.split(" ")) + 2
    assert (ids[0], ids[-1]) == (tokenizer.cls_id, tokenizer.sep_id)


def test_vocabulary_is_closed_and_stable(tokenizer):
    assert len(tokenizer) == len(set(tokenizer.vocabulary)) == VOCABULARY_SIZE
    assert tokenizer.pad_id == PAD_ID
    assert tokenizer.vocabulary[:6] == ("[PAD]", "[CLS]", "[SEP]", "[MASK]", "|", "generator:0")
    assert tokenizer.vocabulary[-1] == "1.0"
    # The ids are written into every checkpoint: this list must never change.
    assert tokenizer.encode("0 3 a D O 0 | 4a 8b O x2 | Rb 0.33 O 0.5") == [
        1, 5, 8, 15, 32, 36, 5, 4, 77, 115, 260, 227, 4, 289, 404, 260, 421, 2,
    ]  # fmt: skip


def test_every_word_of_each_kind_round_trips(tokenizer):
    for i in range(101):
        assert tokenizer.tokens(f"O {round(i / 100, 2)}")[2] == str(round(i / 100, 2))
    data = Path(sklearn_cloud.__file__).parent / "data" / "wyckoff_positions.json"
    if not data.exists():
        pytest.skip("the table of Wyckoff positions is not part of this build")
    groups = json.loads(data.read_text()).values()
    symbols = {symbol for group in groups for symbol in group["positions"]}
    assert symbols <= set(tokenizer.vocabulary)
    assert len(symbols) == 186


def test_generator_letters_are_not_elements(tokenizer):
    for letter in "OCBFY":
        generator = tokenizer.encode(f"0 {letter} 0")[2]
        element = tokenizer.encode(f"{letter} 1.0")[1]
        assert generator != element
        assert tokenizer.vocabulary[generator] == f"generator:{letter}"


def test_part_ids_follow_the_context(tokenizer):
    ids = tokenizer.encode("0 O 0 | 4a O x2 | O 1.0") + [tokenizer.pad_id]
    names = [PARTS[i] for i in tokenizer.part_ids(ids)]
    assert names == (
        ["special"] + ["generator"] * 3 + ["special"] + ["sites"] * 3 + ["special"]
        + ["composition"] * 2 + ["special"] * 2
    )  # fmt: skip


@pytest.mark.parametrize(
    ("string", "message"),
    [
        ("0 3 Q", "'Q' at position 2"),
        ("0 0 0 | 4q9 | O 1.0", "'4q9' at position 4"),
        ("0 0 0 | 4a | Xx 1.0", "'Xx' at position 6"),
        ("Rb 0.333", "'0.333' at position 1"),
        ("Rb 0.3 0.7", "'0.7' at position 2"),
        ("0 0 0  | 1a", "'' at position 3"),
        ("", "'' at position 0"),
        ("[MASK]", r"'\[MASK\]' at position 0"),
        ("Rb 0.33 Zr", "'Zr' has no atomic fraction"),
        ("4a | 0 0 0", "generator part is out of order"),
        ("4a | 8b", "sites part is out of order"),
    ],
)
def test_unknown_or_misplaced_tokens_are_named(tokenizer, string, message):
    with pytest.raises(ValueError, match=message):
        tokenizer.encode(string)
    with pytest.raises(ValueError, match=f"Row 1: .*{message}"):
        tokenizer.encode_batch(["1a", string])


def test_encode_needs_text(tokenizer):
    with pytest.raises(TypeError, match="got float"):
        tokenizer.encode(1.0)
    with pytest.raises(TypeError, match="Row 1.*NoneType"):
        tokenizer.encode_batch(["1a", None])


def test_encode_batch_encodes_distinct_strings_once(tokenizer):
    first, second, again = tokenizer.encode_batch(["1a", "2b", "1a"])
    assert first is again
    assert second == tokenizer.encode("2b")


@pytest.mark.parametrize("bad", [-1, VOCABULARY_SIZE])
def test_decode_refuses_ids_outside(tokenizer, bad):
    with pytest.raises(ValueError, match=f"id {bad} is outside"):
        tokenizer.decode([1, bad, 2])


def test_save_and_read(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path / "new")
    read = SymmetryTokenizer.from_pretrained(tmp_path / "new")
    assert read.vocabulary == tokenizer.vocabulary


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content["vocabulary"].reverse(), "token 0 is '1.0', expected '.PAD.'"),
        (lambda content: content["vocabulary"].pop(), "has 471 tokens, expected 472"),
        (lambda content: content.update(format_version=99), "format version 99"),
        (lambda content: content.pop("vocabulary"), "not a tokenizer file"),
    ],
)
def test_another_vocabulary_is_refused(tokenizer, tmp_path, change, message):
    tokenizer.save_pretrained(tmp_path)
    path = tmp_path / TOKENIZER_FILE
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=message):
        SymmetryTokenizer.from_pretrained(tmp_path)


def test_missing_and_damaged_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no tokenizer file"):
        SymmetryTokenizer.from_pretrained(tmp_path)
    (tmp_path / TOKENIZER_FILE).write_text('{"format_version": 1, "voc')
    with pytest.raises(ValueError, match="not a tokenizer file"):
        SymmetryTokenizer.from_pretrained(tmp_path)


def test_hugging_face_tokenizer_has_the_same_ids(tokenizer):
    hugging_face = tokenizer.to_hugging_face()
    batch = hugging_face(STRINGS[:3], padding=True)
    for string, ids, mask in zip(STRINGS, batch["input_ids"], batch["attention_mask"]):
        expected = tokenizer.encode(string)
        assert ids[: sum(mask)] == expected
        assert set(ids[sum(mask) :]) <= {tokenizer.pad_id}
        assert hugging_face.decode(expected, skip_special_tokens=True) == string


def test_tokenizer_does_not_import_torch():
    code = "import sys; from sklearn_cloud.encoder import SymmetryTokenizer as T; T().encode('1a')"
    code += "; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
