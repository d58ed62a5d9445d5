"""inventory.html: everything on one page that needs nothing beside it, and its two pictures as PNG."""

from pathlib import Path

from matplotlib.figure import Figure

from sage_lightning.evaluation.figures.svg import svg
from sage_lightning.evaluation.page import Picture, Section, Table, render
from sage_lightning.inventory import run, tables
from sage_lightning.inventory.counts import KEYS
from sage_lightning.inventory.coverage import coverage
from sage_lightning.inventory.histograms import MOST_NODES, histograms
from sage_lightning.inventory.run import Inventory
from sage_lightning.inventory.summary import cut, headline
from sage_lightning.inventory.tables import Shown, whole

MOST_ROWS, MOST_GAPS = 60, 10
DPI, MOST_PIXELS = 200, 30_000

COVERAGE = (
    "A row is one (node, position), with pairs by day above pairs by night; the fuller the colour, the more "
    "of them. Red at its lower edge: files in quarantine."
)
HISTOGRAMS = (
    "How often each temperature occurs, over all pixels of the frames that were read, by node, season and "
    "view; every histogram has its own scale."
)
SHARES = " Dashed: thermal.thresholds, with the share of the pixels in each of the bins that they part."


def write_page(inventory: Inventory, folder: Path, facts: dict[str, str]) -> Path:
    """Writes inventory.html, coverage.png and temperatures.png; a picture only of what there is.

    Args:
        inventory: what is shown.
        folder: of the run.
        facts: of how it came about, name → value.
    """
    figures = {"coverage": coverage(inventory.rows, inventory.vsns)}
    if inventory.temperatures is not None:
        figures["temperatures"] = histograms(inventory.temperatures, inventory.vsns)
    pictures = {name: figure for name, figure in figures.items() if figure is not None}
    for name, figure in pictures.items():
        longest = max(figure.get_size_inches())
        figure.savefig(
            folder / f"{name}.png", dpi=min(DPI, MOST_PIXELS / longest), metadata={"Software": None}
        )
    page = render(
        title="What this collection holds",
        subtitle=inventory.name,
        facts=_strip(inventory),
        sections=list(_sections(inventory, pictures, facts)),
        beside=", ".join(f"{name}.csv" for name in run.tables(inventory)),
    )
    path = folder / "inventory.html"
    path.write_text(page, encoding="utf-8")
    return path


def _strip(inventory: Inventory) -> dict[str, str]:
    rows = inventory.rows
    usable = rows[rows["usable"]]
    times = usable["time"].dropna()
    span = (
        {} if times.empty else {"from, UTC": f"{times.min():%Y-%m-%d}", "to, UTC": f"{times.max():%Y-%m-%d}"}
    )
    places = usable[["node", "position"]].drop_duplicates()
    return {
        "pairs": whole(inventory.pairs),
        "files in quarantine": whole(inventory.quarantined_files),
        "nodes": whole(rows["node_id"].nunique()),
        "node × position": whole(len(places)),
        **span,
    }


def _sections(inventory: Inventory, figures: dict[str, Figure], facts: dict[str, str]) -> list[Section]:
    lists = [_table(tables.counted(inventory, by)) for by in KEYS]
    found = [
        Section(
            "claim", "In short", [headline(inventory) + ".", *inventory.moves, *inventory.unknowns], lists[:1]
        ),
        _coverage(figures),
        Section(
            "counts",
            "Pairs and quarantine",
            ["Files in quarantine are counted as files, not as pairs."],
            lists[1:],
        ),
        _rates(inventory),
        _temperatures(inventory, figures),
        _excluded(inventory),
        Section(
            "provenance", "Provenance", tables=[Table(["what", ""], [[*fact] for fact in facts.items()])]
        ),
    ]
    return [section for section in found if section is not None]


def _coverage(figures: dict[str, Figure]) -> Section | None:
    if "coverage" not in figures:
        return None
    return Section("coverage", "Coverage", pictures=[Picture(svg(figures["coverage"], "coverage"), COVERAGE)])


def _rates(inventory: Inventory) -> Section | None:
    rates, gaps = tables.rates(inventory), tables.gaps(inventory)
    if rates.table.empty:
        return None
    shown = [_table(rates)] + ([_table(gaps, MOST_GAPS, gaps.title)] if len(gaps.table) else [])
    return Section("rates", "Production rate", [rates.note], shown)


def _temperatures(inventory: Inventory, figures: dict[str, Figure]) -> Section | None:
    if inventory.temperatures is None:
        return None
    bins = tables.bins(inventory, inventory.temperatures)
    pictures = []
    if "temperatures" in figures:
        found = inventory.temperatures
        caption = HISTOGRAMS + (SHARES if found.thresholds else "")
        if found.histograms["node"].nunique() > MOST_NODES:
            caption += f" The first {MOST_NODES} nodes; the others are in temperatures.csv."
        pictures.append(Picture(svg(figures["temperatures"], "temperatures"), caption))
    return Section("temperatures", "Temperatures", [bins.note], [_table(bins)], pictures)


def _excluded(inventory: Inventory) -> Section:
    shown = tables.excluded(inventory)
    if shown.table.empty:
        return Section("excluded", "What was excluded, and why", ["Nothing."])
    examples = {
        f"{reason}, for instance": "\n".join(paths.split(" | "))
        for reason, paths in inventory.excluded[["reason", "examples"]].itertuples(index=False)
        if paths
    }
    return Section("excluded", "What was excluded, and why", tables=[_table(shown)], folded=examples)


def _table(shown: Shown, most: int = MOST_ROWS, caption: str = "") -> Table:
    table, rest = cut(shown, most)
    table = table.drop(columns=shown.bars or [])
    words = shown.words - bool(shown.bars)
    rows = table.astype("str").to_numpy().tolist()
    return Table(list(table.columns), rows, caption=". ".join(filter(None, (caption, rest))), words=words)
