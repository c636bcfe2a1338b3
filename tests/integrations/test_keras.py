"""The Keras callbacks with a real model on the torch backend."""

from __future__ import annotations

from tests.acceptance.tracked import Training

SCRIPT = """
import warnings; warnings.simplefilter("ignore")
import numpy, keras
import tracking
from tracking.integrations.keras import MetricsLogger, ModelCheckpoint
run = tracking.init(project="keras", id="r")
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse")
x = numpy.random.default_rng(0).normal(size=(64, 4)).astype("float32")
y = x.sum(1, keepdims=True)
model.fit(x, y, epochs=3, batch_size=16, validation_data=(x, y), verbose=0,
          callbacks=[MetricsLogger(log_freq=2), ModelCheckpoint(save_best_only=True)])
model.evaluate(x, y, verbose=0, callbacks=[MetricsLogger()])
run.finish()
"""


def test_epochs_batches_evaluation_and_the_best_model_are_recorded(training: Training) -> None:
    training.run(SCRIPT)
    run = training.ended()
    assert len(training.values("epoch/val_loss")) == 3
    assert training.values("epoch/epoch") == [0, 1, 2]
    assert training.values("batch/batch_step") == [0, 2, 4, 6, 8, 10]
    assert abs(run.summary["epoch/learning_rate"] - 0.05) < 1e-6
    assert run.summary["evaluate/loss"] < training.values("epoch/val_loss")[0]
    training.run(
        """
import keras, tracking
folder = tracking.Api().artifact("keras/model-r:best").download()
assert keras.saving.load_model(f"{folder}/model.keras").count_params() == 5
"""
    )


def test_a_missing_keras_is_said_with_its_pip_line(training: Training) -> None:
    done = training.run(
        """
import sys
sys.modules["keras"] = None
try:
    import tracking.integrations.keras
except ImportError as error:
    print(error)
"""
    )
    assert "pip install keras" in done.stdout
