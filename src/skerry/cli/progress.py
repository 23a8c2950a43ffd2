"""Progress bars of long commands, on standard error, so that standard output stays for the result."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bars(*, shown: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Give a function that is told (stage, done, of how much) and draws a bar for each stage; on a terminal only, if `shown`."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:>9}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    bars: dict[str, TaskID] = {}
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as progress:

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in bars:
                bars[stage] = progress.add_task(stage, total=total)
            progress.update(bars[stage], completed=done, total=total)

        yield tell
