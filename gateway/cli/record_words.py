"""Words for the enum values of records around a matter: events, register, directory, refusals.

Written as in `gateway.cli.matter_words`.
"""

RECORD_WORDS = {
    "EVENT_TYPE": """
        ABSENCE_REPORTED | absence reported | 缺勤已报告
        PLATFORM_ENTRY_RECORDED | entered on the platform | 平台已登记录入
        SUSPECTED_DROPOUT_SUBMITTED | suspected dropout submitted | 疑似辍学已提交
        DROPOUT_CONFIRMED | dropout confirmed | 辍学已确认
        DROPOUT_REFUTED | no dropout found | 已排除辍学
        HUKOU_QUERIED | hukou asked for | 户籍已查询
        HUKOU_ASSERTED | hukou stated | 户籍已反馈
        WHEREABOUTS_RECORDED | whereabouts recorded | 去向已记录
        JURISDICTION_DETERMINED | responsibility determined | 劝返责任已认定
        LETTER_DISPATCHED | letter dispatched | 函已发出
        LETTER_REGISTERED | letter registered | 函已收文登记
        LETTER_LINES_ACCEPTED | lines accepted | 函告事项已接收
        LETTER_LINES_RETURNED | lines returned | 函告事项已退回
        LETTER_NOTED | letter noted | 函已阅知
        LETTER_RETRACTED | letter retracted | 函已撤回
        TITLE_GRANTED | title passed | 案件已移交
        OFFER_ENDED | offer had ended | 移交已失效
        RETRIEVAL_BODY_CONFIRMED | retrieval body confirmed | 劝返主体已确认
        RETRIEVAL_ORDER_ISSUED | retrieval order issued | 劝返指令已下达
        RETRIEVAL_ORDER_ACKNOWLEDGED | retrieval order acknowledged | 劝返指令已签收
        RETRIEVAL_OFFICER_ASSIGNED | officer named | 包保责任人已落实
        RETRIEVAL_STEP_RECORDED | step recorded | 四步法步骤已记录
        RETRIEVAL_ORDER_FULFILLED | retrieval order fulfilled | 劝返指令已完成
        PLACEMENT_PROPOSED | placement proposed | 拟安置
        STUDENT_RETURNED | child back at school | 学生已返校
        PLACEMENT_DECIDED | placement decided | 安置已决定
        PLACEMENT_STARTED | placement started | 安置已开始
        ENROLMENT_ASSERTED | enrolment stated | 学籍已反馈
    """,
    "SENSITIVITY": """
        PUBLIC | public | 公开
        TOKEN | tokens only | 仅代号
        IDENTITY | identity | 身份信息
        SENSITIVE | sensitive | 敏感个人信息
    """,
    "PART_KIND": """
        IDENTITY | identity | 身份
        GUARDIAN | guardian | 监护人
        NARRATIVE | text | 文字说明
        MASKED_IDENTITY | masked identity | 脱敏身份
        REASON | reason | 辍学原因
        WHEREABOUTS | whereabouts | 去向
    """,
    "TITLE_CAUSE": """
        CONFIRMED | dropout confirmed | 确认辍学
        ACCEPTED | hand-over accepted | 接收移交
        DESIGNATED | designated by a superior | 上级指定
        DEPOSED | holder deposed by a superior | 上级改派
    """,
    "HUKOU_FINDING": """
        FOUND | found | 查到
        NOT_FOUND | not found | 查无此人
        AMBIGUOUS | several candidates | 多人待核
        DECEASED | deceased | 死亡注销
        OUT_OF_PROVINCE | moved out of Yunnan | 迁出省外
    """,
    "SEX": """
        MALE | male | 男
        FEMALE | female | 女
        NOT_STATED | not stated | 未说明的性别
    """,
    "PLATFORM_MATTER": """
        ABSENCE | absence | 缺勤
        RETRIEVAL_BODY | retrieval body | 劝返主体
        RETRIEVAL_ORDER | retrieval order | 劝返指令
        RETRIEVAL_STEP | retrieval step | 劝返步骤
        RETURN | return | 复学
    """,
    "EXCHANGE_STATE": """
        WAITING | waiting | 等待中
        DONE | answered | 已答复
        REFUSED | refused | 已拒绝
    """,
    "RECOVERY_CAUSE": """
        STORE_OLDER | store older than its start counter | 数据早于启动计数
        COUNTER_MISSING | store without its start counter | 启动计数缺失
        RESTORED | restored from a backup | 由备份恢复
        PEER_AHEAD | a peer has more | 对方机构记录更新
    """,
    "RECOVERY_PEER_STATE": """
        ASKED | asked | 已请求
        RETURNED | its mail still coming | 来函补收中
        ANSWERED | answered | 已返还
        WAIVED | waived | 不再等待
    """,
    "WAIVER_REASON": """
        NODE_GONE | node no longer exists | 节点已不存在
        NODE_UNREACHABLE | node unreachable | 节点无法联通
        MEMORY_LOST_TOO | lost the same memory | 同样丢失数据
        NEVER_TOOK_PART | never ran a node | 从未接入
    """,
    "RECEIPT_OUTCOME": """
        APPLIED | applied | 已生效
        REFUSED | refused | 已拒绝
        PARKED | parked | 暂存
    """,
    "DIVISION_LEVEL": """
        PROVINCE | province | 省
        PREFECTURE | prefecture | 州市
        COUNTY | county | 县区
        TOWNSHIP | township | 乡镇
    """,
    "KEY_PURPOSE": """
        SIGN | signing | 签名
        SEAL | sealing | 加封
    """,
    "KEY_ALGORITHM": """
        ED25519 | Ed25519 | Ed25519
        HPKE_X25519_AES256GCM | HPKE X25519 AES-256-GCM | HPKE X25519 AES-256-GCM
    """,
    "DEAD_LETTER_KIND": """
        UNAUTHENTIC | author not certain | 来源无法确认
        EQUIVOCATION | second message under one number | 同号异文
        LANE_BROKEN | does not continue the lane | 通道前后不衔接
        UNREADABLE | a part could not be verified | 部分内容无法核验
        RECEIPT_FAILED | receipt not processed | 回执处理失败
        PARKED | parked too long | 挂起超期
        REFUSED_BY_PEER | refused by its receiver | 被收方拒收
        UNRECEIPTED | no receipt in time | 逾期无回执
        CLAIM_UNPROVED | claims more than we sent, without proof | 称收到我方未发之件，未予证实
        UNSENDABLE | too large to send | 超限无法发送
    """,
    "DEAD_LETTER_STATE": """
        OPEN | open | 待处理
        HEALED | healed by itself | 已自行恢复
        REDRIVEN | taken up again | 已重新投递
        DISCARDED | given up | 已放弃
    """,
    "DISCARD_REASON": """
        FORGED | forged | 伪造
        OUTDATED | outdated | 已过时
        SETTLED_OTHERWISE | settled otherwise | 已另行办结
        DEFECTIVE | can never take effect | 无法生效
    """,
    "ERROR_REASON": """
        MISSING_FIELD | a required field is missing | 缺少必填项
        INVALID_FIELD | a field is out of form or bounds | 填写不合规
        TOO_LARGE | too large | 内容过大
        MALFORMED_REQUEST | unreadable request | 请求无法解析
        REQUEST_ID_REUSED | request id used before for something else | 请求编号重复使用
        NOT_FOUND | not found | 未找到
        STALE_VERSION | changed since it was read | 记录已更新
        STALE_EPOCH | the title has passed on | 案件归属已变更
        ILLEGAL_TRANSITION | not possible in this state | 当前状态不允许
        LOG_DIVERGED | not the log remembered | 日志与所记不符
        IDENTITY_REQUIRED | no identity in the certificate | 证书缺少机构身份
        NOT_AT_HOME | not at home on this node | 机构不在本节点
        WRONG_ROLE | not for this kind of organisation | 机构类型无权办理
        WRONG_POST | not for this post | 岗位无权办理
        WRONG_JURISDICTION | belongs to another place | 非本地管辖
        UNKNOWN_ORGANISATION | unknown organisation | 机构不在名录
        NO_POLICY | not allowed to anyone | 未设权限
        PURPOSE_REQUIRED | purpose and post are needed | 须说明用途和岗位
        NOT_ENTITLED | not entitled | 无订阅权限
        TOO_MANY | too many at once | 同时数量超限
        BELOW_THRESHOLD | fewer days than the rule asks | 未达缺勤天数
        MALFORMED_ABSENCE | contradictory days | 缺勤日期有误
        MALFORMED_ID_NUMBER | not an identity number | 身份证号有误
        MALFORMED_ENROLMENT_NUMBER | not an enrolment number | 学籍号有误
        MALFORMED_ORGANISATION | not an organisation code | 机构代码有误
        UNKNOWN_DIVISION | unknown division code | 区划代码不存在
        RETIRED_DIVISION | retired division code | 区划代码已停用
        IDENTITY_CONFLICT | identifiers of different children | 身份信息相互矛盾
        NOT_HOLDER | not the holder of the case | 非案件持有机构
        CROSS_COUNTY_ORDER | order across the county line | 指令不得跨县区
        SELF_LETTER | letter to oneself | 不得向本机构发函
        OFFER_OPEN | an offer is open already | 已有待答复的移交
        OFFER_ENDED | the offer has ended | 移交已失效
        NEEDS_DECISION | a person must decide | 须人工裁定
        HUKOU_UNKNOWN | hukou not known yet | 户籍地未查明
        WHEREABOUTS_UNKNOWN | whereabouts not recorded yet | 去向未记录
        LETTER_NOT_DUE | no such letter is due | 无须发此函
        WRONG_LETTER_KIND | wrong kind of letter | 函件类型不符
        TITLE_UNKNOWN | title not known here yet | 归属凭证未到
        TITLE_INVALID | title chain broken | 归属凭证无效
        BODY_NOT_CONFIRMED | retrieval body not confirmed | 劝返主体未确认
        STEP_OUT_OF_ORDER | step out of order | 步骤次序有误
        MISSING_LEGAL_BASIS | legal basis missing | 缺少法律依据
        RESPONDENT_NOT_GUARDIAN | respondent must be the guardian | 相对人须为监护人
        CASE_EXISTS | an open case exists | 已有在办案件
        RECOVERING | recovering its memory | 数据恢复中
        ENVELOPE_MALFORMED | not a signed envelope | 信封格式有误
        PAYLOAD_TYPE_UNEXPECTED | unexpected payload type | 载荷类型不符
        KEY_UNKNOWN | unknown key | 密钥不在名录
        KEY_WRONG_PURPOSE | key of another purpose | 密钥用途不符
        KEY_NOT_YET_VALID | key not valid yet | 密钥尚未生效
        KEY_EXPIRED | key expired | 密钥已过期
        KEY_REVOKED | key revoked | 密钥已吊销
        SIGNATURE_INVALID | signature invalid | 签名无效
        SIGNER_MISMATCH | signer is someone else | 签名机构不符
        WRONG_RECEIVER | addressed to another | 收件机构不符
        ROLE_NOT_ALLOWED | source may not state this | 来源机构无权陈述
        JURISDICTION_NOT_ALLOWED | source may not state this here | 来源机构无此管辖
        SEAL_BROKEN | seal cannot be opened | 加封无法开启
        PART_MISMATCH | private part does not match | 附带信息不符
        PAYLOAD_INVALID | payload invalid | 载荷无效
        EQUIVOCATION | same number, other content | 同号异文
        LANE_BROKEN | lane broken | 通道断链
        FROM_THE_FUTURE | dated in the future | 时间超前
        MATTER_UNKNOWN | matter unknown here | 事项不存在
        AGENCY_REFUSED | refused by the agency | 部门系统拒绝
        NO_AGENCY | no agency connected | 部门未接入
        UNAVAILABLE | busy, try again | 繁忙,请稍后再试
        INTERNAL | fault of the server | 服务器故障
        STORE_UNAVAILABLE | the store takes nothing just now | 存储暂不可写
    """,
}
"""Enum name in capitals -> its table."""
