"""Errors with a type of their own."""


class ModelFolderError(ValueError):
    """A folder with a model, or a checkpoint of an encoder, is missing, damaged or unsafe.

    The message names the folder or file and says what is wrong with it. See `load_model`.
    """
