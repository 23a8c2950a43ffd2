"""Renew the generated tables of every page, and say which pages have changed."""

import sys

from tools.reference.pages import pages, renewed


def main() -> None:
    """Write the pages that are not current."""
    for path in pages():
        text = path.read_text("utf-8")
        current = renewed(text)
        if current != text:
            path.write_text(current, "utf-8")
            sys.stdout.write(f"{path.name}\n")


if __name__ == "__main__":
    main()
