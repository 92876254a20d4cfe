"""The error of an item that is not a crystal."""


class CrystalError(ValueError):
    """An item cannot become a crystal, a composition or a symmetry string; the message says why.

    Examples
    --------
    >>> from sklearn_cloud import CrystalError, symmetry_string
    >>> try:
    ...     symmetry_string("Na0")
    ... except CrystalError as error:
    ...     print(error)
    the formula 'Na0' holds no atoms, or an amount that is not above 0
    """
