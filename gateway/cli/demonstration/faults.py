"""What can go wrong in a demonstration."""


class DemoFault(Exception):
    """The demonstration did not hold; the text says what failed, in full sentences."""


class StepFailed(DemoFault):
    """One step of the story was refused, did not show its effect, or was not verified."""


class NodeFell(DemoFault):
    """A node ended, or does not serve."""
