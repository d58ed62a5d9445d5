"""Why a file did not come. Reasons are words of our own: what a library says may hold a signed address."""

REFUSED = "refused: "  # how the reason of what is not even tried begins
UNANSWERED = "query: "  # and of a question to the archive that it did not answer


class Failed(Exception):
    """The file did not come; `reason` goes into the table of failures."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(Failed):
    """The archive gives the file a name or an address that is not followed."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{REFUSED}{reason}")


class Denied(Failed):
    """The storage wants credentials (status 401), or others (403)."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}, protected")
        self.status = status


class Transient(Failed):
    """It may go well the next time.

    Attributes:
        after: seconds that the server asks to wait before; 0 where it does not.
    """

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


class Unanswered(Failed):
    """The archive does not say what there is in a span of time.

    Attributes:
        reached: whether anybody was there to be asked.
    """

    def __init__(self, reason: str, reached: bool) -> None:
        super().__init__(reason)
        self.reached = reached


class Unreached(Transient):
    """Nobody is there."""

    def __init__(self) -> None:
        super().__init__("no connection")


class Stopped(Exception):
    """The call is ending, and with it this transfer."""
