"""Runs one block of the guide as a script: `python guide_driver.py GUIDE NUMBER`, with `import tracking as wandb`.

Only what the guide takes for granted is made here: the user's own functions, arrays and files. Each statement runs
after `STAND_INS` for the names that it uses were set, because one name stands for different things in the guide.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

BLOCK = re.compile(r"^```python\n(.*?)^```", re.S | re.M)


def blocks(guide: Path) -> list[str]:
    """The Python blocks of the guide."""
    return BLOCK.findall(guide.read_text(encoding="utf-8"))


def picture() -> Any:
    import numpy

    return numpy.random.default_rng(0).integers(0, 255, (24, 32, 3), dtype=numpy.uint8)


def array_for(statement: str) -> Any:
    """What `array` is in a statement of the guide: an image, a sound or a video."""
    import numpy

    if "Audio(" in statement:
        return numpy.sin(numpy.arange(4410) / 20.0)
    if "Video(" in statement:
        return numpy.random.default_rng(0).integers(0, 255, (4, 3, 32, 32), dtype=numpy.uint8)
    return picture()


def pictures(_: str) -> Any:
    return [picture() for _ in range(3)]


def mask(_: str) -> Any:
    import numpy

    return numpy.zeros((24, 32), dtype=numpy.uint8)


def numbers(_: str) -> Any:
    import numpy

    return numpy.random.default_rng(0).normal(size=1000)


def points(_: str) -> Any:
    import numpy

    return numpy.random.default_rng(0).normal(size=(50, 3))


def file_named(name: str) -> Callable[[str], None]:
    def make(_: str) -> None:
        from PIL import Image

        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture()).save(name)

    return make


def torch_model(_: str) -> Any:
    import torch

    model = torch.nn.Linear(2, 1)
    torch.save(model.state_dict(), "model.pt")
    return model


def torch_library(_: str) -> Any:
    import torch

    return torch


_lightning: dict[str, Any] = {}


def lightning_part(part: str) -> Callable[[str], Any]:
    def make(_: str) -> Any:
        if not _lightning:
            from tests.acceptance.tracking_sdk import guide_lightning

            _lightning.update(model=guide_lightning.Model(), datamodule=guide_lightning.Data())
        return _lightning[part]

    return make


STAND_INS: dict[str, Callable[[str], Any]] = {
    "train_one_epoch": lambda _: lambda: 0.25,
    "evaluate": lambda _: lambda: 0.75,
    "best_acc": lambda _: 0.9,
    "train_loss": lambda _: 0.5,
    "val_loss": lambda _: 0.6,
    "test_acc": lambda _: 0.7,
    "current_lr": lambda _: 1e-3,
    "img1": lambda _: picture(),
    "img2": lambda _: picture(),
    "array": array_for,
    "batch": pictures,
    "image": lambda _: picture(),
    "mask_array": mask,
    "class_labels": lambda _: {0: "ground", 1: "sky"},
    "gradient_values": numbers,
    "points_array": points,
    "accuracy": lambda _: 0.93,
    "loss": lambda _: 2.0,
    "threshold": lambda _: 1.0,
    "model_name": lambda _: "resnet",
    "lr": lambda _: 0.1,
    "batch_size": lambda _: 32,
    "torch": torch_library,
}
LIGHTNING = {"model": lightning_part("model"), "datamodule": lightning_part("datamodule")}
TORCH = {"model": torch_model}
FILES = {"path/to/image.png": file_named("path/to/image.png")}
CONFIG = "learning_rate: 0.25\nlr:\n  desc: step size\n  value: 0.125\n"


def main(guide: str, number: str) -> None:
    source = blocks(Path(guide))[int(number)].replace("import wandb", "import tracking as wandb")
    import tracking

    sys.argv = ["train.py"]
    Path("train.py").write_text(source)
    Path("config.yaml").write_text(CONFIG)
    stand_ins = STAND_INS | (LIGHTNING if "lightning" in source else TORCH)
    if "lightning" in source:
        from tracking.integrations import lightning

        lightning.install()
    if "Artifact(" in source:
        torch_model("")
    space: dict[str, Any] = {"__name__": "__main__", "wandb": tracking}
    if "wandb.init(" not in source and "lightning" not in source:
        tracking.init(project="my-project", id="guide")
    given: set[str] = set()
    for statement in ast.parse(source).body:
        text = ast.unparse(statement)
        for name in sorted({node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}):
            # What the block itself has set is not ours to replace.
            if name in stand_ins and (name not in space or name in given):
                space[name] = stand_ins[name](text)
                given.add(name)
        for path, make in FILES.items():
            if path in text:
                make(text)
        exec(compile(ast.Module([statement], []), f"guide block {number}", "exec"), space)
    if tracking.run is not None:
        tracking.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
