"""What `gateway doctor` says in Chinese; the English stands with the codes themselves."""

from functools import cache
from types import MappingProxyType

from gateway.cli.words import Language
from gateway.ports.condition import Finding, Part

HEADINGS = MappingProxyType(
    {
        "en": ("", "part", "code", "found", "what to do"),
        "zh": ("", "部件", "代码", "情况", "处理办法"),
    }
)

PARTS_ZH = MappingProxyType(
    {
        Part.SETTINGS: "设置",
        Part.KEYS: "密钥",
        Part.DIRECTORY: "名录",
        Part.STORE: "存储",
        Part.BUS: "总线",
        Part.CLOCK: "时钟",
        Part.LANES: "通道",
        Part.NODE: "节点",
    }
)

_ZH = """
GOOD | 正常 |
NOT_ASKED | 未检查:{what} |
SETTING_WRONG | {setting}:{what} |
OPEN_TO_OTHERS | 其他用户可读取 {path}(权限 {mode})。 | 执行:chmod 600 {path}
CERTIFICATE_ENDS | 证书 {setting} 将于 {until} 到期。 | 请在到期前换发。
KEY_MISSING | 名录中没有 {org} 的有效密钥({purpose})。 | 请名录管理机构登记。
KEY_ENDS | {org} 的密钥({purpose})将于 {until} 到期。 | 请名录管理机构登记新密钥,旧密钥保留在设置中。
DIRECTORY_REFUSED | 新版名录被拒绝:{what} | 现行版本继续有效;请向名录管理机构重新获取。
DIRECTORY_ROLLED_BACK | 名录为第 {version} 版,而本节点已使用过第 {seen} 版。 | 请重新获取名录,否则已吊销的密钥会重新生效。
ORGANISATION_ELSEWHERE | 本节点配置了 {org},但名录将其登记在 {node}。 | 改正其一:一个单位只能有一个存储。
ORGANISATION_UNLISTED | 本节点配置了 {org},但名录中没有该单位。 | 请名录管理机构登记,或从设置中删除。
STORE_ABSENT | {path} 尚无存储。 | 首次启动时自动建立。
STORE_AWAY | 存储未正常应答({fault})。 | 检查 [store] url、数据库是否运行及账号权限。
STORE_HANGS | 一个事务已等待 {seconds} 秒。 | 检查磁盘,以及还有谁在使用数据库。
STORE_OUTDATED | 存储的结构版本不符:{what} |
STORE_UNSAFE | 数据库设置不安全:{what} | 使提交即落盘。
STORE_READ_ONLY | 存储不可写。 | 查明磁盘或文件为何只读(常因磁盘出错)。
STORE_DAMAGED | 存储已损坏:{what}。 | 保留现有文件,检查磁盘,恢复最新备份;其余由对方单位送回。
STORE_BEING_CHECKED | 正在逐页检查存储。 |
STORE_LOG_MISSING | 预写日志 {path} 不见了,{since} 之后已确认的内容随之丢失。 | 放回该文件;如确系有意恢复备份,删除 {mark}。
RECOVERING | {org} 的部分记录已丢失,自 {since} 起正由对方单位送回。 | 各方答复且本地名录不旧于各方名录之前不作任何有权行为,请放入最新版名录;见 gateway recovery show
DISK_FULL | 存储所在磁盘已满(剩余 {free})。 | 腾出空间;运行中的节点会自行恢复。
DISK_FILLS | 存储所在磁盘剩余 {free}。 | 请及时腾出空间。
BUS_AWAY | 与消息服务器没有连接{what}。 | 检查 [bus] 及消息服务器;函件暂存于存储中。
BROKER_TOO_OLD | 消息服务器 {server} 的版本为 {version},可能丢失已确认的函件。 | 安装 nats-server {least} 或更新版本。
BROKER_LAZY_SYNC | 消息服务器 {server} 在写入磁盘之前即确认函件。 | 在其 jetstream 一节设置 sync_interval: always,然后重启。
BROKER_SILENT | 消息服务器未说明如何保存函件:{subject} 无人应答。 | 按 deploy/nats-server.conf 设置账户,并授予 `gateway config broker-user` 所列权限。
STREAM_UNSAFE | 消息流 {stream} 会丢失、复制或拒收函件:{what}。 | 删除该消息流;各节点将重建,并重发尚无回执的函件。
CLOCK_BEHIND | 时钟比存储中最近的时刻慢 {seconds} 秒。 | 校准时钟。函件次序不受影响,期限和密钥受影响。
CLOCK_JUMPED | 运行期间时钟跳变 {seconds} 秒。 | 查明是什么在调整时钟。
DEAD_LETTERS | 有 {count} 件死信待处理,最早自 {since}。 | 逐件查看,重新投递或放弃。
EVENTS_PARKED | 有 {count} 个事件在等待前件,最早自 {since}。 | 前件到达后自动生效;久等不至的转为死信。
MAIL_HELD_BACK | 有 {count} 个事件无法发出:收方或发方没有有效密钥。 | 查看日志 lane.held_back,请名录管理机构登记密钥。
MAIL_UNANSWERED | 有 {count} 件函件未收到回执,最早为 {since}。 | 会自动重发;请询问对方节点是否运行。
NODE_AWAY | 节点未在 {address} 运行。 | 启动:gateway serve
NODE_NOT_SERVING | 运行中的节点称以下部件不可用:{parts}。 | 原因见以上各行;代码见其日志。
"""


@cache
def words_zh() -> dict[str, tuple[str, str]]:
    """Code -> sentence and advice."""
    rows = [line.split("|") for line in _ZH.strip().splitlines()]
    return {row[0].strip(): (row[1].strip(), row[2].strip()) for row in rows}


def sentence(finding: Finding, language: Language) -> str:
    """Say what was found."""
    if language == "en":
        return finding.sentence
    return words_zh()[finding.code][0].format_map(finding.facts)


def advice(finding: Finding, language: Language) -> str:
    """Say what to do; empty when there is nothing to do."""
    if language == "en":
        return finding.advice
    return words_zh()[finding.code][1].format_map(finding.facts)
