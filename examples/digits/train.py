"""Train a small network on scikit-learn's digits images (1 797 pictures of 8 x 8 pixels), epoch by epoch.

An ordinary script: `python train.py --lr=0.01` runs it by itself, and a sweep passes the same options.
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import tracking


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lr", type=float, default=0.001, help="learning rate of Adam")
    parser.add_argument("--width", type=int, default=32, help="units of the hidden layer")
    parser.add_argument("--activation", default="relu", choices=["relu", "tanh", "logistic"])
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--weight_decay", type=float, default=0.0001, help="L2 penalty")
    parser.add_argument("--epochs", type=int, default=27)
    parser.add_argument("--seed", type=int, default=0, help="of the initial weights and the shuffling")
    return parser.parse_args()


def moved(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """Flat 8 x 8 pictures, moved by whole pixels; what leaves on one side is empty on the other."""
    padded = np.pad(images.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    return padded[:, 1 - down : 9 - down, 1 - right : 9 - right].reshape(-1, 64)


def load() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pictures to learn from, each also moved by a pixel in all eight directions, and pictures to judge by."""
    images, labels = load_digits(return_X_y=True)
    # The split is fixed, so that all trials are judged by the same pictures.
    train_x, val_x, train_y, val_y = train_test_split(
        images / 16.0, labels, test_size=0.3, random_state=0, stratify=labels
    )
    steps = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return np.concatenate([moved(train_x, *step) for step in steps]), val_x, np.tile(train_y, len(steps)), val_y


def main() -> None:
    args = parse_args()
    train_x, val_x, train_y, val_y = load()
    network = MLPClassifier(
        hidden_layer_sizes=(args.width,),
        activation=args.activation,
        learning_rate_init=args.lr,
        batch_size=args.batch_size,
        alpha=args.weight_decay,
        random_state=args.seed,
    )
    with tracking.init(project="digits", config=args) as run:
        for epoch in range(args.epochs):
            network.partial_fit(train_x, train_y, classes=range(10))  # one pass over the training pictures
            accuracy = network.score(val_x, val_y)
            run.log({"epoch": epoch, "train/loss": network.loss_, "val/accuracy": accuracy})
            print(f"epoch {epoch:2d}  loss {network.loss_:.4f}  accuracy {accuracy:.4f}", flush=True)


if __name__ == "__main__":
    main()
