import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_cloud.scaling import ScalingLaw

PAPER = {"A": 90.7464, "B": 21.9854, "E": 0.2296, "alpha": 0.4339, "beta": 0.3518}


def grid(n_models=5, n_corpora=5):
    """Model sizes N and data sizes D, all pairs."""
    N, D = np.meshgrid(np.geomspace(1e4, 1e8, n_models), np.geomspace(1e6, 1e9, n_corpora))
    return np.column_stack([N.ravel(), D.ravel()])


def noisy_losses(X, noise=0.01, seed=0):
    errors = np.random.default_rng(seed).standard_normal(len(X))
    return paper_law().predict(X) * np.exp(noise * errors)


def paper_law():
    return ScalingLaw.from_coefficients(**PAPER)


def test_the_coefficients_of_the_paper_give_its_exponents():
    law = paper_law()
    assert (round(law.a_, 2), round(law.b_, 2)) == (0.45, 0.55)
    assert law.a_ == PAPER["beta"] / (PAPER["alpha"] + PAPER["beta"])
    assert law.a_ + law.b_ == pytest.approx(1)


def test_a_law_from_coefficients_predicts_equation_2():
    N, D = 8.6e7, 6.3e6
    expected = 90.7464 / N**0.4339 + 21.9854 / D**0.3518 + 0.2296
    np.testing.assert_allclose(paper_law().predict([[N, D]]), [expected])


def test_a_law_from_coefficients_is_fitted_and_its_clone_is_not():
    law = paper_law()
    check_is_fitted(law)
    with pytest.raises(NotFittedError):
        clone(law).predict([[1e6, 1e6]])


@pytest.mark.parametrize("name", PAPER)
def test_coefficients_must_be_positive(name):
    with pytest.raises(ValueError, match=f"{name} must be a positive number, got -1"):
        ScalingLaw.from_coefficients(**PAPER | {name: -1.0})


def test_exact_losses_give_the_coefficients_back():
    X = grid(3, 3)
    law = ScalingLaw(n_bootstraps=0).fit(X, paper_law().predict(X))
    for name, value in PAPER.items():
        assert getattr(law, f"{name}_") == pytest.approx(value, rel=1e-3)
    assert law.converged_
    assert law.score(X, paper_law().predict(X)) == pytest.approx(1)


def test_planted_coefficients_are_within_the_intervals():
    X, truth = grid(), paper_law().coefficients_
    inside = []
    for seed in range(4):
        law = ScalingLaw(n_bootstraps=50, random_state=seed).fit(X, noisy_losses(X, seed=seed))
        intervals = law.confidence_intervals(0.95)
        assert set(intervals) == set(law.coefficients_) == {*PAPER, "a", "b", "G"}
        inside += [low <= truth[name] <= high for name, (low, high) in intervals.items()]
        assert all(low < law.coefficients_[name] < high for name, (low, high) in intervals.items())
    assert np.mean(inside) > 0.8


def test_intervals_grow_with_the_noise_and_with_the_level():
    X = grid(4, 4)
    quiet, loud = (ScalingLaw(random_state=0).fit(X, noisy_losses(X, s)) for s in (0.001, 0.02))
    width = {
        (law, level): np.diff(law.confidence_intervals(level)["alpha"]).item()
        for law in (quiet, loud)
        for level in (0.5, 0.95)
    }
    assert width[quiet, 0.95] < width[loud, 0.95]
    assert width[loud, 0.5] < width[loud, 0.95]


def test_the_seed_reproduces_the_bootstrap():
    X = grid(4, 4)
    law = ScalingLaw(n_bootstraps=5, random_state=3)
    first = law.fit(X, noisy_losses(X)).confidence_intervals()
    assert law.fit(X, noisy_losses(X)).confidence_intervals() == first


def test_an_outlier_does_not_move_the_law():
    X = grid()
    losses = noisy_losses(X, 0.001)
    losses[7] *= 1.5
    law = ScalingLaw(n_bootstraps=0).fit(X, losses)
    assert law.alpha_ == pytest.approx(PAPER["alpha"], rel=0.02)


