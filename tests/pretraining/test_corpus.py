import json
import os
import zlib

import numpy as np
import pytest
from corpora import cscl, make_corpus, make_crystals, make_records
from pymatgen.core import Lattice, Structure

from sklearn_cloud.crystals.crystal import Crystal
from sklearn_cloud.crystals.geometry import GEOMETRY, describe_geometry
from sklearn_cloud.crystals.reading import read_crystal
from sklearn_cloud.encoder import SymmetryTokenizer
from sklearn_cloud.pretraining import corpus_builder
from sklearn_cloud.pretraining.corpus import Corpus, JoinedCorpus, _keep_open, held_out_rows
from sklearn_cloud.pretraining.corpus_builder import CorpusSource, build_corpus
from sklearn_cloud.pretraining.corpus_sources import SymmetryRecord
from sklearn_cloud.pretraining.language import SymmetryLanguage
from sklearn_cloud.symmetry import symmetry_string

TOKENIZER = SymmetryTokenizer()
PEROVSKITE = Structure(
    Lattice.cubic(4.0),
    ["Sr", "Ti", "O", "O", "O"],
    [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]],
)
TRICLINIC = Structure(
    Lattice.from_parameters(4.1, 5.3, 6.7, 81, 97, 103),
    ["Ca", "Mg", "O", "O", "F", "F"],
    [
        [0, 0.5, 0],
        [0.5, 0.5, 0.5],
        [0.13, 0.22, 0.71],
        [0.87, 0.78, 0.29],
        [0.41, 0.33, 0.94],
        [0.59, 0.67, 0.06],
    ],
)
CSCL_RECORD = SymmetryRecord({"Cs": 1.0, "Cl": 1.0}, 221, ("a", "b"))


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def strings(corpus):
    return [TOKENIZER.decode(corpus[row][0]) for row in range(len(corpus))]


def identifiers(corpus):
    return [
        name
        for shard in corpus.manifest["shards"]
        for name in (corpus.folder / f"{shard['name']}.identifiers.txt").read_text().splitlines()
    ]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("corpus"), chunk_size=50, shard_rows=80)


@pytest.mark.parametrize("sites", ["set", "orbits"])
def test_rows_are_the_strings_of_the_crystals(sites, tmp_path):
    items = [("first", PEROVSKITE), ("second", TRICLINIC)]
    corpus = make_corpus(tmp_path, items, sites=sites)
    assert strings(corpus) == [symmetry_string(crystal, sites=sites) for _, crystal in items]
    assert identifiers(corpus) == ["first", "second"]
    for row, (_, crystal) in enumerate(items):
        numbers, _ = describe_geometry(read_crystal(crystal), symprec=0.1)
        np.testing.assert_array_equal(corpus[row][2], numbers)


def test_distances_stand_at_the_orbits(tmp_path):
    corpus = make_corpus(tmp_path, [("a", PEROVSKITE)], sites="orbits")
    tokens, distances, _ = corpus[0]
    words = [TOKENIZER.vocabulary[token] for token in tokens]
    places = np.flatnonzero(~np.isnan(distances))
    expected = {"Sr": 4 / np.sqrt(2), "Ti": 2.0, "O": 2.0}
    assert [words[place] for place in places] == ["1a", "1b", "3c"]
    for place in places:  # the element follows its Wyckoff symbol
        assert distances[place] == pytest.approx(np.log(expected[words[place + 1]]), abs=1e-3)


def test_distances_of_a_set_are_means_over_its_orbits(tmp_path):
    crystal = Structure(
        TRICLINIC.lattice, ["Ca", "O", "F"], [[0, 0, 0], [0.3, 0.2, 0.1], [0.45, 0.6, 0.55]]
    )
    tokens, distances, _ = make_corpus(tmp_path, [("a", crystal)])[0]
    words = np.array([TOKENIZER.vocabulary[token] for token in tokens])
    _, nearest = describe_geometry(read_crystal(crystal), symprec=0.1)
    assert np.ptp(nearest) > 0.1
    assert distances[words == "1a"] == pytest.approx([nearest.mean()], abs=1e-3)
    assert (~np.isnan(distances)).sum() == 1


