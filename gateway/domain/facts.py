"""The table of facts: who may state each and who is told.

Tables, because the regulation's division of labour is a table (D.4). The rows stand by theme
in `gateway.domain.fact_rules`.
"""

from collections.abc import Mapping

from gateway.domain.fact_kinds import FactKind, FactRule, Party
from gateway.domain.fact_rules import absences, cases, letters, placements, registers, retrieval

__all__ = ["RULES", "FactKind", "FactRule", "Party"]

RULES: Mapping[FactKind, FactRule] = {
    **absences.RULES,
    **cases.RULES,
    **registers.RULES,
    **letters.RULES,
    **retrieval.RULES,
    **placements.RULES,
}
"""Every kind of fact; complete, which a test holds."""
