"""Letters 函 of the story: from the draft to the receiver's register, and the answers to them."""

from gateway.cli.demonstration.cast import WUHUA, ZHENXIONG
from gateway.cli.demonstration.lines import Said, term_of
from gateway.cli.demonstration.sights import of_case
from gateway.cli.demonstration.stage import Stage
from gateway.v1 import event_pb2, jurisdiction_pb2, letter_pb2


def letter(stage: Stage, case_id: str, kind: jurisdiction_pb2.LetterKind.ValueType) -> str:
    """A letter is drafted, signed, sent, delivered and registered; return it."""
    term = term_of(jurisdiction_pb2.LetterKind.Name(kind))
    draft = stage.act(
        WUHUA,
        "CASE_OFFICER",
        letter_pb2.CreateDraftRequest(
            kind=kind,
            recipient=str(ZHENXIONG),
            case_ids=[case_id],
            text="现将该生有关情况函告贵局,请按规定办理。",
        ),
        letter_pb2.CreateDraftResponse,
    ).letter
    stage.done(
        WUHUA, "CASE_OFFICER", Said("letter drafted", "拟函"), Said(f"{term.en} letter", term.zh)
    )
    signed = stage.act(
        WUHUA,
        "APPROVER",
        letter_pb2.SignLetterRequest(letter_id=draft.letter_id, version=draft.version),
        letter_pb2.SignLetterResponse,
    ).letter
    number = Said(signed.letter_no, signed.letter_no)
    stage.done(WUHUA, "APPROVER", Said("letter signed", "签发"), number)
    stage.act(
        WUHUA,
        "CASE_OFFICER",
        letter_pb2.DispatchLetterRequest(letter_id=draft.letter_id, version=signed.version),
        letter_pb2.DispatchLetterResponse,
    )
    about = of_case(case_id)
    stage.see(event_pb2.EVENT_TYPE_LETTER_DISPATCHED, about, (ZHENXIONG,), number)
    stage.until(
        WUHUA,
        letter_pb2.GetLetterRequest(letter_id=draft.letter_id),
        letter_pb2.GetLetterResponse,
        lambda answer: answer.letter.state == letter_pb2.LETTER_STATE_DELIVERED,
        (
            Said("letter delivered", "已送达"),
            Said("by the receiver's signed receipt", "凭收件机构签名回执"),
        ),
    )
    stage.act(
        ZHENXIONG,
        "CASE_OFFICER",
        letter_pb2.RegisterLetterRequest(letter_id=draft.letter_id),
        letter_pb2.RegisterLetterResponse,
    )
    stage.see(event_pb2.EVENT_TYPE_LETTER_REGISTERED, about, (WUHUA,), number)
    return draft.letter_id


def taken_over(stage: Stage, case_id: str, letter_id: str) -> None:
    """The receiver accepts; the holder's node grants the title, and from then on only reads."""
    stage.act(
        ZHENXIONG,
        "CASE_OFFICER",
        letter_pb2.AcceptLinesRequest(letter_id=letter_id),
        letter_pb2.AcceptLinesResponse,
    )
    about = of_case(case_id)
    stage.see(
        event_pb2.EVENT_TYPE_LETTER_LINES_ACCEPTED,
        about,
        (WUHUA,),
        Said("Irrevocable: 镇雄 takes the case over", "镇雄县接收劝返,不可撤销"),
    )
    granted = stage.see(
        event_pb2.EVENT_TYPE_TITLE_GRANTED,
        about,
        (ZHENXIONG,),
        Said("With no human; from here on 镇雄 alone may act", "系统自动移交,此后仅镇雄县可办理"),
    )
    holder = granted.title_granted.title.holder
    stage.require(holder == str(ZHENXIONG), "the title names the receiver")
    stage.require(stage.case(ZHENXIONG, case_id).may_act, "the new holder may act")
    stage.require(not stage.case(WUHUA, case_id).may_act, "the former holder only reads")


def noted(stage: Stage, case_id: str, letter_id: str) -> None:
    """The receiver of a notification notes it; the holder stays."""
    stage.act(
        ZHENXIONG,
        "CASE_OFFICER",
        letter_pb2.NoteLetterRequest(letter_id=letter_id),
        letter_pb2.NoteLetterResponse,
    )
    stage.see(
        event_pb2.EVENT_TYPE_LETTER_NOTED,
        of_case(case_id),
        (WUHUA,),
        Said("The holder stays 五华", "持案机构仍为五华区"),
    )
    _still_held(stage, case_id)


def returned(stage: Stage, case_id: str, letter_id: str, county: str) -> None:
    """The receiver returns the only line: the household has moved on; the holder never left."""
    stage.act(
        ZHENXIONG,
        "CASE_OFFICER",
        letter_pb2.ReturnLinesRequest(
            letter_id=letter_id,
            lines=[
                letter_pb2.ReturnedLine(
                    line_no=1,
                    reason=letter_pb2.RETURN_REASON_HUKOU_MOVED_OUT,
                    county=county,
                    case_id=case_id,
                )
            ],
        ),
        letter_pb2.ReturnLinesResponse,
    )
    event = stage.see(
        event_pb2.EVENT_TYPE_LETTER_LINES_RETURNED,
        of_case(case_id),
        (WUHUA,),
        Said(
            f"HUKOU_MOVED_OUT to {county}; the holder never left 五华",
            f"户籍已迁出至 {county};持案机构始终为五华区",
        ),
    )
    reasons = [line.reason for line in event.letter_lines_returned.lines]
    stage.require(
        reasons == [letter_pb2.RETURN_REASON_HUKOU_MOVED_OUT], "the line came back with its reason"
    )
    answered = stage.ask(
        WUHUA, letter_pb2.GetLetterRequest(letter_id=letter_id), letter_pb2.GetLetterResponse
    ).letter
    stage.require(
        answered.state == letter_pb2.LETTER_STATE_RETURNED, "the sender's letter is returned"
    )
    _still_held(stage, case_id)


def _still_held(stage: Stage, case_id: str) -> None:
    case = stage.case(WUHUA, case_id)
    stage.require(case.holder == str(WUHUA) and case.may_act, "五华 holds the case and may act")
    other = stage.case(ZHENXIONG, case_id)
    stage.require(not other.may_act, "镇雄 may not act")