@pytest.mark.parametrize("form", ["hoffmann", "kaplan"])
def test_the_optimal_allocation_has_the_lowest_loss(form):
    X = grid(4, 4)
    law = ScalingLaw(form, n_bootstraps=0).fit(X, noisy_losses(X))
    budgets = np.array([1e15, 1e18])
    N, D = law.optimal_allocation(budgets)
    np.testing.assert_allclose(6 * N * D, budgets)
    np.testing.assert_allclose(N, law.G_ * (budgets / 6) ** law.a_)
    lowest = law.predict(np.column_stack([N, D]))
    for factor in (0.9, 1.1):
        assert (law.predict(np.column_stack([N * factor, D / factor])) > lowest).all()


def test_a_single_budget_gives_numbers():
    N, D = paper_law().optimal_allocation(6e18)
    assert isinstance(N, float) and isinstance(D, float)
    assert N * D == pytest.approx(1e18)


def test_the_form_of_kaplan_is_recovered():
    X = grid(4, 4)
    N, D = X.T
    losses = ((8e9 / N) ** (0.076 / 0.103) + 1.8e10 / D) ** 0.103
    law = ScalingLaw("kaplan", n_bootstraps=0).fit(X, losses)
    found = [law.N_c_, law.D_c_, law.alpha_N_, law.alpha_D_]
    np.testing.assert_allclose(found, [8e9, 1.8e10, 0.076, 0.103], rtol=1e-3)
    assert law.a_ == pytest.approx(0.103 / (0.103 + 0.076), rel=1e-3)
    assert not hasattr(law, "E_")


def test_columns_are_found_by_name():
    X = grid(4, 4)
    table = pd.DataFrame({"seed": 0, "D": X[:, 1], "N": X[:, 0]})
    law = ScalingLaw(n_bootstraps=0).fit(table, noisy_losses(X))
    np.testing.assert_array_equal(law.predict(table), law.predict(X))
    with pytest.raises(ValueError, match="no column N, only tokens, D"):
        law.predict(table.rename(columns={"N": "tokens"})[["tokens", "D"]])


def test_too_few_losses():
    X = grid(2, 2)
    with pytest.raises(ValueError, match="4 sample.* minimum of 6 is required by ScalingLaw"):
        ScalingLaw().fit(X, np.ones(4))
    with pytest.raises(ValueError, match="at least 3 different model sizes N, got 2"):
        ScalingLaw().fit(grid(2, 4), np.ones(8))


def test_repeated_pairs_do_not_determine_a_law():
    sizes = np.repeat([[1e5, 1e6], [1e6, 1e7], [1e7, 1e8]], 3, axis=0)
    with pytest.raises(ValueError, match="5 coefficients, but there are only 3 different pairs"):
        ScalingLaw(n_bootstraps=0).fit(sizes, np.repeat([1.0, 0.6, 0.4], 3))


@pytest.mark.parametrize("form", ["hoffmann", "kaplan"])
def test_data_in_proportion_to_the_model_warn(form):
    N = np.logspace(4, 9, 6)
    loss = 90 / N**0.4 + 20 / (20 * N) ** 0.3 + 0.2
    with pytest.warns(ConvergenceWarning, match="D is a power of N in all rows"):
        ScalingLaw(form, n_bootstraps=0).fit(np.column_stack([N, 20 * N]), loss)


def test_another_form_leaves_nothing_of_the_first():
    X = grid(4, 4)
    law = ScalingLaw(n_bootstraps=0).fit(X, noisy_losses(X))
    law.set_params(form="kaplan").fit(X, noisy_losses(X))
    fresh = ScalingLaw("kaplan", n_bootstraps=0).fit(X, noisy_losses(X))
    assert vars(law).keys() == vars(fresh).keys()
    assert not hasattr(law, "A_")
    np.testing.assert_array_equal(law.predict(X), fresh.predict(X))


def test_a_failed_fit_leaves_no_law():
    law = ScalingLaw(n_bootstraps=0).fit(grid(4, 4), noisy_losses(grid(4, 4)))
    with pytest.raises(ValueError, match="loss must be above 0"):
        law.fit(grid(4, 4), np.zeros(16))
    with pytest.raises(NotFittedError):
        law.predict(grid(4, 4))


