"""The callbacks of XGBoost, LightGBM and CatBoost with real training on small data."""

from __future__ import annotations

import pytest

from tests.acceptance.tracked import Training

DATA = """
import warnings; warnings.simplefilter("ignore")
import numpy
rng = numpy.random.default_rng(0)
x = rng.normal(size=(200, 4))
y = (x[:, 0] + 0.1 * rng.normal(size=200) > 0).astype(int)
train_x, test_x, train_y, test_y = x[:150], x[150:], y[:150], y[150:]
import tracking
run = tracking.init(project="boost", id="r")
"""
XGBOOST = """
import xgboost
from tracking.integrations.xgboost import SweepwrightCallback
train, test = xgboost.DMatrix(train_x, train_y), xgboost.DMatrix(test_x, test_y)
xgboost.train({"objective": "binary:logistic", "eval_metric": ["logloss", "auc"], "nthread": 1}, train, 8,
              evals=[(train, "train"), (test, "test")], early_stopping_rounds=8, verbose_eval=False,
              callbacks=[SweepwrightCallback(log_model=True)])
"""
LIGHTGBM = """
import lightgbm
from tracking.integrations.lightgbm import log_summary, wandb_callback
train = lightgbm.Dataset(train_x, train_y)
model = lightgbm.train({"objective": "binary", "metric": ["binary_logloss", "auc"], "num_threads": 1, "verbose": -1},
                       train, 8, valid_sets=[train, lightgbm.Dataset(test_x, test_y, reference=train)],
                       valid_names=["train", "test"], callbacks=[wandb_callback()])
log_summary(model, save_model_checkpoint=True)
"""
CATBOOST = """
import catboost
from tracking.integrations.catboost import SweepwrightCallback, log_summary
model = catboost.CatBoostClassifier(iterations=8, verbose=False, thread_count=1, allow_writing_files=False)
model.fit(train_x, train_y, eval_set=(test_x, test_y), callbacks=[SweepwrightCallback()])
log_summary(model, save_model_checkpoint=True)
"""
CASES = {
    "xgboost": (XGBOOST, "test/logloss", "booster"),
    "lightgbm": (LIGHTGBM, "test/binary_logloss", "objective"),
    "catboost": (CATBOOST, "validation/Logloss", "iterations"),
}


@pytest.mark.parametrize("library", CASES)
def test_each_round_is_recorded_with_importance_best_value_and_model(training: Training, library: str) -> None:
    script, metric, setting = CASES[library]
    training.run(DATA + script + "run.finish()\n")
    run = training.ended()
    values = training.values(metric)
    assert len(values) == 8
    assert run.summary[metric]["best"] == min(values)
    assert setting in run.config
    assert run.summary["feature_importance"]["_type"] == "custom-chart"
    training.run("import tracking\nassert tracking.Api().artifact('boost/model-r:latest').type == 'model'\n")


@pytest.mark.parametrize("library", CASES)
def test_a_callback_without_a_run_asks_for_init(training: Training, library: str) -> None:
    call = "wandb_callback" if library == "lightgbm" else "SweepwrightCallback"
    training.run(
        f"""
from tracking.errors import UsageError
from tracking.integrations.{library} import {call}
try:
    {call}()
except UsageError as error:
    assert "init()" in str(error)
else:
    raise SystemExit("no error")
"""
    )


@pytest.mark.parametrize("library", CASES)
def test_a_missing_library_is_said_with_its_pip_line(training: Training, library: str) -> None:
    done = training.run(
        f"""
import sys
sys.modules["{library}"] = None
try:
    import tracking.integrations.{library}
except ImportError as error:
    print(error)
"""
    )
    assert f"pip install {library}" in done.stdout
