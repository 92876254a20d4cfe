"""How numbers are written in messages, cards and reports."""


def percent(share, digits=0, sign=""):
    """Write a share in percent, with a space before the sign: 0.9 is "90 %".

    Parameters
    ----------
    share : float
    digits : int, default=0
        Number of decimals.
    sign : {"", "+"}, default=""
        "+" writes the sign of positive numbers too.

    Returns
    -------
    str

    Examples
    --------
    >>> percent(0.9), percent(0.0123, 1, sign="+")
    ('90 %', '+1.2 %')
    """
    return f"{share:{sign}.{digits}%}".replace("%", " %")
