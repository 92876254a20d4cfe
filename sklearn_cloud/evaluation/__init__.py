"""Scores, stability, and the paper's tables."""

from .comparisons import same_rows, threshold_scores
from .evaluator import evaluate_model
from .leaderboard import leaderboard, published_scores, result_scores, scores_in_table
from .markdown import markdown_table
from .metrics import classification_scores, regression_scores, stability_scores, summarize_folds
from .predictions import rescore_recorded
from .report import Report
from .splitters import LeaveOneElementOut, LeaveOneSpaceGroupOut
from .stability import ConvexHull, roc_points, rolling_error, stability_table
from .submission import write_submission

__all__ = [
    "ConvexHull",
    "LeaveOneElementOut",
    "LeaveOneSpaceGroupOut",
    "Report",
    "classification_scores",
    "evaluate_model",
    "leaderboard",
    "markdown_table",
    "published_scores",
    "regression_scores",
    "rescore_recorded",
    "result_scores",
    "roc_points",
    "rolling_error",
    "same_rows",
    "scores_in_table",
    "stability_scores",
    "stability_table",
    "summarize_folds",
    "threshold_scores",
    "write_submission",
]
