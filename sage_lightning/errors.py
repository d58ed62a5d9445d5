"""What the user can mend, said in the user's own key names."""


class UserError(Exception):
    """A mistake of the user's: `lines` are printed, one a mistake, no traceback; the exit status is 2."""

    status = 2

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class ShortageError(UserError):
    """The machine has too little of something for what was asked, and it may be asked for less."""

    status = 1
