"""The callback with transformers' real Trainer and a tiny random model."""

from __future__ import annotations

from tests.acceptance.tracked import Training

SCRIPT = """
import warnings; warnings.simplefilter("ignore")
import torch, transformers
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments
import tracking
from tracking.integrations.huggingface import SweepwrightCallback
transformers.logging.set_verbosity_error()
torch.manual_seed(0)
rows = [{"input_ids": row, "labels": row} for row in torch.randint(0, 20, (16, 8))]
model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=2, n_embd=8, vocab_size=20, n_positions=8))
arguments = TrainingArguments(output_dir="out", max_steps=4, per_device_train_batch_size=4, logging_steps=1,
                              eval_strategy="steps", eval_steps=2, save_steps=2, report_to="none", use_cpu=True,
                              disable_tqdm=True, dataloader_pin_memory=False)
"""


def test_a_trainer_records_metrics_arguments_and_checkpoints(training: Training) -> None:
    training.run(
        SCRIPT
        + """
callback = SweepwrightCallback(log_model="checkpoint", project="hf", id="r")
trainer = Trainer(model=model, args=arguments, train_dataset=rows, eval_dataset=rows, callbacks=[callback])
trainer.train()
assert tracking.run is None  # the callback ended the run that it started
"""
    )
    run = training.ended()
    assert (run.project, run.state) == ("hf", "finished")
    assert len(training.values("train/loss")) == 4
    assert len(training.values("eval/loss")) == 2
    assert training.values("train/global_step")[-1] == 4
    assert (run.config["n_layer"], run.config["max_steps"]) == (1, 4)
    assert run.config["model/num_parameters"] > 0
    training.run(
        """
import tracking
artifact = tracking.Api().artifact("hf/checkpoint-r:latest")
assert artifact.metadata["step"] == 4
assert "config.json" in artifact.manifest.entries
"""
    )


def test_a_run_that_was_there_before_stays_open_and_gets_the_final_model(training: Training) -> None:
    training.run(
        SCRIPT
        + """
run = tracking.init(project="hf", id="r")
trainer = Trainer(model=model, args=arguments, train_dataset=rows, eval_dataset=rows,
                  callbacks=[SweepwrightCallback(log_model="end", watch="gradients", watch_freq=1)])
trainer.train()
assert tracking.run is run
trainer.predict(rows)
run.finish()
"""
    )
    run = training.ended()
    assert run.summary["test/loss"] > 0
    training.run("import tracking\nassert tracking.Api().artifact('hf/model-r:latest').type == 'model'\n")


def test_a_missing_transformers_is_said_with_its_pip_line(training: Training) -> None:
    done = training.run(
        """
import sys
sys.modules["transformers"] = None
try:
    import tracking.integrations.huggingface
except ImportError as error:
    print(error)
"""
    )
    assert "pip install transformers" in done.stdout
