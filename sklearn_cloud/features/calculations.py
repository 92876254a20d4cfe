"""From crystals to what a potential says of them: frames, their responses, what is kept of them.

A calculation is a class made from a primitive cell, with `frames` (a list of `Frame`) and `finish`
(from the responses of these frames to a dictionary of arrays, which is what the cache keeps).
"""

from typing import NamedTuple

import numpy as np

from ..crystals.cells import search_spglib
from .disk_cache import content_key
from .elasticity import Strains
from .force_fields import load_force_field
from .frames import Frame
from .phonons import Displacements, ZoneDisplacements


class Settings(NamedTuple):
    """How the frames are made.

    Attributes
    ----------
    displacement : float
        In angstrom.
    strain : float
        Norm of the strains.
    symprec : float
        In angstrom.
    """

    displacement: float
    strain: float
    symprec: float


class Reference:
    """The crystal as it is."""

    used = ("symprec",)

    def __init__(self, cell, settings):
        self.frames = [cell]

    def finish(self, responses):
        """Energy (eV) of the primitive cell, forces (eV per angstrom), stress (eV per cubed)."""
        (response,) = responses
        return response._asdict()


CALCULATIONS = {
    "reference": Reference,
    "force_constants": Displacements,
    "strains": Strains,
    "zone": ZoneDisplacements,
}


class CalculationError(ValueError):
    """The potential cannot say anything of this crystal."""


def calculate(crystals, names, force_field, settings, cache, batch_size):
    """Results of calculations on crystals, from the cache or from the potential.

    Parameters
    ----------
    crystals : list of Crystal
    names : list of str
        Which `CALCULATIONS`.
    force_field : object
        See `force_fields`.
    settings : Settings
    cache : DiskCache or None
    batch_size : int
        Most atoms that the potential computes at a time.

    Returns
    -------
    list of dict or CalculationError
        {calculation: {name: array}} of each crystal, or what went wrong.
    """
    found = [_load(crystal, names, force_field, settings, cache) for crystal in crystals]
    plans = [_plan(c, known, names, force_field, settings) for c, known in zip(crystals, found)]
    frames = [
        f for plan in plans if isinstance(plan, dict) for p in plan.values() for f in p.frames
    ]
    responses = iter(compute_frames(force_field, frames, batch_size))
    results = []
    for crystal, known, plan in zip(crystals, found, plans, strict=True):
        if isinstance(plan, dict):
            plan = _finish(plan, responses)
        if isinstance(plan, dict):
            _store(crystal, plan, force_field, settings, cache)
            plan = {**known, **plan}
        results.append(plan)
    return results


def calculate_chunk(crystals, potential, options):
    """`calculate` in a worker, which loads the potential (name, device) once."""
    return calculate(crystals, force_field=load_force_field(*potential), **options)


def compute_frames(force_field, frames, batch_size):
    """A response for each frame, or the error that the potential raised for it."""
    results = []
    for batch in _batches(frames, batch_size):
        try:
            results += force_field.compute(batch)
        except Exception as error:  # noqa: BLE001 - potentials raise anything
            alone = len(batch) == 1
            results += [error] if alone else compute_frames(force_field, batch, 1)
    return results


def primitive_cell(crystal, numbers, symprec):
    """Primitive cell of an ordered crystal, its atoms where symmetry wants them exactly."""
    import spglib

    kinds = np.array([numbers[species[0][0]] for species in crystal.species])
    cell = (crystal.lattice, crystal.positions, kinds[crystal.kinds])
    return Frame(*(search_spglib(spglib.find_primitive, cell, symprec) or cell))


def _batches(frames, batch_size):
    batch, atoms = [], 0
    for frame in frames:
        if batch and atoms + len(frame.numbers) > batch_size:
            yield batch
            batch, atoms = [], 0
        batch.append(frame)
        atoms += len(frame.numbers)
    if batch:
        yield batch


def _group(name, force_field):
    return f"{force_field.tag}/{name}"


def _key(crystal, name, settings):
    return content_key(crystal, *(getattr(settings, used) for used in CALCULATIONS[name].used))


def _load(crystal, names, force_field, settings, cache):
    if cache is None or why_not(crystal, force_field):
        return {}
    loaded = {
        name: cache.load(_group(name, force_field), _key(crystal, name, settings)) for name in names
    }
    return {name: arrays for name, arrays in loaded.items() if arrays is not None}


def _store(crystal, results, force_field, settings, cache):
    if cache is not None:
        for name, arrays in results.items():
            cache.store(_group(name, force_field), _key(crystal, name, settings), arrays)


def why_not(crystal, force_field):
    """Why the potential cannot look at this crystal, or None."""
    disordered = [len(species) > 1 or species[0][1] < 1 - 1e-3 for species in crystal.species]
    if any(disordered):
        return "it is disordered: a potential reads whole atoms only: order the crystal first"
    unknown = sorted({s[0][0] for s in crystal.species} - set(force_field.elements))
    if unknown:
        return f"it has {', '.join(unknown)}, which the potential does not know"
    return None


def _plan(crystal, known, names, force_field, settings):
    """{name: calculation} of what is not known yet, or an error."""
    reason = why_not(crystal, force_field)
    if reason:
        return CalculationError(reason)
    missing = [name for name in names if name not in known]
    if not missing:
        return {}
    try:
        cell = primitive_cell(crystal, force_field.elements, settings.symprec)
        return {name: CALCULATIONS[name](cell, settings) for name in missing}
    except Exception as error:  # noqa: BLE001 - symmetry searches raise anything
        return CalculationError(f"no displacements or strains were found ({error!r:.200})")


def _finish(plan, responses):
    """{name: arrays}, or the first error; takes its own responses whatever happens."""
    taken = {name: [next(responses) for _ in task.frames] for name, task in plan.items()}
    for response in (one for group in taken.values() for one in group):
        if isinstance(response, Exception):
            return CalculationError(f"the potential failed ({response!r:.200})")
        if not all(np.isfinite(values).all() for values in response):
            return CalculationError("the potential diverged: energy or forces are not finite")
    return {name: task.finish(taken[name]) for name, task in plan.items()}
