"""The BSON reply of an error that happens before there is a command to answer."""

from bson import encode

from skerry.errors import CommandError


def error_document(error: CommandError) -> bytes:
    """`{ok: 0, errmsg, code, codeName}` as BSON, with the error's labels and details."""
    document: dict[str, object] = {
        "ok": 0.0,
        "errmsg": error.message,
        "code": error.code,
        "codeName": error.code_name,
        **error.details,
    }
    if error.labels:
        document["errorLabels"] = list(error.labels)
    return encode(document)
