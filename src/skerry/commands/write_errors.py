"""How failures are told: as a whole reply, or as one entry of `writeErrors`."""

from collections.abc import Sequence
from typing import Any, Final

from skerry.engine.requests import WriteError
from skerry.errors import CommandError

# Errors after which the whole transaction is worth another try (manual: Transactions, "TransientTransactionError").
_TRANSIENT_CODES: Final = frozenset({24, 112, 246, 251})
# Errors after which the same retryable write is worth another try on the node that takes over.
_RETRYABLE_WRITE_CODES: Final = frozenset({91, 11600})
TRANSIENT_TRANSACTION_ERROR: Final = "TransientTransactionError"
RETRYABLE_WRITE_ERROR: Final = "RetryableWriteError"


def error_reply(error: CommandError, *, in_transaction: bool, is_retryable: bool) -> dict[str, Any]:
    """Return `{ok: 0, errmsg, code, codeName, errorLabels, …}`; the labels depend on where the command stood."""
    reply: dict[str, Any] = {
        "ok": 0.0,
        "errmsg": error.message,
        "code": error.code,
        "codeName": error.code_name,
        **error.details,
    }
    labels = [label for label in error.labels if label != TRANSIENT_TRANSACTION_ERROR]
    if in_transaction and error.code in _TRANSIENT_CODES:
        labels.append(TRANSIENT_TRANSACTION_ERROR)
    if is_retryable and error.code in _RETRYABLE_WRITE_CODES:
        labels.append(RETRYABLE_WRITE_ERROR)
    if labels:
        reply["errorLabels"] = labels
    return reply


def write_errors(errors: Sequence[WriteError]) -> list[dict[str, Any]]:
    """Return the entries of `writeErrors`."""
    return [{"index": each.index, **write_error(each.error)} for each in errors]


def write_error(error: CommandError) -> dict[str, Any]:
    """Return what one entry says of its error."""
    return {"code": error.code, "errmsg": error.message, **error.details}
