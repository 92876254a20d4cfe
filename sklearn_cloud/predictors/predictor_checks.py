"""Checks of a predictor that was read from a folder: its card, its model, and one prediction."""

import numpy as np

from ..ensembles.crystal_classifier import CrystalClassifier
from ..ensembles.crystal_regressor import CrystalRegressor
from ..exceptions import ModelFolderError
from .card import PredictorCard
from .predictor_input import read_rows_of
from .properties import PROPERTIES

#: A crystal that every predictor can predict.
ROCK_SALT = """\
data_NaCl
_symmetry_space_group_name_H-M 'P 1'
_cell_length_a 3.99
_cell_length_b 3.99
_cell_length_c 3.99
_cell_angle_alpha 60
_cell_angle_beta 60
_cell_angle_gamma 60
loop_
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na 0 0 0
Cl 0.5 0.5 0.5
"""


def check_card(card, path):
    """Check the content of a card.

    Parameters
    ----------
    card : object
        From JSON.
    path : pathlib.Path
        For messages.

    Raises
    ------
    ModelFolderError
        If it is not the card of a known property.
    LookupError, TypeError, ValueError, ArithmeticError, AttributeError
        If it cannot be shown.
    """
    if not isinstance(card, dict):
        raise ModelFolderError(f"{path} is damaged: it contains no card.")
    prop = PROPERTIES.get(card["name"])
    if prop is None:
        raise ModelFolderError(f"{path} is the card of no property of this version.")
    expected = {
        "unit": prop.unit,
        "needs": prop.needs,
        "kind": "classification" if prop.classes else "regression",
        "transform": "log10" if prop.log10 else None,
    }
    wrong = [key for key, value in expected.items() if card[key] != value]
    if wrong:
        raise ModelFolderError(
            f"{path} is damaged: its {wrong[0]} is not that of {card['name']!r} "
            f"({expected[wrong[0]]!r})."
        )
    shown = PredictorCard(card)
    for text in (str(shown), shown._repr_html_(), shown.to_rst(), shown.error):
        if not isinstance(text, str):
            raise ModelFolderError(f"{path} is damaged: it cannot be shown.")


def check_model(ensemble, card, folder):
    """Check that a model is of the kind that its card says.

    Raises
    ------
    ModelFolderError
        If it is not.
    """
    kind = CrystalClassifier if card["kind"] == "classification" else CrystalRegressor
    if type(ensemble) is not kind:
        raise ModelFolderError(
            f"the model in {str(folder)!r} is a {type(ensemble).__name__}, but its card describes "
            f"a {kind.__name__}."
        )
    if ensemble.reads_structures_ != (card["needs"] == "structure"):
        raise ModelFolderError(
            f"the model in {str(folder)!r} was not fitted on what its card says ({card['needs']})."
        )


def check_prediction(predictor, folder):
    """Predict rock salt: every part of the predictor is used, and must fit the others.

    Raises
    ------
    ModelFolderError
        If the prediction, its interval or its similarity is not a finite number.
    TypeError, ValueError, LookupError, AttributeError
        If a part cannot be used.
    """
    crystal = ROCK_SALT if predictor.card["needs"] == "structure" else "NaCl"
    described = predictor._describe(read_rows_of([crystal]))
    for error in described.errors.values():
        raise error
    with np.errstate(all="ignore"):
        found = predictor.predict_described(described)
    names = ["value", "applicability"]
    names += [] if predictor.card["kind"] == "classification" else ["lower", "upper"]
    numbers = np.array([found[name] for name in names], dtype=float)
    ordered = len(names) < 4 or found["lower"] <= found["value"] <= found["upper"]
    if numbers.shape != (len(names), 1) or not np.isfinite(numbers).all() or not ordered:
        raise ModelFolderError(
            f"the predictor in {str(folder)!r} is damaged: it predicts {numbers.ravel().tolist()} "
            f"({', '.join(names)}) for NaCl."
        )
