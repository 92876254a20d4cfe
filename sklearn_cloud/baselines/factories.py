"""Models of the registry that are pipelines of existing parts.

Each function takes keyword arguments alone, which are the settings of a run, and returns an
unfitted estimator that reads crystals. What it imports, it imports when it is called.
"""

from functools import partial

from sklearn.pipeline import make_pipeline

from ..features.element_fractions import ElementFractions


def cloud(
    *,
    classification=False,
    encoder="mini",
    sites="orbits",
    parts=None,
    numbers=None,
    symprec=0.1,
    max_epochs=50,
    validation_fraction=0.1,
    members=None,
    random_state=0,
    device=None,
    n_jobs=None,
    verbose=0,
    **parameters,
):
    """CLOUD on symmetry strings; several members differ by their seeds, and are averaged.

    The encoder ``"none"`` trains from random weights; further parameters are the estimator's.
    """
    from .. import CloudClassifier, CloudRegressor, SymmetryStringTransformer

    estimator = (CloudClassifier if classification else CloudRegressor)(
        None if encoder == "none" else encoder,
        max_epochs=max_epochs,
        validation_fraction=validation_fraction,
        random_state=random_state,
        device=device,
        verbose=verbose,
    ).set_params(**parameters)
    strings = SymmetryStringTransformer(sites=sites, symprec=symprec, n_jobs=n_jobs)
    if numbers is not None:
        strings.set_params(numbers=numbers)
    if parts is not None:
        strings.set_params(parts=tuple(parts))
    if members is not None:
        strings.set_output(transform="pandas")  # bagging wants a table
        estimator = _bagging(estimator, classification, members, random_state)
    return make_pipeline(strings, estimator)


#: CLOUD with the geometry next to the strings: it needs coordinates.
cloud_geometry = partial(cloud, numbers="geometry", validation_fraction=0)
#: The same with numbers on bonds as well.
cloud_bonds = partial(cloud, numbers="bonds", validation_fraction=0)


def _bagging(estimator, classification, members, random_state):
    from sklearn.ensemble import BaggingClassifier, BaggingRegressor

    bagging = BaggingClassifier if classification else BaggingRegressor
    return bagging(estimator, members, bootstrap=False, random_state=random_state)


def dummy(*, classification=False, strategy="mean"):
    """The mean of the targets, or the shares of the classes."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    model = DummyClassifier() if classification else DummyRegressor(strategy=strategy)
    return make_pipeline(ElementFractions(), model)


def forest(*, classification=False, n_estimators=300, random_state=0, n_jobs=-1):
    """A random forest on the fractions of the elements."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestClassifier if classification else RandomForestRegressor
    model = kind(n_estimators, random_state=random_state, n_jobs=n_jobs)
    return make_pipeline(ElementFractions(), model)


def chgnet_trees(*, n_estimators=300, random_state=0, device=None, n_jobs=-1):
    """Extra-trees on what CHGNet says of a crystal."""
    return _potential_trees("chgnet", n_estimators, random_state, device, n_jobs)


def sevennet_trees(*, n_estimators=300, random_state=0, device=None, n_jobs=-1):
    """Extra-trees on what SevenNet says of a crystal."""
    return _potential_trees("sevennet", n_estimators, random_state, device, n_jobs)


def _potential_trees(potential, n_estimators, random_state, device, n_jobs):
    from sklearn.ensemble import ExtraTreesRegressor

    from ..features.potentials import PotentialFeatures

    trees = ExtraTreesRegressor(n_estimators, random_state=random_state, n_jobs=n_jobs)
    return make_pipeline(PotentialFeatures(potential, device=device), trees)


def crystal(
    *,
    classification=False,
    effort="default",
    members=None,
    cv=None,
    refit=True,
    physics=None,
    cache=None,
    random_state=0,
    device=None,
    n_jobs=None,
    verbose=0,
):
    """`CrystalRegressor` or `CrystalClassifier`; `physics` has parameters of `PotentialPhysics`."""
    from .. import CrystalClassifier, CrystalRegressor
    from ..features import PotentialPhysics

    if physics is not None:
        options = {"cache": cache, "device": device, "n_jobs": n_jobs}
        physics = PotentialPhysics(**physics, **options)
    kind = CrystalClassifier if classification else CrystalRegressor
    return kind(
        effort,
        members=members,
        cv=cv,
        refit=refit,
        physics=physics,
        device=device,
        n_jobs=n_jobs,
        random_state=random_state,
        verbose=verbose,
    )
