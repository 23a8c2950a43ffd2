"""GridFS: what pymongo builds on ordinary commands works."""

from typing import Any

import gridfs
import pytest
from pymongo.database import Database


def test_a_file_is_stored_read_back_and_deleted(database: Database[Any]) -> None:
    bucket = gridfs.GridFSBucket(database)
    content = bytes(range(256)) * 4096
    file_id = bucket.upload_from_stream("chart.bin", content, metadata={"scale": 1})
    assert bucket.open_download_stream(file_id).read() == content
    assert [each.filename for each in bucket.find({"metadata.scale": 1})] == ["chart.bin"]
    assert database["fs.chunks"].count_documents({"files_id": file_id}) == -(-len(content) // (255 * 1024))
    bucket.delete(file_id)
    with pytest.raises(gridfs.NoFile):
        bucket.open_download_stream(file_id)
