"""Change streams have no images of documents before and after a change.

MongoDB keeps both for collections with `changeStreamPreAndPostImages`, for a while (manual: Change Streams with Document Pre- and
Post-Images). Without them it answers null where an image is wanted only if there is one, and so does skerry.
"""

from typing import Any

import pytest


def test_images_cannot_be_kept(code: Any) -> None:
    assert code({"create": "things", "changeStreamPreAndPostImages": {"enabled": True}}) == 238


@pytest.mark.parametrize("option", ["fullDocument", "fullDocumentBeforeChange"])
def test_an_image_cannot_be_required(code: Any, option: str) -> None:
    assert code({"aggregate": "things", "pipeline": [{"$changeStream": {option: "required"}}], "cursor": {}}) == 238


def test_large_events_are_not_split(code: Any) -> None:
    stages = [{"$changeStream": {}}, {"$changeStreamSplitLargeEvent": {}}]
    assert code({"aggregate": "things", "pipeline": stages, "cursor": {}}) == 238