def test_records_have_no_geometry_and_are_sets(tmp_path):
    corpus = make_corpus(tmp_path, [("a", CSCL_RECORD)], sites="orbits")
    tokens, distances, geometry = corpus[0]
    assert TOKENIZER.decode(tokens) == symmetry_string(
        Structure(Lattice.cubic(4), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]), sites="set"
    )
    assert np.isnan(distances).all() and np.isnan(geometry).all()
    assert len(geometry) == len(GEOMETRY)


def test_densest_of_the_same_formula_and_space_group_is_kept(tmp_path):
    supercell = Structure(Lattice.cubic(3.9), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]) * 2
    items = [
        ("record", CSCL_RECORD),
        ("wide", cscl("Cs", "Cl", 4.2)),
        ("supercell", supercell),
        ("middle", cscl("Cs", "Cl", 4.0)),
        ("other element", cscl("Cs", "Br", 4.3)),
        ("other group", SymmetryRecord({"Cs": 4.0, "Cl": 4.0}, 225, ("a", "b"))),
        ("other group again", SymmetryRecord({"Cs": 1.0, "Cl": 1.0}, 225, ("a", "b"))),
    ]
    corpus = make_corpus(tmp_path, items, chunk_size=2)
    assert identifiers(corpus) == ["supercell", "other element", "other group"]
    (source,) = corpus.manifest["sources"]
    assert (source["read"], source["kept"]) == (7, 3)
    assert corpus.manifest["dropped"] == {"same formula and space group as a denser crystal": 4}


def test_reasons_of_dropping_are_counted(tmp_path):
    lonely = Crystal(
        np.eye(3) * 40, np.zeros((1, 3)), np.zeros(1, dtype=np.int32), ((("Ar", 1.0),),)
    )
    items = [
        ("kept", cscl("Cs", "Cl", 4.0)),
        ("unread", ValueError("'a.cif' cannot be read as a crystal")),
        ("unread too", ValueError("'b.cif' cannot be read as a crystal")),
        ("lonely", lonely),
        ("dummy", cscl("X", "Cl", 4.0)),
        ("not finite", cscl("Cs", "Cl", np.nan)),
        ("formula", "NaCl"),
        ("nothing", None),
        ("element", SymmetryRecord({"Xx": 1.0}, 221, ("a",))),
        ("group", SymmetryRecord({"Na": 1.0}, 231, ("a",))),
        ("letter", SymmetryRecord({"Na": 1.0}, 1, ("b",))),
        ("no letters", SymmetryRecord({"Na": 1.0}, 1, ())),
        ("no atoms", SymmetryRecord({}, 1, ("a",))),
        ("long", TRICLINIC),
    ]
    corpus = make_corpus(tmp_path, items, max_tokens=28)
    dropped = corpus.manifest["dropped"]
    assert len(corpus) == 1
    assert sum(dropped.values()) == len(items) - 1
    assert dropped["... cannot be read as a crystal"] == 2
    assert dropped["more tokens than max_tokens"] == 1
    for reason in ("no neighbour", "elements", "no space group", "without sites"):
        assert any(reason in found for found in dropped), reason


def test_nothing_left_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no crystals are left.*without a structure"):
        make_corpus(tmp_path / "a", [("formula", "NaCl")])
    with pytest.raises(ValueError, match="no crystals are left"):
        make_corpus(tmp_path / "b", [])


def test_source_paths(tmp_path):
    table = tmp_path / "t.tsv"
    table.write_text("id\ts\tl\tp\nx\tPo1\t3.3 0 0 0 3.3 0 0 0 3.3\t0 0 0\n")
    records = tmp_path / "t.csv"
    records.write_text("source,id,cell_formula,space_group,wyckoff_letters\ns,1,NaCl,225,4a 4b\n")
    (tmp_path / "cifs").mkdir()
    PEROVSKITE.to(filename=str(tmp_path / "cifs" / "p.cif"))
    sources = [
        CorpusSource("table", table, "CC-BY 4.0", "https://example.org"),
        CorpusSource("records", str(records)),
        CorpusSource("cifs", tmp_path / "cifs"),
    ]
    corpus = build_corpus(tmp_path / "corpus", sources)
    assert identifiers(corpus) == ["x", "s/1", "p.cif"]
    assert corpus.manifest["sources"][0] == {
        "name": "table",
        "items": "t.tsv",
        "licence": "CC-BY 4.0",
        "url": "https://example.org",
        "read": 1,
        "kept": 1,
    }
    with pytest.raises(ValueError, match="neither a folder of crystal files nor"):
        build_corpus(tmp_path / "other", [CorpusSource("x", tmp_path / "t.json")])


