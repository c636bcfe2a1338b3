"""Takes secrets out of what is recorded of a run: values on the command line, and passwords in URLs."""

from __future__ import annotations

from collections.abc import Sequence

MASK = "***"
_SECRET = (
    "token", "password", "passwd", "pwd", "passphrase", "secret", "apikey", "credential", "credentials", "authtoken",
)  # fmt: skip
_KEYS = ("api", "access", "secret", "private", "auth", "account", "subscription", "license", "ssh")
"""`key` is a secret after one of these words, and a plain word (--sort-key) otherwise."""
_VOCABULARY = (
    "pad", "bos", "eos", "unk", "mask", "sep", "cls", "special", "next", "start", "end", "image", "audio", "stop",
    "per", "new", "extra",
)  # fmt: skip
"""`token` after one of these words is a word of a language model."""
_MARKS = (
    "hf_", "sk-", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "xoxa-", "AKIA", "ASIA", "AIza",
    "eyJhbGciOi", "pypi-AgE",
)  # fmt: skip
"""With these begin the keys of well-known services."""
_MARKED_LENGTH = 16


def masked_arguments(arguments: Sequence[str]) -> list[str]:
    """The same words with *** for the values of options such as --api-key, and for what looks like a key by itself."""
    masked: list[str] = []
    hides_next = False
    for argument in map(str, arguments):
        if hides_next and not argument.startswith("--"):
            masked.append(MASK)
            hides_next = False
            continue
        name, equals, value = argument.partition("=")
        if equals and is_secret(name):
            masked.append(f"{name}={MASK}")
        else:
            masked.append(f"{name}={_masked(value)}" if equals and "://" not in name else _masked(argument))
        hides_next = not equals and name.startswith("-") and is_secret(name)
    return masked


def is_secret(name: str) -> bool:
    """Whether an option, or a dotted key, of this name holds a secret."""
    words = _words(name)
    if not words:
        return False
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in ("key", "keys"):
        return before in _KEYS
    if last == "token":
        return before not in _VOCABULARY
    return last in _SECRET


def without_credentials(url: str) -> str:
    """The URL without user and password; a user alone stays where it is part of the address (ssh, git@host:path)."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url
    place, slash, path = rest.partition("/")
    account, at, host = place.rpartition("@")
    if not at:
        return url
    if scheme.startswith(("ssh", "git+ssh")):
        return f"{scheme}://{account.partition(':')[0]}@{host}{slash}{path}"
    return f"{scheme}://{host}{slash}{path}"


def _masked(text: str) -> str:
    if text.startswith(_MARKS) and len(text) >= _MARKED_LENGTH:
        return MASK
    if "://" in text and "@" in text:
        return without_credentials(text)
    return text


def _words(name: str) -> list[str]:
    """The words of --api-key, api_key, apiKey and some.API.key in small letters."""
    spaced: list[str] = []
    for before, letter in zip(" " + name, name, strict=False):
        if letter.isupper() and before.islower():
            spaced.append(" ")
        spaced.append(letter.lower() if letter.isalnum() else " ")
    return "".join(spaced).split()
