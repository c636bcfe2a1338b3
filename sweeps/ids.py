"""New ids for sweeps and agents: short enough to type, random enough never to meet."""

from __future__ import annotations

import secrets
import string

_FIRST = string.ascii_lowercase
_REST = string.ascii_lowercase + string.digits


def new_id() -> str:
    """Eight characters [a-z0-9], the first a letter (so that no shell or YAML takes it for a number): 2e12 of them."""
    return secrets.choice(_FIRST) + "".join(secrets.choice(_REST) for _ in range(7))
