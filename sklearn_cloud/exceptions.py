"""Exceptions of the package."""

from contextlib import contextmanager


class ModelFolderError(ValueError):
    """Raised if a model folder or an encoder checkpoint is missing, damaged or unsafe.

    The message names the folder or file and says what is wrong with it.

    See Also
    --------
    load_model : Raises it.
    sklearn_cloud.encoder.load_encoder : Raises it for the folder of a checkpoint.

    Examples
    --------
    >>> from sklearn_cloud import ModelFolderError, load_model
    >>> try:
    ...     load_model("no/such/folder")
    ... except ModelFolderError as error:
    ...     print(error)
    there is no model folder 'no/such/folder'.
    """


def shorten(value, longest=100):
    """Return a value as text for a message: on one line, and cut if it is long."""
    text = " ".join(str(value)[: 10 * longest].split())
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


#: Exceptions that damaged content can raise while a model is built.
DAMAGE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
)


@contextmanager
def folder_errors(directory):
    """Turn errors caused by the content of a folder into `ModelFolderError`."""
    try:
        yield
    except ModelFolderError:
        raise
    except DAMAGE as error:
        text = shorten(str(error) if isinstance(error, ValueError) else repr(error), 500)
        raise ModelFolderError(
            f"the content of {str(directory)!r} is damaged or does not fit this version of "
            f"sklearn-cloud: {text}"
        ) from error
