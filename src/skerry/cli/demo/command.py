"""Runs the demo and shows it: progress bars while it goes on, tables at the end."""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from skerry.cli.demo import story
from skerry.cli.demo.conflict_table import conflict_table
from skerry.cli.demo.cuttable_link import CuttableLink
from skerry.cli.demo.node_process import NodeProcess


def run_demo() -> bool:
    """Run the demo; return whether the three nodes hold the same documents at the end."""
    console = Console()
    started = time.monotonic()
    with ExitStack() as cleanup:
        directory = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="skerry-demo-")))
        hub, edge_a, edge_b, link = _start(directory, cleanup, console)
        with _progress(console) as progress:
            _load(edge_a, (hub, edge_b), progress)
            _part_and_rejoin(hub, edge_a, edge_b, link, progress)
        nodes = (hub, edge_a, edge_b)
        held = {node.name: story.contents(node.client) for node in nodes}
        console.print(conflict_table((edge_a, edge_b)))
        equal = _compare(held, console)
    console.print(f"Finished in {time.monotonic() - started:.1f} s.")
    return equal


def _start(
    directory: Path, cleanup: ExitStack, console: Console
) -> tuple[NodeProcess, NodeProcess, NodeProcess, CuttableLink]:
    hub = NodeProcess("hub", directory / "hub")
    cleanup.callback(hub.stop)
    link = CuttableLink(hub.address)
    cleanup.callback(link.close)
    edge_a = NodeProcess("edge-a", directory / "edge-a", hub_uri=hub.uri, rules=[story.SELECTION])
    cleanup.callback(edge_a.stop)
    through_link = f"mongodb://127.0.0.1:{link.port}/?directConnection=true"
    edge_b = NodeProcess("edge-b", directory / "edge-b", hub_uri=through_link, rules=[story.SELECTION])
    cleanup.callback(edge_b.stop)
    for node in (hub, edge_a, edge_b):
        console.print(f"[green]started[/] {node.name:7} mongodb://{node.address[0]}:{node.address[1]}")
    return hub, edge_a, edge_b, link


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description:53}"),
        MofNCompleteColumn(),
        BarColumn(bar_width=10),
        console=console,
    )


def _load(edge: NodeProcess, others: tuple[NodeProcess, ...], progress: Progress) -> None:
    documents = story.airports()
    total = len(documents)
    task = progress.add_task(f"loading airports into {edge.name} with pymongo", total=total)
    for done in story.load(edge.client, documents):
        progress.update(task, completed=done)
    for node in others:
        task = progress.add_task(f"they appear on {node.name}", total=total)

        def all_there(node: NodeProcess = node, task: object = task) -> bool:
            count = node.client[story.DATABASE][story.COLLECTION].count_documents({})
            progress.update(task, completed=count)  # type: ignore[arg-type]
            return count == total

        story.wait_until(all_there, f"the airports' arrival on {node.name}")


def _part_and_rejoin(
    hub: NodeProcess, edge_a: NodeProcess, edge_b: NodeProcess, link: CuttableLink, progress: Progress
) -> None:
    task = progress.add_task("edge-b is cut off; both edges change, delete and insert", total=3)
    link.cut()
    progress.advance(task)
    story.edit_on_a(edge_a.client)
    progress.advance(task)
    story.edit_on_b(edge_b.client)
    progress.advance(task)
    task = progress.add_task("edge-a's changes reach the hub", total=1)
    story.wait_until(
        lambda: story.contents(hub.client) == story.contents(edge_a.client), "the hub's agreement with edge-a"
    )
    progress.advance(task)
    task = progress.add_task("edge-b returns; the three agree", total=1)
    link.heal()

    def all_agree() -> bool:
        first = story.contents(hub.client)
        return all(story.contents(edge.client) == first for edge in (edge_a, edge_b)) and "B000" in first.documents

    try:
        story.wait_until(all_agree, "agreement of the three")
    except TimeoutError:
        return  # the comparison shows what differs
    progress.advance(task)


def _compare(held: dict[str, story.Contents], console: Console) -> bool:
    hub = held["hub"]
    table = Table(title="Compared document by document")
    for heading in ("node", "documents", "digest", "different from the hub"):
        table.add_column(heading)
    equal = True
    for name, each in held.items():
        different = each.different_from(hub)
        equal = equal and not different
        shown = "[green]none" if not different else f"[red]{len(different)}: {', '.join(different[:5])}"
        table.add_row(name, f"{len(each.documents):,}", each.digest, shown)
    console.print(table)
    verdict = "[bold green]All three hold the same documents." if equal else "[bold red]They differ."
    console.print(verdict)
    return equal
