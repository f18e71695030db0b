"""The migrations: numbered, written out, forward only.

Here: how alembic runs them, and one file for each under `versions`. Not here: the tables as the
code uses them (`gateway.store.tables`); a test keeps the two equal. A new one is drafted with
`alembic -x url=sqlite:///PATH revision --autogenerate --rev-id 0002 -m "what it does"`, PATH being
a migrated store, and then written out by hand.
"""
