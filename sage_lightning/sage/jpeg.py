"""What a JPEG's bytes tell that decoders keep to themselves: a part of it that has been lost to zeros.

A disk or an upload that broke off leaves them. Decoders take them for codes and paint on without a word.
"""

from typing import Literal

_HOLE = bytes(512)  # a disk's sector; codes of a picture make no such run
_MARK, _TABLES, _SCAN = 0xFF, 0xC4, 0xDA
_END = b"\xff\xd9"
_END_OF_BLOCK = 0x00


def hole(data: bytes) -> Literal["unreadable", "truncated"] | None:
    """What is the matter with a JPEG's first scan: zeros within it, or up to its end; None if nothing is.

    Where a file's own tables write zeros for parts without detail, and in progressive files, nobody can tell.
    """
    found = _scan(data)
    if found is None or (lost := data.find(_HOLE, found)) < 0:
        return None
    end = data.find(_END, found)
    if end < 0:
        return "truncated"
    return "unreadable" if lost < end else None  # behind the end they are padding


def _scan(data: bytes) -> int | None:
    """Where the first scan's codes begin; None where there is none, or zeros may be codes of its own."""
    start, plain = 2, True
    while start + 4 <= len(data) and data[start] == _MARK:
        marker, length = data[start + 1], int.from_bytes(data[start + 2 : start + 4])
        segment, start = data[start + 4 : start + 2 + length], start + 2 + length
        if marker == _TABLES:
            plain = plain and all(symbol == _END_OF_BLOCK for symbol in _written_as_zeros(segment))
        if marker == _SCAN:
            return None if plain else start
    return None


def _written_as_zeros(segment: bytes) -> list[int]:
    """The symbol of which each table of AC codes in a segment has the code of zeros alone: its first."""
    found = []
    while len(segment) > 17:
        symbols = sum(segment[1:17])
        if segment[0] >> 4 == 1:
            found.append(segment[17])
        segment = segment[17 + symbols :]
    return found
