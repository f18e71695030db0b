"""Words for the enum values of a child's matter: absence, case, letter, order, placement.

One line per value: the name without its prefix, the English words, the Chinese words (domain terms
of the regulation). `gateway.cli.words` looks them up.
"""

MATTER_WORDS = {
    "ABSENCE_KIND": """
        UNEXCUSED | unexcused | 无正当理由未到校
        SICK_LEAVE | sick leave | 病假
        PERSONAL_LEAVE | personal leave | 事假
        OTHER_EXCUSED | excused otherwise | 其他正当理由
    """,
    "ABSENCE_STATE": """
        REPORTED | reported | 已报告
        UNDER_FOLLOW_UP | under follow-up | 跟踪中
        EXCUSED | excused | 有正当理由
        RETURNED | returned | 已到校
        ESCALATED | case opened | 已立案
        RETRACTED | retracted | 已撤回
    """,
    "DROPOUT_REASON": """
        LEARNING_DIFFICULTY | learning difficulty | 学习困难厌学
        WORK | away for work | 外出务工
        EARLY_MARRIAGE | early marriage or birth | 早婚早育
        RELIGIOUS | in a temple | 入寺入教
        ILLNESS_DISABILITY | illness or disability | 疾病、残疾
        POVERTY | poverty | 家庭经济困难
        GUARDIAN_NEGLECT | neglect by the guardian | 监护缺失
        SCHOOL_CONDUCT | conduct of the school | 学校行为不当
        DISTANCE | distance | 路途遥远
        FAMILY_MIGRATION | moved with the family | 随家庭流动
        OTHER | other | 其他
        UNKNOWN | unknown | 不明
    """,
    "CASE_STATE": """
        SUSPECTED | suspected dropout | 疑似辍学
        VERIFYING | being verified | 核实中
        NOT_DROPOUT | no dropout | 非辍学
        CONFIRMED | dropout confirmed | 确认辍学
        JURISDICTION_PENDING | responsibility pending | 劝返责任待定
        ASSIGNED | assigned | 已明确责任
        IN_RETRIEVAL | in retrieval | 劝返中
        STEPS_EXHAUSTED | four steps exhausted | 四步法用尽
        DEFERRED | deferred, open | 延缓入学或休学(继续劝返)
        RETURNED | returned | 已返校
        PLACED | placed | 已安置
        WATCH | under watch | 复学观察
        CLOSED_RETAINED | closed: stayed at school | 销号:稳定就读
        CLOSED_DECEASED | closed: deceased | 销号:死亡
        CLOSED_ABROAD | closed: abroad | 销号:出国(境)
        CLOSED_COMPLETED | closed: completed | 销号:完成义务教育
        CLOSED_AGED_OUT | closed: over age | 销号:超龄
        CLOSED_TRANSFERRED | closed: transferred | 销号:转学就读
        CLOSED_MERGED | closed: merged | 销号:并案
        CLOSED_WRONG_PERSON | closed: wrong person | 销号:人员有误
    """,
    "WHEREABOUTS_KIND": """
        AT_HOME | at home | 在家
        IN_ENROLMENT_COUNTY | in the enrolment county | 在学籍地
        IN_HUKOU_COUNTY | in the hukou county | 在户籍地
        OTHER_COUNTY_YN | in another county of Yunnan | 在省内其他县区
        OTHER_PROVINCE | in another province | 在省外
        ABROAD | abroad | 在国(境)外
        TEMPLE | in a temple | 在寺院
        CUSTODY | in custody | 在押或羁押
        INSTITUTION | in an institution | 在机构
        UNKNOWN | unknown | 去向不明
    """,
    "LETTER_KIND": """
        NOTIFICATION | notification | 告知函
        HANDOVER | hand-over | 函告劝返
        ASSISTANCE | assistance | 协查函
        REPLY | reply | 复函
        HANDBACK | hand-back | 交还函
        EXTERNAL | outside Yunnan | 省际函
    """,
    "LETTER_STATE": """
        DRAFT | draft | 草稿
        SIGNED | signed | 已签发
        DISPATCHED | dispatched | 已发出
        DELIVERED | delivered | 已送达
        REGISTERED | registered | 已收文登记
        ACCEPTED | accepted | 已接收
        RETURNED | returned | 已退回
        NOTED | noted | 已阅知
        RETRACTED | retracted | 已撤回
        REPLIED | replied | 已复函
        ARCHIVED | archived | 已归档
        UNDELIVERABLE | undeliverable | 无法送达
        PAPER_FALLBACK | sent on paper | 改发纸质
        REGISTERED_OFFLINE | paper registered | 纸质补登
    """,
    "LINE_STATE": """
        OPEN | open | 待答复
        ACCEPTED | accepted | 已接收
        GRANTED | title passed | 已移交
        RETURNED | returned | 已退回
        NOTED | noted | 已阅知
        RETRACTED | retracted | 已撤回
        OFFER_ENDED | offer had ended | 移交已失效
    """,
    "RETURN_REASON": """
        HUKOU_NOT_HERE | hukou not here | 户籍不在本地
        HUKOU_MOVED_OUT | hukou moved out | 户籍已迁出
        PERSON_UNKNOWN | person unknown | 查无此人
        LOCATION_IN_SENDER_COUNTY | child is in the sender's county | 人在发函地
        DECEASED | deceased | 已死亡
        DUPLICATE_LETTER | duplicate letter | 重复来函
        MISSING_ATTACHMENT | attachment missing | 缺附件
        WRONG_PERSON | wrong person | 人员有误
        OTHER | other | 其他
        LOCATION_CHANGED | whereabouts changed | 去向已变
    """,
    "URGENCY": """
        URGENT | urgent | 加急
        VERY_URGENT | very urgent | 特急
    """,
    "ORDER_STATE": """
        ISSUED | issued | 已下达
        ACKNOWLEDGED | acknowledged | 已签收
        ASSIGNED | officer named | 已落实包保
        IN_PROGRESS | in progress | 劝返中
        FULFILLED | fulfilled | 已完成
        EXHAUSTED | four steps exhausted | 四步法用尽
        BLOCKED | blocked | 无法执行
        RECALLED | recalled | 已收回
    """,
    "RETRIEVAL_STEP": """
        EDUCATION | education | 宣传教育
        ORDER_TO_CORRECT | order to correct | 责令改正
        ADMIN_PENALTY | administrative penalty | 行政处罚
        APPLY_ENFORCEMENT | application for enforcement | 申请强制执行
        FILE_SUIT | lawsuit | 提起诉讼
    """,
    "STEP_OUTCOME": """
        STARTED | started | 已启动
        SERVED | served | 已送达
        EFFECTIVE | effective | 有效
        INEFFECTIVE | without effect | 无效
    """,
    "RESPONDENT": """
        GUARDIAN | guardian | 监护人
        CHILD | child | 学生本人
    """,
    "SERVICE_METHOD": """
        IN_PERSON | in person | 直接送达
        LEFT | left at the home | 留置送达
        POST | by post | 邮寄送达
        PUBLIC_NOTICE | public notice | 公告送达
        ELECTRONIC | electronic | 电子送达
        HOME_VISIT | home visit | 入户走访
    """,
    "PLACEMENT_KIND": """
        VOCATIONAL_INTEGRATION | vocational integration | 普职融合
        GROUP_CLASS | group class | 集中教育
        SEPARATE_TEACHING | separate teaching | 单独教学
        REGULAR_CLASS | regular class | 随班就读
        SPECIAL_SCHOOL | special school | 特教学校
        INCLUSIVE_CLASS | inclusive class | 残疾学生随班就读
        WELFARE_INSTITUTION_CLASS | class in a welfare institution | 儿童福利机构特教班
        HOME_TEACHING | home teaching | 送教上门
        SPECIALISED_SCHOOL | specialised school | 专门学校
        CUSTODY_EDUCATION | education in custody | 羁押期间教育
    """,
    "PLACEMENT_STATE": """
        PROPOSED | proposed | 拟安置
        DECIDED | decided | 已决定
        STARTED | started | 已开始
        COMPLETED | completed | 已完成
        BROKEN | broken off | 已中断
    """,
}
"""Enum name in capitals -> its table."""
