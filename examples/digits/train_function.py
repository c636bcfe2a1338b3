"""The digits sweep from Python: a smaller search, with a function instead of a program."""

from __future__ import annotations

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import sweeps
import tracking

SWEEP = {
    "name": "digits-function",
    "method": "bayes",
    "metric": {"name": "val/accuracy", "goal": "maximize"},
    "parameters": {
        "lr": {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-1},
        "width": {"values": [8, 16, 32, 64, 128]},
        "activation": {"values": ["relu", "tanh", "logistic"]},
    },
    "early_terminate": {"type": "hyperband", "min_iter": 3},
    "seed": 7,
}


def train() -> None:
    """One trial: the parameters are in `tracking.config` after `tracking.init()`."""
    with tracking.init() as run:
        images, labels = load_digits(return_X_y=True)
        train_x, val_x, train_y, val_y = train_test_split(images / 16.0, labels, test_size=0.3, random_state=0)
        network = MLPClassifier(
            hidden_layer_sizes=(run.config.width,),
            activation=run.config.activation,
            learning_rate_init=run.config.lr,
            random_state=0,
        )
        for _ in range(15):
            network.partial_fit(train_x, train_y, classes=range(10))
            run.log({"train/loss": network.loss_, "val/accuracy": network.score(val_x, val_y)})


if __name__ == "__main__":
    sweep = sweeps.create(SWEEP, project="digits")
    sweep.run(train, trials=10)
    best = sweep.best()
    print(f"best of {len(sweep.trials())} trials: {best.value:.4f} with {best.params}")
