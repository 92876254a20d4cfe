"""CrystalData: crystals with targets, shown as a short table."""

import numpy as np
from sklearn.utils import Bunch

from .crystal_table import describe_crystals

_SHOWN = 5  # rows


class CrystalData(Bunch):
    """A `sklearn.utils.Bunch` that shows what is in it.

    Examples
    --------
    >>> from sklearn_cloud.datasets import load_example
    >>> load_example()  # a CrystalData
    <CrystalData: 302 crystals, band_gap from 0.11 to 14.2 eV>
    """

    def __repr__(self):
        crystals = self._crystals()
        rows = "nothing" if crystals is None else f"{len(crystals)} crystals"
        target = self._describe_target()
        return f"<{type(self).__name__}: {rows}{f', {target}' if target else ''}>"

    def _repr_html_(self):
        from html import escape

        crystals = self._crystals()
        title = f"<p>{escape(repr(self))}</p>"
        if crystals is None or not len(crystals):
            return title
        table = describe_crystals(crystals[:_SHOWN])
        if self.get("target") is not None:
            table[self._target_name()] = np.asarray(self.target)[:_SHOWN]
        return title + table.to_html()

    def _crystals(self):
        for name in ("crystals", "structures", "compositions"):
            if self.get(name) is not None:
                return self[name]
        return None

    def _target_name(self):
        names = self.get("target_names") or [self.get("target_name") or "target"]
        return names[0]

    def _describe_target(self):
        target = self.get("target")
        if target is None or not len(target):
            return ""
        values = np.asarray(target)
        name = self._target_name()
        if values.dtype.kind not in "fiu":
            return f"{name} with {len(set(values.tolist()))} values"
        unit = f" {self['unit']}" if self.get("unit") else ""
        return f"{name} from {np.nanmin(values):.4g} to {np.nanmax(values):.4g}{unit}"