def test_interrupted_build_resumes(corpus, tmp_path, monkeypatch):
    code = corpus_builder.code_chunk

    def interrupted():
        yield from make_crystals()
        yield from make_records()[:90]
        raise RuntimeError("the power is gone")

    with pytest.raises(RuntimeError, match="power"):
        make_corpus(tmp_path, interrupted(), chunk_size=50, shard_rows=80)
    with pytest.raises(ValueError, match="resumes an interrupted build"):
        Corpus(tmp_path)
    made = []
    monkeypatch.setattr(
        corpus_builder, "code_chunk", lambda path, *args: made.append(path) or code(path, *args)
    )
    make_corpus(tmp_path, chunk_size=50, shard_rows=80)
    assert [path.name for path in made] == ["00-000002.npz", "00-000003.npz", "00-000004.npz"]
    assert files(tmp_path) == files(corpus.folder)


def test_a_lost_manifest_is_made_again(corpus, tmp_path):
    make_corpus(tmp_path, chunk_size=50, shard_rows=80)
    for name in ("corpus.json", "shard-00001.tokens.npy"):
        (tmp_path / name).unlink()
    make_corpus(tmp_path, chunk_size=50, shard_rows=80)
    assert files(tmp_path) == files(corpus.folder)


def interrupt(folder):
    """Begin a build and end it after two chunks."""

    def interrupted():
        yield from [*make_crystals(), *make_records()][:100]
        raise RuntimeError("the power is gone")

    with pytest.raises(RuntimeError, match="power"):
        make_corpus(folder, interrupted(), chunk_size=50)


def test_damaged_chunk_is_named(tmp_path):
    interrupt(tmp_path)
    chunk = tmp_path / "chunks" / "00-000001.npz"
    chunk.write_bytes(chunk.read_bytes()[:500])
    with pytest.raises(ValueError, match="00-000001.npz' is damaged .*: remove this file"):
        make_corpus(tmp_path, chunk_size=50)


def test_leftovers_of_a_build_are_removed(corpus, tmp_path):
    interrupt(tmp_path)
    for name in ("chunks/.00-000007.npz.1234.part", ".corpus.json.1234.part"):
        (tmp_path / name).write_text("half")
    (tmp_path / "shard-00007.tokens.npy").write_text("of another division into shards")
    (tmp_path / "notes.txt").write_text("of the user")
    make_corpus(tmp_path, chunk_size=50, shard_rows=80)
    assert set(files(tmp_path)) == {*files(corpus.folder), "notes.txt"}
    assert not (tmp_path / "chunks").exists()


def test_two_workers_write_what_one_writes(corpus, tmp_path):
    make_corpus(tmp_path, chunk_size=50, shard_rows=80, n_jobs=2)
    assert files(tmp_path) == files(corpus.folder)


def test_finished_corpus_is_returned(corpus, monkeypatch):
    monkeypatch.setattr(corpus_builder, "code_chunk", pytest.fail)
    again = make_corpus(corpus.folder, chunk_size=50, shard_rows=80)
    assert again.manifest == corpus.manifest


def other_coordinate():
    items = [*make_crystals(), *make_records()]
    items[7] = (items[7][0], cscl("Na", "I", 3.9))
    return items


@pytest.mark.parametrize(
    "items",
    [
        make_crystals(),
        other_coordinate(),
        [("renamed", item) for _, item in [*make_crystals(), *make_records()]],
        [*make_crystals(), *make_records(seed=1)],
        [],
    ],
)
def test_other_crystals_under_the_same_name(corpus, items, tmp_path):
    with pytest.raises(ValueError, match="other crystals under the name 'made up': choose"):
        make_corpus(corpus.folder, items, chunk_size=50)
    interrupt(tmp_path)
    if items[50:]:
        with pytest.raises(ValueError, match="other crystals under the name 'made up': choose"):
            make_corpus(tmp_path, items, chunk_size=50)


