"""A small network on the digits images with plain PyTorch: metrics, watched gradients, a table, checkpoints.

python examples/torch/train.py --epochs 5 --lr 0.1
"""

from __future__ import annotations

import argparse

import torch
from sklearn.datasets import load_digits

import tracking


def data() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Images and labels for training and validation."""
    digits = load_digits()
    images = torch.tensor(digits.data / 16.0, dtype=torch.float32)
    labels = torch.tensor(digits.target)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    train, held = order[:1400], order[1400:]
    return images[train], labels[train], images[held], labels[held]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--width", type=int, default=64)
    options = parser.parse_args()
    torch.manual_seed(0)
    images, labels, held_images, held_labels = data()
    with tracking.init(project="examples", job_type="train", config=options) as run:
        run.define_metric("val/accuracy", summary="max", goal="maximize")
        model = torch.nn.Sequential(
            torch.nn.Linear(64, options.width), torch.nn.ReLU(), torch.nn.Linear(options.width, 10)
        )
        run.watch(model, log="all", log_freq=20)
        optimizer = torch.optim.SGD(model.parameters(), lr=options.lr, momentum=0.9)
        for epoch in range(options.epochs):
            for rows in torch.randperm(len(images)).split(64):
                loss = torch.nn.functional.cross_entropy(model(images[rows]), labels[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                run.log({"train/loss": loss})
            guesses = model(held_images).argmax(1)
            run.log({"epoch": epoch, "val/accuracy": (guesses == held_labels).float().mean()})
            torch.save(model.state_dict(), "model.pt")
            run.log_model("model.pt", name="digits")
        wrong = (guesses != held_labels).nonzero().flatten()[:10]
        table = tracking.Table(columns=["image", "guess", "truth"])
        for index in wrong.tolist():
            picture = tracking.Image(held_images[index].reshape(8, 8).numpy())
            table.add_data(picture, int(guesses[index]), int(held_labels[index]))
        run.log({"mistakes": table})
        run.log({"confusion": tracking.plot.confusion_matrix(y_true=held_labels.tolist(), preds=guesses.tolist())})


if __name__ == "__main__":
    main()
