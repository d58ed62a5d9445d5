"""A composed config as a tree of keys, interpolations not filled in: what exists, what comes from where."""

import functools
import re
from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, OmegaConf

MISSING = "???"
_PURE = re.compile(r"\$\{([\w./@-]+)\}")  # nothing but an interpolation of one key


class Tree:
    """The keys of a composed config, Hydra's own left out.

    Args:
        config: as composed, with its hydra node.
    """

    def __init__(self, config: DictConfig) -> None:
        raw = OmegaConf.to_container(config, resolve=False)
        assert isinstance(raw, dict)
        self._raw: dict[str, Any] = {str(key): value for key, value in raw.items() if key != "hydra"}
        self._config = config
        self.groups = sorted(name for name in config.hydra.runtime.choices if not name.startswith("hydra/"))

    def has(self, key: str) -> bool:
        """Whether there is such a key; `positions.0` is the first of a list."""
        node: Any = self._raw
        for part in key.split("."):
            if isinstance(node, list) and part.isdecimal() and int(part) < len(node):
                node = node[int(part)]
            elif isinstance(node, dict) and part in node:
                node = node[part]
            else:
                return False
        return True

    def default(self, key: str) -> Any:
        """The value of an existing key as plain Python; None if it has none yet."""
        if self._written(key) == MISSING:
            return None
        value = OmegaConf.select(self._config, key, throw_on_missing=False)
        return OmegaConf.to_container(value, resolve=False) if OmegaConf.is_config(value) else value

    def source(self, key: str) -> str | None:
        """The key that this one takes its value from, if it is nothing but an interpolation of it."""
        written = self._written(key)
        found = _PURE.fullmatch(written) if isinstance(written, str) else None
        return found[1] if found else None

    def callable_of(self, key: str) -> str | None:
        """The `_target_` that the key is a parameter of."""
        node = self._written(key.rpartition(".")[0])
        path = node.get("_target_") if isinstance(node, dict) else None
        return str(path) if path else None

    def takers(self, key: str) -> list[str]:
        """Parameters that take their value from this key."""
        return [leaf for leaf in self.leaves if self.source(leaf) == key and self.callable_of(leaf)]

    def children(self, key: str) -> list[str]:
        """The keys directly below; "" is the top."""
        node = self._written(key)
        return [str(name) for name in node] if isinstance(node, dict) else []

    @property
    def missing(self) -> list[str]:
        """Keys that a user must give."""
        return [key for key in self.leaves if self._written(key) == MISSING]

    def filled(self) -> DictConfig:
        """The config without Hydra's node, with null where a value is missing, so that the rest resolves."""
        config = OmegaConf.create(self._raw)
        for key in self.missing:
            OmegaConf.update(config, key, None)
        return config

    @functools.cached_property
    def leaves(self) -> list[str]:
        """Keys that hold a value."""
        return [key for key, value in _walk(self._raw, "") if not isinstance(value, dict)]

    @functools.cached_property
    def settable(self) -> list[str]:
        """Keys and nodes that a user may set: not those that repeat another key."""
        return [key for key, _ in _walk(self._raw, "") if self.source(key) is None]

    def _written(self, key: str) -> Any:
        node: Any = self._raw
        for part in key.split(".") if key else []:
            node = node[int(part)] if isinstance(node, list) else node[part]
        return node


def _walk(node: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in node.items():
        yield f"{prefix}{name}", value
        if isinstance(value, dict):
            yield from _walk(value, f"{prefix}{name}.")
