"""Private names of scikit-learn; nothing else of this package imports them from there."""

from sklearn.utils._missing import is_pandas_na
from sklearn.utils._param_validation import Interval, StrOptions

__all__ = ["Interval", "StrOptions", "is_pandas_na"]
