"""Faults of the material a node starts from: its key files and its directory.

    Exception
    +-- MaterialFault      something on this machine cannot be used; for the operator
        +-- KeyFault       a key file
        +-- DirectoryFault the signed directory or the key that it is checked with

They reach the operator at start-up and on reload, never a caller of the gateway; a caller gets a
`gateway.domain.errors.Refusal`.
"""


class MaterialFault(Exception):
    """Key or directory material that cannot be used.

    `message` says in one sentence what is wrong, `advice` what to do; neither holds key bytes.
    """

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(f"{message} {advice}")
        self.message = message
        self.advice = advice


class KeyFault(MaterialFault):
    """A key that cannot be read, is open to others, or is of no kind this gateway uses."""


class DirectoryFault(MaterialFault):
    """A directory that is not the authority's, contradicts itself, or is older than ours."""
