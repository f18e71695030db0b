"""The whole story of one child's case: inquiry, letter, hand-over, retrieval order."""

from collections.abc import Sequence

from gateway.domain.organisations import OrgId
from gateway.v1 import case_pb2, jurisdiction_pb2, letter_pb2, retrieval_pb2
from tests.world.estate import WUHUA
from tests.world.inquiry import Inquiry

HANDOVER = jurisdiction_pb2.LETTER_KIND_HANDOVER
NOTIFICATION = jurisdiction_pb2.LETTER_KIND_NOTIFICATION


class Story(Inquiry):
    """What follows the decision: letters between counties, and the order to a township."""

    def drafted(
        self,
        recipient: OrgId,
        kind: jurisdiction_pb2.LetterKind.ValueType = HANDOVER,
        cases: Sequence[str] = (),
    ) -> letter_pb2.Letter:
        """The case officer drafts the letter."""
        request = letter_pb2.CreateDraftRequest(
            kind=kind,
            recipient=str(recipient),
            case_ids=cases or [self.case_id],
            text=f"请协助劝返学生{self.child.name}",
        )
        letter: letter_pb2.Letter = self.world.act(
            WUHUA, "LetterService/CreateDraft", request
        ).letter
        self.letter_id = letter.letter_id
        return letter

    def signed(
        self,
        recipient: OrgId,
        kind: jurisdiction_pb2.LetterKind.ValueType = HANDOVER,
        cases: Sequence[str] = (),
    ) -> letter_pb2.Letter:
        """The approver signs it."""
        draft = self.drafted(recipient, kind, cases)
        request = letter_pb2.SignLetterRequest(letter_id=self.letter_id, version=draft.version)
        letter: letter_pb2.Letter = self.world.act(
            WUHUA, "LetterService/SignLetter", request, "APPROVER"
        ).letter
        return letter

    def dispatched(
        self,
        recipient: OrgId,
        kind: jurisdiction_pb2.LetterKind.ValueType = HANDOVER,
        cases: Sequence[str] = (),
    ) -> letter_pb2.Letter:
        """It is dispatched; whether it arrives is not waited for."""
        signed = self.signed(recipient, kind, cases)
        request = letter_pb2.DispatchLetterRequest(letter_id=self.letter_id, version=signed.version)
        letter: letter_pb2.Letter = self.world.act(
            WUHUA, "LetterService/DispatchLetter", request
        ).letter
        return letter

    def registered(self, recipient: OrgId) -> letter_pb2.Letter:
        """The receiver registers the letter once it is there."""
        self.letter(recipient, "DELIVERED")
        request = letter_pb2.RegisterLetterRequest(letter_id=self.letter_id)
        letter: letter_pb2.Letter = self.world.act(
            recipient, "LetterService/RegisterLetter", request
        ).letter
        return letter

    def accepted(self, recipient: OrgId, lines: Sequence[int] = ()) -> letter_pb2.Letter:
        """The receiver accepts lines, all open ones when none is named."""
        request = letter_pb2.AcceptLinesRequest(letter_id=self.letter_id, line_nos=lines)
        letter: letter_pb2.Letter = self.world.act(
            recipient, "LetterService/AcceptLines", request
        ).letter
        return letter

    def handed_over(self, recipient: OrgId) -> case_pb2.DropoutCase:
        """The story up to the new holder's title, at the new holder."""
        self.due(recipient.division)
        self.dispatched(recipient)
        self.registered(recipient)
        self.accepted(recipient)
        case = self.seen_by(recipient, "ASSIGNED")
        assert case.may_act
        return case

    def body_confirmed(self, holder: OrgId) -> case_pb2.DropoutCase:
        """The holder confirms itself as the retrieval body."""
        request = retrieval_pb2.ConfirmBodyRequest(
            case_id=self.case_id, version=self.case(holder).version
        )
        case: case_pb2.DropoutCase = self.world.act(
            holder, "RetrievalService/ConfirmBody", request
        ).case
        return case

    def order_request(self, holder: OrgId, township: OrgId) -> retrieval_pb2.IssueOrderRequest:
        """Return the request for an order, at the present version."""
        return retrieval_pb2.IssueOrderRequest(
            case_id=self.case_id, version=self.case(holder).version, township=str(township)
        )

    def ordered(self, holder: OrgId, township: OrgId) -> retrieval_pb2.RetrievalOrder:
        """The holder confirms itself and orders its township."""
        self.body_confirmed(holder)
        order: retrieval_pb2.RetrievalOrder = self.world.act(
            holder, "RetrievalService/IssueOrder", self.order_request(holder, township)
        ).order
        return order
