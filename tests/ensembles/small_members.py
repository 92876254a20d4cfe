"""Members that are fitted in a moment."""

from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_cloud import CloudClassifier, CloudRegressor
from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.ensembles.members import Member

TINY = {
    "encoder": EncoderConfig(n_layers=1, n_heads=2, width=16),
    "max_epochs": 2,
    "validation_fraction": 0,
    "device": "cpu",
}


def regression(effort, y, *, random_state, **options):
    ridge = make_pipeline(SimpleImputer(), StandardScaler(), Ridge(10.0))
    members = [
        Member("trees", "features", ExtraTreesRegressor(10, random_state=random_state)),
        Member("ridge", "features", ridge),
    ]
    if effort != "fast":
        members.append(Member("CLOUD", "strings", CloudRegressor(random_state=0, **TINY)))
    return members


def classification(effort, y, *, random_state, **options):
    logistic = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
    members = [
        Member("trees", "features", ExtraTreesClassifier(10, random_state=random_state)),
        Member("logistic", "features", logistic),
    ]
    if effort != "fast":
        members.append(Member("CLOUD", "strings", CloudClassifier(random_state=0, **TINY)))
    return members
