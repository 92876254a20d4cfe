"""The coverage of intervals."""


def check_coverage(coverage):
    """Raise ValueError unless a coverage is between 0 and 1."""
    if not 0 < coverage < 1:
        raise ValueError(f"coverage must be between 0 and 1, got {coverage!r}.")