def test_all_wrong_rows_are_named():
    X = grid(4, 4)
    losses = noisy_losses(X)
    losses[[2, 5]] = [0, -1]
    with pytest.raises(ValueError, match="loss must be above 0, got 0, -1 in row 2, 5"):
        ScalingLaw().fit(X, losses)
    X[3, 1] = 0
    with pytest.raises(ValueError, match="data size D must be above 0, got 0 in row 3"):
        paper_law().predict(X)
    with pytest.raises(ValueError, match="compute budget must be above 0, got -1 in row 0"):
        paper_law().optimal_allocation(-1)


def test_three_columns_are_too_many():
    with pytest.raises(ValueError, match="two columns N and D, got 3"):
        ScalingLaw().fit(np.ones((8, 3)), np.ones(8))


def test_intervals_need_a_bootstrap_and_a_level():
    with pytest.raises(ValueError, match="n_bootstraps"):
        paper_law().confidence_intervals()
    with pytest.raises(ValueError, match="level must be between 0 and 1, got 95"):
        paper_law().confidence_intervals(95)


def test_a_fit_that_is_stopped_warns_and_keeps_the_best_law():
    X = grid(4, 4)
    with pytest.warns(ConvergenceWarning, match="increase max_iter.*best law found is kept"):
        law = ScalingLaw(max_iter=1, n_bootstraps=0).fit(X, noisy_losses(X))
    assert not law.converged_
    assert law.score(X, noisy_losses(X)) > 0.5


def test_losses_that_do_not_determine_the_law_warn():
    X = grid(4, 4)
    losses = 0.2296 + 90.7464 / X[:, 0] ** 0.4339
    with pytest.warns(ConvergenceWarning, match="do not determine B, beta"):
        ScalingLaw(n_bootstraps=0).fit(X, losses)


def test_a_law_without_a_floor_warns():
    N, D = grid(4, 4).T
    losses = 90.7464 / N**0.4339 + 21.9854 / D**0.3518 - 0.002
    with pytest.warns(ConvergenceWarning, match="E is at its lower bound, 0.*not extrapolate"):
        law = ScalingLaw(n_bootstraps=0).fit(np.column_stack([N, D]), losses)
    assert law.E_ < 1e-6 and law.converged_


def test_a_good_fit_does_not_warn():
    X = grid(4, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ScalingLaw(n_bootstraps=0).fit(X, noisy_losses(X))


def test_a_pickle_predicts_the_same():
    X = grid(4, 4)
    law = ScalingLaw(n_bootstraps=2, random_state=0).fit(X, noisy_losses(X))
    loaded = pickle.loads(pickle.dumps(law))
    np.testing.assert_array_equal(loaded.predict(X), law.predict(X))
    assert loaded.confidence_intervals() == law.confidence_intervals()


def test_a_parameter_set_after_the_fit_does_not_change_it():
    X = grid(4, 4)
    law = ScalingLaw(n_bootstraps=0).fit(X, noisy_losses(X))
    expected = law.predict(X)
    np.testing.assert_array_equal(law.set_params(form="kaplan").predict(X), expected)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_grid_search_compares_the_forms():
    X = grid()
    law, forms = ScalingLaw(n_bootstraps=0), {"form": ["hoffmann", "kaplan"]}
    search = GridSearchCV(law, forms, cv=3, error_score="raise")
    order = np.random.default_rng(0).permutation(len(X))
    assert search.fit(X[order], noisy_losses(X)[order]).best_params_ == {"form": "hoffmann"}


class NumericScalingLaw(ScalingLaw):
    """Rows of numbers, whatever their signs, as sizes and losses."""

    def fit(self, X, y):
        if y is None:
            raise ValueError("This estimator requires y to be passed, but the target y is None.")
        X, y = validate_data(self, X, y, y_numeric=True)
        super().fit(self._sizes(X), np.exp(np.clip(y / 100, -5, 5)))
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        return 100 * np.log(self._form.loss(self.coefficients_, *self._sizes(X).T))

    def _sizes(self, X):
        return np.exp(10 * X[:, [0, -1]] / (1 + np.abs(X[:, [0, -1]])))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # those targets follow no power law
        return tags


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks([NumericScalingLaw(n_bootstraps=1, max_iter=50, random_state=0)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)
