"""What the store refuses to work on."""


class UnsafeStore(Exception):
    """The database would acknowledge what it has not kept."""
