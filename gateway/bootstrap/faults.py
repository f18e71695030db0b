"""What keeps a node from starting."""


class NodeFault(Exception):
    """The node cannot start; the text says what is wrong and what to do."""
