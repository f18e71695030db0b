"""What keeps a node from starting, or from going on."""

from gateway.ports.condition import Finding, Severity


class NodeFault(Exception):
    """The node cannot start or go on; the text says what is wrong and what to do."""


def refuse(finding: Finding) -> None:
    """Raise NodeFault for a finding with which the node must not run."""
    if finding.severity is Severity.FAIL:
        raise NodeFault(f"{finding.code}: {finding.sentence} {finding.advice}")
