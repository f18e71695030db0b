"""Names and codes of a household register, as data: another register needs another mapping only.

The defaults are those of the reference register. A TOML file replaces any of them.
"""

from enum import StrEnum

from pydantic import Field

from adapters.connectors.local_time import LocalTime
from adapters.connectors.settings import SqlSettings, SystemMapping

YUNNAN = "53"


class PublicSecuritySettings(SqlSettings):
    """Settings of this adapter, beside those of any SQL adapter."""

    province: str = Field(default=YUNNAN, pattern=r"^[1-9][0-9]$")
    """The 2-digit province whose register this is; a place elsewhere is OUT_OF_PROVINCE."""
    under_age: int = Field(default=18, ge=1)
    """Years of age. Changes of anyone older never leave the adapter."""


class Standing(StrEnum):
    """What a row of the register says of itself."""

    CURRENT = "CURRENT"
    SUPERSEDED = "SUPERSEDED"  # an earlier registration inside the province
    DECEASED = "DECEASED"
    OUT_OF_PROVINCE = "OUT_OF_PROVINCE"
    CANCELLED = "CANCELLED"  # for any other cause: a duplicate, settled abroad


class Move(StrEnum):
    """What a row of the change log says happened."""

    REGISTERED = "REGISTERED"  # now registered at the new place, wherever from
    OUT_OF_PROVINCE = "OUT_OF_PROVINCE"
    DECEASED = "DECEASED"
    CANCELLED = "CANCELLED"
    NO_MOVE = "NO_MOVE"  # a name or number mended: the place stays


class PersonColumns(SystemMapping):
    """Columns of the table of registrations, one row for each registration a person ever had."""

    table: str = "RK_CZRK"
    id_number: str = "GMSFHM"
    name: str = "XM"
    former_name: str = "CYM"
    birth_date: str = "CSRQ"
    county: str = "HKSZD_QX"
    township: str = "HKSZD_XZ"
    since: str = "QRRQ"
    standing: str = "ZXBS"
    ended: str = "ZXRQ"
    destination: str = "QWD_QH"


class LogColumns(SystemMapping):
    """Columns of the change log."""

    table: str = "RK_BDXX"
    serial: str = "BDXH"
    birth_date: str = "CSRQ"
    move: str = "BDLX"
    county: str = "BDH_QX"
    township: str = "BDH_XZ"
    moved_on: str = "BDRQ"
    recorded_at: str = "DJSJ"


STANDINGS = {
    "0": Standing.CURRENT,
    "1": Standing.DECEASED,
    "2": Standing.OUT_OF_PROVINCE,
    "3": Standing.SUPERSEDED,
    "4": Standing.CANCELLED,  # 重户注销
    "9": Standing.CANCELLED,  # 其他注销
}
MOVES = {
    "11": Move.REGISTERED,  # 省内迁移
    "12": Move.OUT_OF_PROVINCE,  # 迁往省外
    "13": Move.REGISTERED,  # 省外迁入
    "14": Move.REGISTERED,  # 出生登记, 补录
    "21": Move.DECEASED,  # 死亡注销
    "22": Move.CANCELLED,  # 重户或其他注销
    "31": Move.NO_MOVE,  # 项目变更
}
# A register may lag behind the Ministry of Civil Affairs for up to 18 months
# (行政区划管理条例 art. 15, 17); a statement must carry the code in force.
RENAMED_COUNTIES = {
    "530121": "530114",
    "530122": "530115",
    "530321": "530304",
    "530328": "530303",
    "530421": "530403",
    "530422": "530481",
    "530522": "530581",
    "530630": "530681",
    "532331": "532302",
    "532522": "532503",
    "532526": "532504",
    "532621": "532601",
    "533321": "533301",
    "533421": "533401",
}


class RegisterMapping(SystemMapping):
    """A household register: where its tables are, what its columns and codes are called."""

    db_schema: str | None = None
    person: PersonColumns = PersonColumns()
    log: LogColumns = LogColumns()
    local_time: LocalTime = LocalTime()
    standings: dict[str, Standing] = STANDINGS
    moves: dict[str, Move] = MOVES
    renamed_counties: dict[str, str] = RENAMED_COUNTIES
