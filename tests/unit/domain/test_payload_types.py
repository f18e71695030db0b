"""Payload types."""

import re

from gateway.domain import payload_types


def test_types_are_distinct_and_ascii() -> None:
    """Every type has its own name of the one visible ASCII form."""
    names = [name for name in vars(payload_types) if name.isupper()]
    types = {getattr(payload_types, name) for name in names}
    assert len(types) == len(names) == 9
    form = re.compile(r"application/vnd\.dropout-gateway\.[a-z-]+\.v1\+protobuf")
    assert all(form.fullmatch(kind) for kind in types)