@pytest.mark.parametrize("kind", ["table", "folder"])
def test_other_crystals_in_the_same_file(kind, tmp_path):
    row = "x\tPo1\t{0} 0 0 0 {0} 0 0 0 {0}\t0 0 0\n"
    path = tmp_path / ("table.tsv" if kind == "table" else "cifs")

    def write(a):
        if kind == "table":
            path.write_text("id\ts\tl\tp\n" + row.format(a))
        else:
            path.mkdir(exist_ok=True)
            Structure(Lattice.cubic(a), ["Po"], [[0, 0, 0]]).to(filename=str(path / "x.cif"))

    write(3.3)
    source = CorpusSource("same name", path)
    corpus = build_corpus(tmp_path / "corpus", [source])
    assert build_corpus(tmp_path / "corpus", [source]).manifest == corpus.manifest
    write(3.4)
    with pytest.raises(ValueError, match="corpus with other settings .crystals.: choose"):
        build_corpus(tmp_path / "corpus", [source])
    path.rename(tmp_path / "moved")  # nothing to compare with
    assert build_corpus(tmp_path / "corpus", [source]).manifest == corpus.manifest


def test_objects_and_files_are_compared(tmp_path):
    PEROVSKITE.to(filename=str(tmp_path / "p.cif"))
    items = [("object", TRICLINIC), ("file", tmp_path / "p.cif"), ("none", None), ("bad", "Xy")]
    corpus = make_corpus(tmp_path / "corpus", items)
    assert make_corpus(tmp_path / "corpus", items).manifest == corpus.manifest
    TRICLINIC.to(filename=str(tmp_path / "p.cif"))
    with pytest.raises(ValueError, match="other crystals"):
        make_corpus(tmp_path / "corpus", items)


def test_more_shards_than_file_descriptors(tmp_path):
    resource = pytest.importorskip("resource", reason="needs Unix")
    corpus = make_corpus(tmp_path, chunk_size=1, shard_rows=1)
    n_shards = len(corpus.manifest["shards"])
    assert n_shards > 150
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    n_open = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 100
    _keep_open.cache_clear()
    resource.setrlimit(resource.RLIMIT_NOFILE, (n_open + 300, limits[1]))
    try:
        corpus = Corpus(tmp_path)
        rows = [corpus[row][0].tolist() for row in range(len(corpus))]
        assert [tokens.tolist() for tokens in corpus.iter_tokens()] == rows
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        _keep_open.cache_clear()
    assert 4 * n_shards > 600 and len(rows) == corpus.manifest["rows"]


@pytest.mark.parametrize(
    "options", [{"sites": "orbits"}, {"symprec": 0.01}, {"max_tokens": 99}, {"chunk_size": 7}]
)
def test_other_options_are_refused(corpus, options):
    with pytest.raises(
        ValueError, match=f"corpus with other settings .{next(iter(options))}.: choose"
    ):
        make_corpus(corpus.folder, **{"chunk_size": 50, "shard_rows": 80, **options})
    source = CorpusSource("renamed", make_crystals())
    with pytest.raises(ValueError, match="other settings .sources"):
        build_corpus(corpus.folder, [source], chunk_size=50)


@pytest.mark.parametrize(
    "options", [{"sites": "both"}, {"symprec": 0}, {"chunk_size": 0}, {"shard_rows": 0}]
)
def test_impossible_options_are_refused(options, tmp_path):
    with pytest.raises(ValueError, match=next(iter(options))):
        make_corpus(tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


def test_shards_are_one_sequence(corpus):
    assert [shard["rows"] for shard in corpus.manifest["shards"]] == [92, 76]
    assert len(corpus) == corpus.manifest["rows"] == 168
    assert [len(corpus[row][0]) for row in range(168)] == corpus.lengths.tolist()
    in_order = [tokens.tolist() for tokens in corpus.iter_tokens()]
    assert in_order == [corpus[row][0].tolist() for row in range(168)]
    for row in (-1, 168):
        with pytest.raises(IndexError):
            corpus[row]


def test_geometry_statistics_are_those_of_the_rows(corpus):
    geometry = np.array([corpus[row][2] for row in range(len(corpus))], dtype=float)
    known = geometry[~np.isnan(geometry).any(axis=1)]
    assert len(known) == 24
    np.testing.assert_allclose(corpus.manifest["geometry"]["mean"], known.mean(axis=0), atol=1e-9)
    scale = np.maximum(known.std(axis=0), 1e-6)
    np.testing.assert_allclose(corpus.manifest["geometry"]["scale"], scale, atol=1e-6)


def edit_manifest(folder, **changes):
    path = folder / "corpus.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def flip_byte(path):
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: (d / "shard-00001.tokens.npy").unlink(), "lacks shard-00001.tokens.npy"),
        (lambda d: flip_byte(d / "shard-00000.tokens.npy"), "checksum is wrong"),
        (lambda d: flip_byte(d / "shard-00001.geometry.npy"), "checksum is wrong"),
        (lambda d: truncate(d / "shard-00000.distances.npy"), "shard-00000.distances.npy' is dam"),
        (lambda d: truncate(d / "corpus.json"), "corpus.json' is damaged"),
        (lambda d: (d / "corpus.json").write_text("[]"), "not the manifest of a corpus"),
        (lambda d: (d / "corpus.json").unlink(), "is not a corpus"),
        (lambda d: edit_manifest(d, vocabulary="0" * 64), "another vocabulary"),
        (lambda d: edit_manifest(d, format_version=2), "has format version 2"),
    ],
)
def test_damaged_corpora_are_refused(damage, message, tmp_path):
    make_corpus(tmp_path, chunk_size=50, shard_rows=80)
    damage(tmp_path)
    with pytest.raises(ValueError, match=message):
        Corpus(tmp_path)


