"""Adapters: one folder per agency, each translating between the gateway and that agency's records.

Here: the agencies' adapters, the connectors they share, and stand-in agency systems under
`reference`. Not here: signing, sealing, sending, remembering - the gateway does that around an
adapter, which sees `gateway.adapter_api` only and no other adapter.
"""
