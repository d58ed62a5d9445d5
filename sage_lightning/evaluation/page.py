"""One self-contained HTML page from sections of text, tables and figures: no link leaves it."""

from dataclasses import dataclass, field
from importlib import resources

import jinja2


@dataclass(frozen=True)
class Table:
    """A small table.

    Attributes:
        columns: heads; the first ones are of words, the others of numbers.
        rows: cells, written out.
        strong: the column to look at, by its place; None for none.
        caption: below the table.
        words: how many columns are of words.
    """

    columns: list[str]
    rows: list[list[str]]
    strong: int | None = None
    caption: str = ""
    words: int = 1


@dataclass(frozen=True)
class Picture:
    """A figure as inline SVG, and what it shows."""

    svg: str
    caption: str


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        id: the anchor.
        title: the heading.
        text: paragraphs above the rest.
        pictures: in order.
        tables: in order, after the pictures.
        folded: summary → preformatted text, closed until asked for.
    """

    id: str
    title: str
    text: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    folded: dict[str, str] = field(default_factory=dict)


def render(title: str, subtitle: str, facts: dict[str, str], sections: list[Section], beside: str) -> str:
    """The page.

    Args:
        title: one line.
        subtitle: below it.
        facts: name → value, the strip under the title.
        sections: in order; the first is the claim.
        beside: the files in the same folder that hold every number.
    """
    source = (
        resources.files("sage_lightning.evaluation").joinpath("report.html.j2").read_text(encoding="utf-8")
    )
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.from_string(source).render(
        title=title, subtitle=subtitle, facts=facts, sections=sections, beside=beside
    )
