"""The charts of real scikit-learn estimators."""

from __future__ import annotations

import pytest

from tests.acceptance.tracked import Training

START = """
import warnings; warnings.simplefilter("ignore")
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.model_selection import train_test_split
import tracking
from tracking.integrations import sklearn as charts
run = tracking.init(project="sk", id="r")
"""
CLASSIFIER = """
from sklearn.linear_model import LogisticRegression
data = load_breast_cancer()
a, b, c, d = train_test_split(data.data / data.data.max(0), data.target, random_state=0)
model = LogisticRegression().fit(a, c)
charts.plot_classifier(model, a, b, c, d, model.predict(b), model.predict_proba(b), list(data.target_names),
                       is_binary=True, feature_names=list(data.feature_names), log_learning_curve=True)
"""
REGRESSOR = """
from sklearn.linear_model import Ridge
x, y = load_diabetes(return_X_y=True)
a, b, c, d = train_test_split(x, y, random_state=0)
charts.plot_regressor(Ridge().fit(a, c), a, b, c, d)
"""
CLUSTERER = """
from sklearn.cluster import KMeans
x, _ = load_iris(return_X_y=True)
model = KMeans(3, n_init=2, random_state=0)
charts.plot_clusterer(model, x, model.fit_predict(x), ["a", "b", "c"])
"""
CASES = {
    "classifier": (
        CLASSIFIER,
        "summary_metrics class_proportions confusion_matrix roc precision_recall feature_importances calibration_curve "
        "learning_curve",
    ),
    "regressor": (REGRESSOR, "summary_metrics learning_curve residuals outlier_candidates feature_importances"),
    "clusterer": (CLUSTERER, "elbow_curve silhouette"),
}


@pytest.mark.parametrize("kind", CASES)
def test_every_chart_of_an_estimator_is_logged(training: Training, kind: str) -> None:
    script, keys = CASES[kind]
    training.run(START + script + "run.finish()\n")
    run = training.ended()
    assert {key: run.summary[key]["_type"] for key in keys.split()} == dict.fromkeys(keys.split(), "custom-chart")
    if kind == "classifier":
        assert run.summary["metrics/accuracy"] > 0.9
    if kind == "regressor":
        assert 0 < run.summary["metrics/r2"] < 1


def test_a_missing_scikit_learn_is_said_with_its_pip_line(training: Training) -> None:
    done = training.run(
        """
import sys
sys.modules["sklearn"] = None
try:
    import tracking.integrations.sklearn
except ImportError as error:
    print(error)
"""
    )
    assert "pip install scikit-learn" in done.stdout
