"""Registry of all models: name, input, requirements, and place in the tables.

A new model is one file in this folder and one line here. The package's names, the documentation,
the command line, the benchmarks and the contract tests follow from that line.
"""

from importlib import import_module
from importlib.util import find_spec
from inspect import Parameter, isclass, signature
from typing import NamedTuple

#: Categories of the paper's tables, in their order.
KINDS = (
    "Structure-based",
    "Structure-based (MLIP)",
    "Feature-based",
    "Structure-agnostic",
    "Coordinate-free",
    "Dummy",
)
STRUCTURES, POTENTIAL, FEATURES, AGNOSTIC, FREE, DUMMY = KINDS
#: How much of a crystal a model needs; formulas are enough for the first.
READS = ("composition", "symmetry", "structure")
COMPOSITION, SYMMETRY, STRUCTURE = READS
#: Extra -> package that it installs.
EXTRAS = {"baselines": "matminer", "chgnet": "chgnet", "sevennet": "sevenn"}
#: Parameters that change no score, and are not among the settings of a run.
WITHOUT_EFFECT = ("cache", "classification", "device", "n_jobs", "verbose")


class Model(NamedTuple):
    """One model of the registry.

    Attributes
    ----------
    name : str
        In commands and in the names of result files, in small letters.
    regressor : str
        A class, or a function of keyword arguments that returns an unfitted estimator.
    kind : str
        Category in the paper's tables, one of ``KINDS``.
    reads : str
        How much of a crystal it needs, one of ``READS``.
    extra : str or None
        Extra that brings the packages it needs, one of ``EXTRAS``.
    published : str or None
        Name in the published tables, None where they do not have it.
    classifier : str or None
        As `regressor`, for classes (a function may take ``classification`` and be both); None where
        it cannot classify.
    module : str or None
        Where they are, relative to this package; None is the name, with underscores.
    """

    name: str
    regressor: str
    kind: str
    reads: str
    extra: str | None = None
    published: str | None = None
    classifier: str | None = None
    module: str | None = None

    @property
    def home(self):
        """Module of regressor and classifier."""
        return self.module or self.name.replace("-", "_")

    def load(self, classification=False):
        """The class or function itself.

        Parameters
        ----------
        classification : bool, default=False
            Whether the target has classes.

        Returns
        -------
        type or function

        Raises
        ------
        ValueError
            If classes are asked for, and it cannot classify.
        """
        name = self.classifier if classification else self.regressor
        if name is None:
            raise ValueError(f"{self.name} predicts numbers, but the target has classes.")
        home = self.home if self.home.startswith(".") else f".{self.home}"
        return getattr(import_module(home, __package__), name)

    @property
    def is_installed(self):
        """Whether the packages of its extra are there."""
        return self.extra is None or find_spec(EXTRAS[self.extra]) is not None


# name, regressor, kind, reads, extra, published, classifier, module
_LINES = [
    ("cloud", "cloud", FREE, SYMMETRY, None, "CLOUD", "cloud", "factories"),
    ("cloud-geometry", "cloud_geometry", STRUCTURES, STRUCTURE, None, None, None, "factories"),
    ("cloud-bonds", "cloud_bonds", STRUCTURES, STRUCTURE, None, None, None, "factories"),
    (
        "graph",
        "GraphRegressor",
        STRUCTURES,
        STRUCTURE,
        None,
        None,
        "GraphClassifier",
        "..estimators.graph_regressor",
    ),
    ("crystal", "crystal", FEATURES, STRUCTURE, None, None, "crystal", "factories"),
    ("dummy", "dummy", DUMMY, COMPOSITION, None, "Dummy", "dummy", "factories"),
    ("forest", "forest", FEATURES, COMPOSITION, None, None, "forest", "factories"),
    ("space-group-forest", "SpaceGroupForestRegressor", FEATURES, SYMMETRY),
    ("magpie-forest", "MagpieForestRegressor", FEATURES, COMPOSITION, None, "RF-SCM/Magpie"),
    ("voronoi-forest", "VoronoiForestRegressor", FEATURES, STRUCTURE, "baselines", "Voronoi RF"),
    ("magpie-boosting", "MagpieBoostingRegressor", FEATURES, STRUCTURE),
    ("geometry-trees", "GeometryTreesRegressor", FEATURES, STRUCTURE),
    ("roost", "RoostRegressor", AGNOSTIC, COMPOSITION, None, "Roost"),
    ("crabnet", "CrabNetRegressor", AGNOSTIC, COMPOSITION, None, "CrabNet"),
    ("finder", "FinderRegressor", AGNOSTIC, COMPOSITION, None, "Finder"),
    ("wrenformer", "WrenformerRegressor", FREE, SYMMETRY, None, "Wrenformer"),
    ("matinformer", "MatInFormerRegressor", FREE, SYMMETRY, None, "MatInFormer"),
    ("slices-bert", "SlicesBertRegressor", FREE, STRUCTURE, None, "SLICES-BERT", None, "slices"),
    ("cgcnn", "CGCNNRegressor", STRUCTURES, STRUCTURE, None, "CGCNN"),
    ("megnet", "MEGNetRegressor", STRUCTURES, STRUCTURE, None, "MegNet (kgcnn 2.1)"),
    ("alignn", "ALIGNNRegressor", STRUCTURES, STRUCTURE, None, "ALIGNN"),
    ("cogn", "CoGNRegressor", STRUCTURES, STRUCTURE, None, "coGN"),
    ("congn", "CoNGNRegressor", STRUCTURES, STRUCTURE, None, "coNGN"),
    ("crystograph", "CrysToGraphRegressor", STRUCTURES, STRUCTURE, None, "CrysToGraph"),
    ("chgnet-trees", "chgnet_trees", POTENTIAL, STRUCTURE, "chgnet", None, None, "factories"),
    ("sevennet-trees", "sevennet_trees", POTENTIAL, STRUCTURE, "sevennet", None, None, "factories"),
    ("potential-energy", "PotentialEnergyRegressor", POTENTIAL, STRUCTURE, "chgnet"),
    ("physics-trees", "PhysicsTreesRegressor", POTENTIAL, STRUCTURE, "chgnet"),
]
#: Every model, by its name.
MODELS = {line[0]: Model(*line) for line in _LINES}


