"""A small province for tests: organisations, nodes with real stores and keys, a bus that misbehaves.

Here the gateway's own service runs on real SQLite files and real signatures; only gRPC and NATS are
left out, so that a test can drop, double and reorder what travels.
"""
