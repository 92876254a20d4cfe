"""The folder of a predictor: a model folder and its card."""

import json

from ..estimators.folder_files import checksum, read_bytes
from ..estimators.folders import load_model, read_description, save_model
from ..exceptions import ModelFolderError, folder_errors
from ..files import write_text
from .compact import compact
from .predictor_checks import check_card, check_model
from .properties import PROPERTIES

CARD_FILE = "card.json"
LARGEST_CARD = 10_000_000  # bytes


def write_predictor(ensemble, card, folder):
    """Write the folder of a predictor; the card comes last.

    Parameters
    ----------
    ensemble : CrystalRegressor or CrystalClassifier
        Fitted.
    card : dict
    folder : pathlib.Path

    Returns
    -------
    dict
        The card as it was written, with the size of the folder in bytes.
    """
    (folder / CARD_FILE).unlink(missing_ok=True)
    save_model(compact(ensemble), folder, target=card["name"])
    size = sum(path.stat().st_size for path in folder.iterdir())
    return write_card({**card, "bytes": size, "model": read_description(folder)["sha256"]}, folder)


def write_card(card, folder):
    """Write a card with its checksum, and return it."""
    card = {**card, "sha256": checksum(card)}
    write_text(folder / CARD_FILE, json.dumps(card, indent=1, allow_nan=False) + "\n")
    return card


def read_card(folder):
    """Return the card of a predictor.

    Raises
    ------
    ModelFolderError
        If it is missing or damaged.
    """
    path = folder / CARD_FILE
    if not path.exists():
        raise ModelFolderError(f"{path} is missing: reinstall sklearn-cloud.")
    with folder_errors(folder):
        card = json.loads(read_bytes(path, LARGEST_CARD).decode("utf-8"))
        if card["sha256"] != checksum(card):
            raise ModelFolderError(f"{path} is damaged: its SHA-256 differs.")
        check_card(card, path)
        return card


def read_predictor(folder):
    """Return the ensemble and the card of a predictor.

    Raises
    ------
    ModelFolderError
        If a file is missing or damaged, or the card is that of another model.
    """
    card = read_card(folder)
    if read_description(folder)["sha256"] != card["model"]:
        raise ModelFolderError(f"the card in {str(folder)!r} is that of another model.")
    ensemble = load_model(folder)
    check_model(ensemble, card, folder)
    return ensemble, card


def read_other(folder, card):
    """Return the ensemble that decides where the predictions are 0, or None if the card has none.

    Raises
    ------
    ModelFolderError
        If it is missing or damaged, or not the one that the card was made with.
    """
    if "zero_if" not in card:
        return None
    with folder_errors(folder):
        name, model = card["zero_if"]["name"], card["zero_if"]["model"]
        known = PROPERTIES.get(name)
    if known is None or not known.classes:
        raise ModelFolderError(f"the card in {str(folder)!r} names no class, but {name!r}.")
    ensemble, other = read_predictor(folder.parent / name)
    if other["name"] != name or other["model"] != model:
        raise ModelFolderError(
            f"the predictor in {str(folder)!r} was made with another {name!r} than the one next to "
            "it. Reinstall sklearn-cloud."
        )
    return ensemble
