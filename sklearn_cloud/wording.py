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


def cut_middle(message, longest):
    """Shorten a message to one line; what it begins with and its end, the way out, are kept.

    Parameters
    ----------
    message : object
    longest : int
        Characters.

    Returns
    -------
    str

    Examples
    --------
    >>> cut_middle("the file has 3000 bad lines: 1, 2, 3, 4, 5, 6, 7; remove them", 40)
    'the file has 3000 ... 6, 7; remove them'
    """
    text = " ".join(str(message).split())
    if len(text) <= longest:
        return text
    kept = longest - len(" ... ")
    return f"{text[: kept // 2].rstrip()} ... {text[-(kept - kept // 2) :].lstrip()}"
