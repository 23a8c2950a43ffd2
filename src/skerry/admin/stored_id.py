"""Numbers of what is kept in the store, as a request may give them: what SQLite has no room for is refused as such."""

from typing import Annotated, Final

from pydantic import Field

LARGEST: Final = (1 << 63) - 1

StoredId = Annotated[int, Field(ge=0, le=LARGEST)]
