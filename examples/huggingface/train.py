"""A tiny GPT-2 with random weights learns to count, with the Trainer of transformers. Nothing is downloaded.

python examples/huggingface/train.py --steps 30
"""

from __future__ import annotations

import argparse

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

from tracking.integrations.huggingface import SweepwrightCallback


def sequences(count: int, length: int = 16, words: int = 32) -> list[dict[str, torch.Tensor]]:
    """Rows of numbers that count upwards."""
    starts = torch.randint(0, words, (count, 1), generator=torch.Generator().manual_seed(0))
    rows = (starts + torch.arange(length)) % words
    return [{"input_ids": row, "labels": row} for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--lr", type=float, default=1e-2)
    options = parser.parse_args()
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=2, n_embd=32, vocab_size=32, n_positions=16))
    arguments = TrainingArguments(
        output_dir="hf-out",
        max_steps=options.steps,
        learning_rate=options.lr,
        per_device_train_batch_size=16,
        logging_steps=5,
        eval_strategy="steps",
        eval_steps=10,
        save_steps=options.steps,
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    callback = SweepwrightCallback(log_model="end", project="examples", tags=["transformers"])
    Trainer(
        model=model,
        args=arguments,
        train_dataset=sequences(512),
        eval_dataset=sequences(64),
        callbacks=[callback],
    ).train()


if __name__ == "__main__":
    main()
