"""A random forest on the wine data, with every chart that there is for a classifier.

python examples/sklearn/train.py --trees 50
"""

from __future__ import annotations

import argparse

from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

import tracking
from tracking.integrations import sklearn as charts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trees", type=int, default=50)
    parser.add_argument("--depth", type=int, default=4)
    options = parser.parse_args()
    wine = load_wine()
    train_x, test_x, train_y, test_y = train_test_split(wine.data, wine.target, random_state=0)
    with tracking.init(project="examples", config=options) as run:
        model = RandomForestClassifier(options.trees, max_depth=options.depth, random_state=0).fit(train_x, train_y)
        charts.plot_classifier(
            model,
            train_x,
            test_x,
            train_y,
            test_y,
            model.predict(test_x),
            model.predict_proba(test_x),
            labels=list(wine.target_names),
            feature_names=list(wine.feature_names),
        )
        run.summary["accuracy"] = model.score(test_x, test_y)


if __name__ == "__main__":
    main()
