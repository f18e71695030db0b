"""What a signed envelope may hold: the media types, which are part of what is signed.

A signature under one type can never be taken for one under another (DSSE v1.0.2), so each kind of
statement has a type of its own. They are ASCII, and they never change: a new meaning of the bytes
is a new type.
"""

from typing import Final

EVENT: Final = "application/vnd.dropout-gateway.event.v1+protobuf"
"""A fact (`Event`), signed by the organisation whose fact it is."""

MESSAGE: Final = "application/vnd.dropout-gateway.message.v1+protobuf"
"""Sealed mail (`Message`), signed by its sender."""

RECEIPT: Final = "application/vnd.dropout-gateway.receipt.v1+protobuf"
"""What became of messages, signed by their receiver."""

GAP_REQUEST: Final = "application/vnd.dropout-gateway.gap-request.v1+protobuf"
"""A receiver asks for the messages its lane lacks."""

LANE_STATEMENT: Final = "application/vnd.dropout-gateway.lane-statement.v1+protobuf"
"""How both lanes between two organisations stand at one of them."""

RETURNED_FACTS: Final = "application/vnd.dropout-gateway.returned-facts.v1+protobuf"
"""A peer gives a recovering organisation its own facts back, sealed."""

TITLE: Final = "application/vnd.dropout-gateway.title.v1+protobuf"
"""Who may act on a case (`Title`), signed by its maker."""

FACT_NOTICE: Final = "application/vnd.dropout-gateway.fact-notice.v1+protobuf"
"""A published fact in its chain (`FactNotice`), signed by the organisation whose fact it is."""

DIRECTORY: Final = "application/vnd.dropout-gateway.directory.v1+protobuf"
"""Who takes part (`DirectoryDocument`), signed by the directory's authority."""
