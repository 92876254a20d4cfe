"""Base class of the transformers of crystals."""

from sklearn.base import BaseEstimator, TransformerMixin

from ..notebook import NotebookSummary


class CrystalTransformer(NotebookSummary, TransformerMixin, BaseEstimator):
    """Base class of the stateless transformers of crystals."""

    def __setstate__(self, state):
        # a pickle of an older version lacks the newer parameters
        super().__setstate__({**type(self)().get_params(deep=False), **state})

    def __sklearn_is_fitted__(self):
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.no_validation = True
        tags.transformer_tags.preserves_dtype = []
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        return tags
