from skerry.catalog import modification_token
from skerry.catalog.modification_history import LINE_WIDTH, write_line


def test_every_write_leaves_a_line_of_the_same_width() -> None:
    for wall_ms in (0, 999_999_999_999, 1_750_672_800_123):
        for count in (-2_000_000_000, -1, 0, 1, 999_999_999):
            assert len(write_line(modification_token.generate(wall_ms), count)) == LINE_WIDTH
