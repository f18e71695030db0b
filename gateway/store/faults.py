"""What the store refuses to work on, and what it cannot go on with."""


class UnsafeStore(Exception):
    """The database would acknowledge what it has not kept."""


class LinkLost(Exception):
    """The link to the database broke within a transaction: nothing of it was kept."""
