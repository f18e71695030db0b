"""What can go wrong between an adapter and its agency's system.

    AgencyFault
        SystemAway        the system does not answer: ask again later
        WriteConflict     someone else wrote the same key first: look again
        ValueNotTaken     the system cannot hold a value: final
        UnreadableRecord  a record holds what the mapping does not know: final until it is mended

No text here repeats what a driver said: drivers quote the values they choked on.
"""


class AgencyFault(Exception):
    """Root of the faults; its text is one sentence without personal data."""


class SystemAway(AgencyFault):
    """The agency's system does not answer."""


class WriteConflict(AgencyFault):
    """A unique key of the agency's system is taken already."""


class ValueNotTaken(AgencyFault):
    """The agency's system has no room for a value."""


class UnreadableRecord(AgencyFault):
    """A record of the agency holds something that the mapping does not know."""
