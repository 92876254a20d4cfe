import multiprocessing
import os
import pickle
import sys
import time

import numpy as np
import pytest
import spglib
from pymatgen.core import Lattice, Structure

from sklearn_cloud import CrystalError, SymmetryStringTransformer, symmetry_string
from sklearn_cloud.crystals import cells, limits, read_crystal, time_limit
from sklearn_cloud.crystals.limits import may_be_slow
from sklearn_cloud.crystals.time_limit import within_limit
from sklearn_cloud.datasets import load_example
from sklearn_cloud.features import GeometryFeatures, calculations, elasticity
from sklearn_cloud.relaxation.free_parameters import FreeParameters
from sklearn_cloud.symmetry.search import equivalent_sites

PAIR = [[0, 0, 0], [0.5, 0.5, 0.5]]
ENDLESS = Structure(
    Lattice.from_parameters(2.134, 2.134, 24.291, 113.5, 115.9, 69), ["Na", "Cl"], PAIR
)
CSCL = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], PAIR)
LONG = 300  # seconds; nothing here comes near


def test_a_function_that_never_returns():
    with pytest.raises(CrystalError, match="ended after 0.05 seconds; use a smaller symprec"):
        within_limit(time.sleep, 10**6, seconds=0.05)
    assert within_limit(max, [1, 2], seconds=LONG) == 2


def test_one_process_answers_all_questions():
    first = within_limit(os.getpid, seconds=LONG)
    assert first != os.getpid()
    assert within_limit(os.getpid, seconds=LONG) == first


@pytest.mark.parametrize("crash", [os.abort, lambda: None])
def test_a_crash_is_an_error_of_one_row(crash):
    if crash is not os.abort:  # between two questions
        os.kill(within_limit(os.getpid, seconds=LONG), 9)
        time_limit._helpers[os.getpid()].process.wait()
    else:
        with pytest.raises(CrystalError, match="crashed"):
            within_limit(crash, seconds=LONG)
    assert within_limit(max, [1, 2], seconds=LONG) == 2


def test_exceptions_and_output():
    with pytest.raises(ValueError, match="invalid literal"):
        within_limit(int, "x", seconds=LONG)
    assert within_limit(os.write, 1, b"no answer", seconds=LONG) == 9
    assert within_limit(print, "no answer", seconds=LONG) is None


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_memory():
    with pytest.raises(CrystalError, match="more than 4 GB"):
        within_limit(bytes, 5 * 2**30, seconds=LONG)


def test_an_answer_that_nobody_waited_for(monkeypatch):
    ask = time_limit._ask

    def interrupted(process, question):
        ask(process, question)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(time_limit, "_ask", interrupted)
        with pytest.raises(KeyboardInterrupt):
            within_limit(max, [1, 2], seconds=LONG)
    assert within_limit(min, [1, 2], seconds=LONG) == 1


def _helper_of_a_fork(here):
    here.send(within_limit(os.getppid, seconds=LONG) == os.getpid())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_its_own():
    assert within_limit(os.getppid, seconds=LONG) == os.getpid()
    context = multiprocessing.get_context("fork")
    there, here = context.Pipe(duplex=False)
    child = context.Process(target=_helper_of_a_fork, args=(here,))
    child.start()
    assert there.recv()
    child.join()


def test_an_endless_search_is_an_error_of_its_row(monkeypatch):
    monkeypatch.setattr(limits, "SEARCH_SECONDS", 0.2)
    transformer = SymmetryStringTransformer(symprec=0.5, on_error="warn")
    with pytest.warns(UserWarning, match="row 1: the symmetry search was ended after"):
        first, second, third = transformer.fit_transform([CSCL, ENDLESS, "NaCl"])
    assert first and second is None and third


def test_the_same_for_features(monkeypatch):
    monkeypatch.setattr(limits, "SEARCH_SECONDS", 0.2)
    features = GeometryFeatures(symprec=0.5, on_error="warn")
    with pytest.warns(UserWarning, match="row 1: the symmetry search was ended after"):
        rows = features.fit_transform([CSCL, ENDLESS])
    assert np.isfinite(rows[0]).all() and np.isnan(rows[1]).all()


@pytest.mark.parametrize("backend", ["moyopy", "spglib"])
def test_the_same_string_in_the_other_process(backend, monkeypatch):
    structures = load_example().structures[:20]
    expected = [symmetry_string(one, backend=backend) for one in structures]
    monkeypatch.setattr(limits, "_MANY_SITES", 0)
    assert [symmetry_string(one, backend=backend) for one in structures] == expected


def endless(cell, symprec):
    time.sleep(10**6)


def primitive(crystal):
    return calculations.primitive_cell(crystal, {"Cs": 55, "Cl": 17}, 0.1)


SPGLIB = {  # who asks, and what
    "find_primitive": primitive,
    "get_symmetry": lambda crystal: elasticity.site_operations(primitive(crystal)),
    "get_symmetry_dataset": lambda crystal: FreeParameters(crystal, 0.1),
}


@pytest.mark.parametrize(("name", "ask"), SPGLIB.items())
def test_direct_searches_of_spglib(name, ask, monkeypatch):
    crystal = read_crystal(CSCL)
    expected = ask(crystal)
    monkeypatch.setattr(limits, "_MANY_SITES", 0)
    found = ask(crystal)  # in the other process
    if name == "get_symmetry_dataset":
        expected, found = expected.strains, found.strains
    assert pickle.dumps(found) == pickle.dumps(expected)
    monkeypatch.setattr(limits, "SEARCH_SECONDS", 0.2)
    monkeypatch.setattr(spglib, name, endless)
    with pytest.raises(CrystalError, match="the symmetry search was ended after"):
        ask(crystal)


def test_direct_searches_of_cells_that_are_too_thin():
    crystal = read_crystal(Structure(Lattice.orthorhombic(3, 4, 300), ["Cs", "Cl"], PAIR))
    with pytest.raises(CrystalError, match="too long and thin for symprec=0.5"):
        calculations.primitive_cell(crystal, {"Cs": 55, "Cl": 17}, 0.5)


def test_equivalent_sites_in_the_other_process(monkeypatch):
    crystal = read_crystal(CSCL * (2, 1, 1))
    expected = equivalent_sites(crystal, symprec=0.1)
    asked = []
    monkeypatch.setattr(limits, "_MANY_SITES", 0)
    monkeypatch.setattr(
        cells,
        "within_limit",
        lambda *task, seconds: asked.append(1) or within_limit(*task, seconds=seconds),
    )
    assert equivalent_sites(crystal, symprec=0.1) == expected == [0, 0, 2, 2]
    assert asked


def test_what_may_be_slow():
    def slow(structure, symprec=0.1, angle_tolerance=None):
        crystal = read_crystal(structure)
        return may_be_slow(crystal.lattice, len(crystal.kinds), symprec, angle_tolerance)

    assert not any(map(slow, load_example().structures))
    assert slow(CSCL, symprec=0.5) and slow(CSCL, angle_tolerance=5.0)
    assert slow(CSCL * (7, 7, 7)) and slow(ENDLESS, symprec=0.2)
