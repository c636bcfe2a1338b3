"""Secrets on command lines and in URLs are never recorded; everything else is."""

from __future__ import annotations

import pytest

from tracking.provenance.masking import is_secret, masked_arguments, without_credentials


@pytest.mark.parametrize(
    "name",
    [
        "--api-key", "--api_key", "--apiKey", "--API_KEY", "-token", "--token", "--hf-token", "--auth_token",
        "--password",
        "--db.password", "--db-passwd", "--client-secret", "+wandb.api_key", "--aws_secret_access_key", "--private-key",
        "--credentials", "--openai-api-key", "--apikey",
    ],
)  # fmt: skip
def test_these_options_hold_secrets(name: str) -> None:
    assert is_secret(name)
    assert masked_arguments(["train.py", f"{name}=abc"]) == ["train.py", f"{name}=***"]


@pytest.mark.parametrize(
    "name",
    [
        "--lr", "--tokenizer", "--max-tokens", "--num_tokens", "--pad-token", "--eos_token", "--key", "--sort-key",
        "--monkey", "--secretary", "--keyboard", "", "--", "-k",
    ],
)  # fmt: skip
def test_these_options_hold_none(name: str) -> None:
    assert not is_secret(name)
    assert masked_arguments(["train.py", f"{name}=abc"]) == ["train.py", f"{name}=abc"]


def test_the_value_that_follows_an_option_is_masked() -> None:
    line = ["train.py", "--token", "abc", "--lr", "0.1", "--password", "--verbose", "--api-key", "-x"]
    assert masked_arguments(line) == [
        "train.py",
        "--token",
        "***",
        "--lr",
        "0.1",
        "--password",
        "--verbose",
        "--api-key",
        "***",
    ]


def test_keys_of_services_are_known_by_their_looks() -> None:
    assert masked_arguments(["t.py", "hf_" + "a" * 30, "--x=sk-" + "b" * 30, "sk-learn"]) == [
        "t.py",
        "***",
        "--x=***",
        "sk-learn",
    ]


def test_masking_twice_changes_nothing() -> None:
    line = ["t.py", "--token", "abc", "--db=postgresql://u:p@h/d"]
    assert masked_arguments(masked_arguments(line)) == masked_arguments(line)


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://user:secret@github.com/a/b.git", "https://github.com/a/b.git"),
        ("https://x-access-token:abc@github.com/a/b", "https://github.com/a/b"),
        ("https://token@github.com/a/b", "https://github.com/a/b"),
        ("https://github.com/a/b@v1", "https://github.com/a/b@v1"),
        ("ssh://git:pw@host:22/a", "ssh://git@host:22/a"),
        ("git@github.com:a/b.git", "git@github.com:a/b.git"),
        ("/srv/git/a.git", "/srv/git/a.git"),
        ("", ""),
    ],
)
def test_urls_lose_their_credentials(url: str, clean: str) -> None:
    assert without_credentials(url) == clean


def test_a_url_on_the_command_line_loses_them_too() -> None:
    assert masked_arguments(["t.py", "--db=postgresql://u:p@h/d", "https://u:p@h/x"]) == [
        "t.py", "--db=postgresql://h/d", "https://h/x",
    ]  # fmt: skip