def test_unverified_corpora_are_still_checked_for_shape(tmp_path):
    make_corpus(tmp_path, chunk_size=50, shard_rows=80)
    path = tmp_path / "shard-00000.ends.npy"
    np.save(path, np.load(path)[:-1])
    with pytest.raises(ValueError, match="shard-00000 .* are inconsistent"):
        Corpus(tmp_path, verify=False)
    truncate(path)
    with pytest.raises(ValueError, match="damaged"):
        Corpus(tmp_path, verify=False)
    with pytest.raises(ValueError, match="is not a corpus"):
        Corpus(tmp_path / "missing")


def test_joined_corpora(corpus, tmp_path):
    orbits = make_corpus(tmp_path, sites="orbits")
    joined = JoinedCorpus([corpus, orbits])
    assert len(joined) == len(corpus) + len(orbits) == len(joined.lengths)
    for row in (0, len(corpus) - 1):
        np.testing.assert_array_equal(joined[row][0], corpus[row][0])
        np.testing.assert_array_equal(joined[len(corpus) + row][0], orbits[row][0])
    with pytest.raises(IndexError):
        joined[len(joined)]
    assert [t.tolist() for t in joined.iter_tokens()] == [
        joined[row][0].tolist() for row in range(len(joined))
    ]
    assert len({corpus.fingerprint, orbits.fingerprint, joined.fingerprint}) == 3
    with pytest.raises(ValueError, match="no corpora to join"):
        JoinedCorpus([])


def test_held_out_compositions_never_stand_on_both_sides(corpus, tmp_path):
    joined = JoinedCorpus([corpus, make_corpus(tmp_path, sites="orbits")])
    held_out = held_out_rows(joined, 0.2)
    assert 0.05 < held_out.mean() < 0.4
    sides = {}
    for string, side in zip(strings(joined), held_out, strict=True):
        sides.setdefault(string.split(" | ")[-1], set()).add(bool(side))
    assert len(sides) < len(corpus)  # polymorphs share a composition
    assert {len(side) for side in sides.values()} == {1}
    assert not held_out_rows(corpus, 0.0).any()
    # of rows held out with a small share, all are held out with a larger one
    assert not (held_out & ~held_out_rows(joined, 0.5)).any()


def test_held_out_rows_are_chosen_by_the_checksum_of_the_composition():
    separator = TOKENIZER.vocabulary.index("|")

    class Rows:
        """Rows of any bytes, among them two halves that together look like a separator."""

        language = SymmetryLanguage()
        rows = np.random.default_rng(0).choice(
            [separator, separator << 8, separator | separator << 8, 1, 0, 300], (400, 9)
        )

        def __len__(self):
            return len(self.rows)

        def iter_tokens(self):
            return iter(self.rows.astype(np.uint16))

    expected = []
    for tokens in Rows.rows.astype(np.uint16):
        places = np.flatnonzero(tokens == separator)
        composition = tokens[places[-1] if len(places) else 0 :]
        expected.append(zlib.crc32(composition.tobytes()) < 0.3 * 2**32)
    assert held_out_rows(Rows(), 0.3).tolist() == expected
