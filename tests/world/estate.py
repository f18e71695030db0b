"""The organisations of the test province: two counties, a third one, and two agencies."""

from gateway.crypto.development import Estate, EstateNode
from gateway.domain.organisations import Organisation, OrgId

WUHUA = OrgId.parse("530102/edu")
WUHUA_SCHOOL = OrgId.parse("530102/sch/3153000123")
WUHUA_TOWNSHIP = OrgId.parse("530102001/twn")
ZHENXIONG = OrgId.parse("530627/edu")
ZHENXIONG_SCHOOL = OrgId.parse("530627/sch/3153000456")
ZHENXIONG_TOWNSHIP = OrgId.parse("530627001/twn")
SHUIFU = OrgId.parse("530681/edu")
SHUIFU_TOWNSHIP = OrgId.parse("530681001/twn")
POLICE = OrgId.parse("53/psb")
PLATFORM = OrgId.parse("53/rrb")

_OFFICE = ("CASE_OFFICER", "APPROVER")
_SCHOOL = ("HEAD_TEACHER", "REGISTRAR", "PRINCIPAL")
_TOWNSHIP = ("TOWNSHIP_OFFICER", "CASE_OFFICER")
_AGENCY = ("AGENCY_OFFICER",)


def _bureau(org: OrgId, name: str, mark: str) -> Organisation:
    return Organisation(org, name, letter_mark=mark, posts=_OFFICE)


def _school(org: OrgId, name: str, township: OrgId) -> Organisation:
    return Organisation(org, name, township=township.division, posts=_SCHOOL)


def _township(org: OrgId, name: str) -> Organisation:
    return Organisation(org, name, posts=_TOWNSHIP)


ESTATE = Estate(
    nodes=(
        EstateNode(
            "wuhua",
            (
                _bureau(WUHUA, "五华区教育体育局", "五教函"),
                _school(WUHUA_SCHOOL, "五华区第一中学", WUHUA_TOWNSHIP),
                _township(WUHUA_TOWNSHIP, "护国街道办事处"),
            ),
        ),
        EstateNode(
            "zhenxiong",
            (
                _bureau(ZHENXIONG, "镇雄县教育体育局", "镇教函"),
                _school(ZHENXIONG_SCHOOL, "镇雄县第一中学", ZHENXIONG_TOWNSHIP),
                _township(ZHENXIONG_TOWNSHIP, "乌峰街道办事处"),
            ),
        ),
        EstateNode(
            "shuifu",
            (
                _bureau(SHUIFU, "水富市教育体育局", "水教函"),
                _township(SHUIFU_TOWNSHIP, "云富街道办事处"),
            ),
        ),
        EstateNode("police", (Organisation(POLICE, "云南省公安厅", posts=_AGENCY),)),
        EstateNode("platform", (Organisation(PLATFORM, "政府救助平台", posts=_AGENCY),)),
    )
)