def class_homes():
    """{class: module} of the models that are classes of this package."""
    return {
        name: model.home
        for model in MODELS.values()
        for name in (model.regressor, model.classifier)
        if name and name[0].isupper() and not model.home.startswith(".")
    }


def find_model(name):
    """The model of a name.

    Parameters
    ----------
    name : str
        As in the registry, or the class with or without its ending: ``"magpie-forest"``,
        ``"MagpieForest"`` and ``"MagpieForestRegressor"`` are the same. ``"chgnet"`` is
        ``"chgnet-trees"``.

    Returns
    -------
    Model

    Raises
    ------
    ValueError
        If there is no such model.

    Examples
    --------
    >>> from sklearn_cloud.baselines.registry import find_model
    >>> find_model("MagpieForest").kind
    'Feature-based'
    """
    spellings = {}
    for model in reversed(MODELS.values()):
        for spelling in (model.name.removesuffix("-trees"), model.regressor, model.name):
            spellings[_plain(spelling)] = model
    if _plain(name) not in spellings:
        raise ValueError(f"unknown model {name!r}: choose one of {', '.join(MODELS)}.")
    return spellings[_plain(name)]


def _plain(name):
    return name.lower().replace("-", "").removesuffix("regressor")


def build_model(name, *, classification=False, parameters=None, **offered):
    """An unfitted model, and every setting of it that can change a score.

    Parameters
    ----------
    name : str
        See `find_model`.
    classification : bool, default=False
        Whether the target has classes.
    parameters : dict, default=None
        Parameters of the model; the others are its own defaults.
    **offered
        Parameters that the model takes if it has them, such as ``random_state``, ``device``,
        ``n_jobs`` and ``verbose``.

    Returns
    -------
    model : estimator
    settings : dict

    Raises
    ------
    ValueError
        If there is no such model, it cannot classify, or it lacks a parameter.

    Examples
    --------
    >>> from sklearn_cloud.baselines.registry import build_model
    >>> model, settings = build_model("forest", parameters={"n_estimators": 10}, random_state=3)
    >>> settings
    {'model': 'forest', 'n_estimators': 10, 'random_state': 3}
    """
    entry = find_model(name)
    builder = entry.load(classification)
    offered["classification"] = classification
    chosen = _choose(entry.name, builder, parameters or {}, offered)
    settings = {key: value for key, value in chosen.items() if key not in WITHOUT_EFFECT}
    if isclass(builder):
        return builder(**chosen), {"model": builder.__name__, **settings}
    # None leaves it to the pipeline, as if it were not there
    settings = {key: value for key, value in settings.items() if value is not None}
    return builder(**chosen), {"model": entry.name, **settings}


def _choose(name, builder, parameters, offered):
    """All keyword arguments of a class or function."""
    known = signature(builder).parameters.values()
    takes_all = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in known)
    chosen = {p.name: p.default for p in known if p.kind is not Parameter.VAR_KEYWORD}
    unknown = sorted(set(parameters) - set(chosen))
    if unknown and not takes_all:
        raise ValueError(
            f"{name} has no parameter {unknown[0]!r}; its parameters are {', '.join(chosen)}."
        )
    return chosen | {key: offered[key] for key in offered if key in chosen} | parameters
