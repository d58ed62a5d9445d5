"""What is told of a command line leaves out what may be a secret in it."""

import re

_USER = re.compile(r"(https?://)[^\s/@'\"]+@")
_QUERY = re.compile(r"(https?://[^\s?#'\"]*)[?#][^\s'\"]*")
_NAMED = re.compile(r"(?i)([\w.+]*(?:token|passw|secret|credential|api_?key)[\w.]*=)[^\s,;'\"]+")


def without_secrets(line: str) -> str:
    """The line, with signs of omission for what stands before an @, or behind a ? or #, of a web address,
    and for values of names such as `token` or `password`.
    """
    line = _QUERY.sub(r"\1?…", _USER.sub(r"\1…@", line))
    return _NAMED.sub(r"\1…", line)
