"""The running province: that of ESTATE, and a node of hostile organisations that never runs."""

from gateway.crypto.development import Estate, EstateNode
from gateway.domain.organisations import Organisation, OrgId
from tests.world.estate import ESTATE, SHUIFU, WUHUA

HOSTILE_COUNTY = OrgId.parse("530624/edu")
HOSTILE_TOWNSHIP = OrgId.parse("530624001/twn")
HOSTILE_POLICE = OrgId.parse("530624/psb")
REVOKED_COUNTY = OrgId.parse("530625/edu")
EXPIRED_COUNTY = OrgId.parse("530626/edu")
"""Organisations with keys of the directory, whose node answers to nobody but the test."""

HOSTILE_NODE = "hostile"

RUNNING = Estate(
    nodes=(
        *ESTATE.nodes,
        EstateNode(
            HOSTILE_NODE,
            tuple(
                Organisation(org, "演练单位", posts=("CASE_OFFICER",))
                for org in (
                    HOSTILE_COUNTY,
                    HOSTILE_TOWNSHIP,
                    HOSTILE_POLICE,
                    REVOKED_COUNTY,
                    EXPIRED_COUNTY,
                )
            ),
        ),
    )
)

_PAIR = {WUHUA, SHUIFU}
TWO_COUNTIES = Estate(
    nodes=tuple(
        node
        for node in ESTATE.nodes
        if _PAIR & {organisation.id for organisation in node.organisations}
    )
)
"""Two counties and nobody else: for tests that need a world of their own."""
