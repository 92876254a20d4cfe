"""Lazy imports: names of a package are imported at first use."""

import sys
from importlib import import_module


def lazy_names(package, homes):
    """Return the module-level ``__getattr__`` and ``__dir__`` of a package.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    homes : dict of str to str
        The module of each name, relative to the package (``"regressor"``) or with dots in front
        (``"..features.magpie"``).

    Returns
    -------
    getattr, dir : function
    """

    def get(name):
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = homes[name]
        return getattr(import_module(home if home.startswith(".") else f".{home}", package), name)

    def list_names():
        return sorted({*vars(sys.modules[package]), *homes})

    return get, list_names
