"""Composing with Hydra's own API: where conf/ is, which options it has, what comes out."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

FAILURES = (HydraException, OmegaConfBaseException, YAMLError)


def config_dir() -> Path:
    """conf/: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    shipped = package / "conf"  # first: a stranger's `conf` may lie beside an installed package
    return shipped if shipped.is_dir() else package.parent / "conf"


def resolved(cfg: DictConfig) -> dict[str, Any]:
    """The config as plain Python, interpolations filled in."""
    content = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}


class Composer:
    """One command's config under different overrides; each set of overrides is composed once.

    Args:
        config_name: train, evaluate …
        user_dir: a folder of further options, as given by --config-dir.
    """

    def __init__(self, config_name: str, user_dir: str | None) -> None:
        self._name = config_name
        self._folders = [config_dir()] if user_dir is None else [Path(user_dir), config_dir()]
        self._search = [] if user_dir is None else [f"hydra.searchpath=[file://{Path(user_dir).resolve()}]"]
        self._loader = GlobalHydra.instance().config_loader()
        self._parser = OverridesParser.create(self._loader)
        self._composed: dict[tuple[str, ...], DictConfig] = {}
        self._options: dict[str, list[str]] = {}

    def parse(self, text: str) -> Override:
        """One override in Hydra's grammar.

        Raises:
            HydraException: if it is none.
        """
        return self._parser.parse_overrides([text])[0]

    def compose(self, overrides: list[str]) -> DictConfig:
        """The composed config with its hydra node; one of `FAILURES` if it does not compose."""
        key = tuple(overrides)
        if key not in self._composed:
            self._composed[key] = compose(self._name, [*self._search, *overrides], return_hydra_config=True)
        return self._composed[key]

    def options(self, group: str) -> list[str]:
        """The files of a group; those that begin with an underscore are parts of others, not options."""
        if group not in self._options:
            found = self._loader.get_group_options(group, config_name=self._name, overrides=self._search)
            self._options[group] = sorted(name for name in found if not name.startswith("_"))
        return self._options[group]

    def file(self, group: str, option: str) -> Path | None:
        """Where an option is written, if it is."""
        paths = (folder / group / f"{option}.yaml" for folder in self._folders)
        return next((path for path in paths if path.is_file()), None)

    def is_group(self, name: str) -> bool:
        """Whether an override of this name chooses an option."""
        if "." in name:
            return False
        parent, _, last = name.rpartition("/")
        return bool(self.options(name)) or last in self._loader.list_groups(parent)

    def choices(self, config: DictConfig) -> dict[str, str | None]:
        """The option that each group has; groups of several options are not among them."""
        return dict(config.hydra.runtime.choices)


@contextmanager
def composer(config_name: str, user_dir: str | None = None) -> Iterator[Composer]:
    """A composer, in a Hydra of its own that is gone afterwards."""
    with initialize_config_dir(config_dir=str(config_dir()), version_base="1.3", job_name=config_name):
        yield Composer(config_name, user_dir)


def first_line(error: BaseException) -> str:
    """Hydra's own message without its explanations; the innermost error knows best."""
    while isinstance(error.__cause__, FAILURES):
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
