"""Search spaces of hyperparameters."""

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution


def paper_space(prefix=""):
    """Return the search space of fine-tuning in the paper.

    Parameters
    ----------
    prefix : str, default=""
        Prefix of every name: `"cloudregressor__"` if the regressor is a step of a pipeline from
        `make_pipeline`.

    Returns
    -------
    dict of str to optuna.distributions.BaseDistribution
        Space for `OptunaSearchCV`, `suggest_parameters` and `tune_pipeline`.

    Notes
    -----
    Table 4 of [1]_: 1,296 combinations, for an encoder of 12 layers and tasks of up to 130,000
    rows. The paper keeps one hidden layer in the head on MatBench.

    References
    ----------
    .. [1] C. Xu, S. Zhu, V. Viswanathan, "CLOUD: A Scalable Scientific Foundation Model for
       Crystal Representation Learning".

    Examples
    --------
    >>> from sklearn_cloud.tuning import paper_space
    >>> paper_space()["learning_rate"].choices
    (0.0001, 5e-05)
    """
    space = {
        "max_epochs": CategoricalDistribution([50, 100, 200]),
        "learning_rate": CategoricalDistribution([1e-4, 5e-5]),
        "batch_size": CategoricalDistribution([32, 64, 128, 512]),
        "weight_decay": CategoricalDistribution([0.0, 0.0001, 0.01]),
        "warmup_ratio": CategoricalDistribution([0.05, 0.1]),
        "freeze_epochs": CategoricalDistribution([0, 5, 10]),
        "head_layers": IntDistribution(1, 3),
    }
    return {prefix + name: distribution for name, distribution in space.items()}


def default_space(prefix=""):
    """Return a search space around the defaults, for small encoders and up to thousands of rows.

    Parameters
    ----------
    prefix : str, default=""
        Prefix of every name: `"cloudregressor__"` if the regressor is a step of a pipeline from
        `make_pipeline`.

    Returns
    -------
    dict of str to optuna.distributions.BaseDistribution
        Add or remove entries as needed; parameters of other steps can be tuned too.

    Examples
    --------
    >>> from optuna.distributions import CategoricalDistribution
    >>> from sklearn_cloud.tuning import default_space
    >>> space = default_space(prefix="cloudregressor__")
    >>> space["symmetrystringtransformer__sites"] = CategoricalDistribution(["set", "orbits"])
    """
    space = {
        "max_epochs": CategoricalDistribution(["auto", 30, 80]),
        "learning_rate": FloatDistribution(1e-4, 2e-3, log=True),
        "batch_size": CategoricalDistribution([16, 32, 64]),
        "weight_decay": FloatDistribution(1e-4, 1e-1, log=True),
        "warmup_ratio": CategoricalDistribution([0.05, 0.1]),
        "dropout": FloatDistribution(0.0, 0.3),
        "freeze_epochs": CategoricalDistribution([0, 2, 5]),
        "head_layers": IntDistribution(1, 2),
    }
    return {prefix + name: distribution for name, distribution in space.items()}


def suggest_parameters(trial, space):
    """Suggest values for one trial of your own study.

    Parameters
    ----------
    trial : optuna.Trial
    space : dict of str to optuna.distributions.BaseDistribution

    Returns
    -------
    dict
        Parameters for `set_params`.

    Examples
    --------
    >>> import optuna
    >>> from sklearn_cloud.tuning import default_space, suggest_parameters
    >>> study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    >>> sorted(suggest_parameters(study.ask(), default_space()))[:3]
    ['batch_size', 'dropout', 'freeze_epochs']
    """
    return {name: _suggest(trial, name, values) for name, values in space.items()}


def _suggest(trial, name, values):
    if isinstance(values, CategoricalDistribution):
        return trial.suggest_categorical(name, values.choices)
    limits = {"low": values.low, "high": values.high, "step": values.step, "log": values.log}
    if isinstance(values, IntDistribution):
        return trial.suggest_int(name, **limits)
    return trial.suggest_float(name, **limits)
