"""What a fitted estimator shows in a notebook: a short table above scikit-learn's diagram."""

import os
from html import escape

from sklearn.utils import estimator_html_repr

#: Variable of the environment with the address of the documentation, as built by `tox -e docs`.
DOCS_VARIABLE = "SKLEARN_CLOUD_DOCS"


class NotebookSummary:
    """Mixin: a summary of the fit in notebooks, and a link to the documentation.

    The link appears if the variable ``SKLEARN_CLOUD_DOCS`` of the environment has the address of
    the documentation.
    """

    _doc_link_module = "sklearn_cloud"

    def _summary(self):
        """Return {name: value} of what the fit gave; empty if there is nothing to say."""
        return {}

    def _get_doc_link(self):
        address = os.environ.get(DOCS_VARIABLE)
        if not address:
            return ""
        return f"{address.rstrip('/')}/api/generated/{public_path(type(self))}.html"

    def _html_repr(self):
        summary = self._summary() if self.__sklearn_is_fitted__() else {}
        return html_rows(summary) + estimator_html_repr(self)


def public_path(kind):
    """Return the name under which a class is documented, such as ``sklearn_cloud.CloudRegressor``.

    Parameters
    ----------
    kind : type

    Returns
    -------
    str
    """
    import sklearn_cloud

    if kind.__name__ in sklearn_cloud.__all__:
        return f"sklearn_cloud.{kind.__name__}"
    return f"{'.'.join(kind.__module__.split('.')[:2])}.{kind.__name__}"


def html_rows(summary):
    """Return a dictionary as an HTML table of two columns; empty text for an empty one."""
    if not summary:
        return ""
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(str(name))}</th>'
        f'<td style="text-align:left">{escape(str(value))}</td></tr>'
        for name, value in summary.items()
    )
    return f"<table>{rows}</table>"
