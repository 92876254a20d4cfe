"""The exception for items that are not crystals."""


class CrystalError(ValueError):
    """Raised if an item is not a valid crystal or composition, or has no symmetry string.

    Examples
    --------
    >>> from sklearn_cloud import CrystalError, symmetry_string
    >>> try:
    ...     symmetry_string("Na0")
    ... except CrystalError as error:
    ...     print(error)
    the formula 'Na0' contains no atoms, or an amount that is not positive
    """
