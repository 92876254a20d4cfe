"""Hyperparameter search with Optuna."""

try:
    from .spaces import default_space, paper_space, suggest_parameters
    from .storages import open_storage
    from .studies import tune_pipeline
except ImportError as error:
    if (error.name or "").partition(".")[0] != "optuna":
        raise
    raise ImportError(
        "sklearn_cloud.tuning requires Optuna: pip install 'sklearn-cloud[tuning]'"
    ) from error

__all__ = ["default_space", "open_storage", "paper_space", "suggest_parameters", "tune_pipeline"]
