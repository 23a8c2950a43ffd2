"""`skerry demo`: a hub and two edges as processes, cut apart and brought together again."""

import typer

EXIT_DIFFERENT = 1


def demo() -> None:
    """Show the main job: a hub and two edges in step, one of them cut off, edited on both sides, and compared.

    Everything runs in processes on loopback ports and in a temporary directory, which is removed at the end. Exit code 0 only
    if all three hold the same documents.
    """
    from skerry.cli.demo.command import run_demo  # here, because it imports pymongo and the engine

    if not run_demo():
        raise typer.Exit(EXIT_DIFFERENT)
