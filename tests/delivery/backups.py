"""A node's SQLite store as it was, put back in the place of the present one."""

import shutil
from pathlib import Path

from gateway.domain.organisations import OrgId
from tests.world.province import Province


async def backup(province: Province, org: OrgId) -> Path:
    """Copy the store of the organisation's node."""
    node = province.node_of[org]
    await node.store.close()
    copy = node.database.with_suffix(".backup")
    shutil.copyfile(node.database, copy)
    node.open()
    return copy


async def restore(province: Province, org: OrgId, copy: Path) -> None:
    """Put the copy in the place of the store."""
    node = province.node_of[org]
    await node.store.close()
    for beside in ("-wal", "-shm"):
        node.database.with_name(node.database.name + beside).unlink(missing_ok=True)
    shutil.copyfile(copy, node.database)
    node.open()
