"""Base class of the displays: matplotlib, axes, colours."""

#: Colour-blind safe colours by M. Okabe and K. Ito.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
GUIDE = "0.55"  # grey of diagonals and other lines that are not data


class Display:
    """Base class of the displays: they store the data, and `plot` draws them."""

    _figsize = (5.0, 4.0)

    @classmethod
    def _pyplot(cls):
        """Return matplotlib.pyplot; called before any long computation."""
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError(
                f"{cls.__name__} requires matplotlib: pip install 'sklearn-cloud[plot]'"
            ) from error
        return plt

    def _open(self, ax):
        """Return the axes to plot on, new ones if `ax` is None."""
        plt = self._pyplot()
        if ax is None:
            _, ax = plt.subplots(figsize=self._figsize, layout="constrained")
        # On axes with another display, the colours continue after those of that display.
        if not ax.has_data():
            ax.set_prop_cycle(color=COLORS)
        self.ax_, self.figure_ = ax, ax.figure
        return ax


def with_unit(text, unit):
    """Return `"band gap (eV)"` from a name and a unit that may be None."""
    return f"{text} ({unit})" if unit else text


def named(name, text):
    """Return a legend entry: `"CLOUD: MAE 0.4 eV"`, or only the text."""
    return f"{name}: {text}" if name else text


def quantity(value, unit):
    """Return `"0.410 eV"`: three digits, and a unit that may be None."""
    digits = f"{value:#.3g}".rstrip(".")
    return f"{digits} {unit}" if unit else digits
