"""Connectors: how an adapter reaches its agency's system, without knowing what the records mean.

Here: access by SQL, reading a change log by its serial, settings and mappings from files, the
agency's local time. Not here: any agency's tables, codes or duties.
"""
