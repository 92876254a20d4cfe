"""What the displays share: matplotlib on demand, axes, colours."""

#: Colours that people with any kind of colour vision tell apart, after M. Okabe and K. Ito.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
GUIDE = "0.55"  # grey of diagonals and other lines that are not data


class Display:
    """Base of the displays: they hold what is drawn, `plot` draws it."""

    _figsize = (5.0, 4.0)

    @classmethod
    def _pyplot(cls):
        """matplotlib.pyplot; asked for before any long computation."""
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError(
                f"{cls.__name__} needs matplotlib: pip install 'sklearn-cloud[plot]'"
            ) from error
        return plt

    def _open(self, ax):
        """The axes to draw on, new ones where `ax` is None."""
        plt = self._pyplot()
        if ax is None:
            _, ax = plt.subplots(figsize=self._figsize, layout="constrained")
        # On axes that hold another display already, the colours go on where that one stopped.
        if not ax.has_data():
            ax.set_prop_cycle(color=COLORS)
        self.ax_, self.figure_ = ax, ax.figure
        return ax


def with_unit(text, unit):
    """`"band gap (eV)"` from a name and a unit that may be None."""
    return f"{text} ({unit})" if unit else text


def named(name, text):
    """Entry of a legend: `"CLOUD: MAE 0.4 eV"`, or the text alone."""
    return f"{name}: {text}" if name else text


def quantity(value, unit):
    """`"0.410 eV"`: three digits, and a unit that may be None."""
    digits = f"{value:#.3g}".rstrip(".")
    return f"{digits} {unit}" if unit else digits
