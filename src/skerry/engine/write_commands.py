"""insert, update, delete and findAndModify: statements in one transaction of the store, or in an open transaction."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from skerry.engine import write_statements
from skerry.engine.command_variables import CommandClock
from skerry.engine.insert_statements import run_inserts
from skerry.engine.logical_sessions import check_not_executed, remember_executed
from skerry.engine.operation_context import OperationContext
from skerry.engine.requests import (
    DeleteResult,
    DeleteStatement,
    FindAndModifyResult,
    FindAndModifyStatement,
    InsertResult,
    UpdateResult,
    UpdateStatement,
    WriteError,
    is_statement_error,
)
from skerry.engine.storage_engine import StorageEngine
from skerry.engine.transactions import Transaction
from skerry.engine.write_target import DirectTarget, TransactionTarget, WriteTarget
from skerry.errors import CommandError
from skerry.storage import WriteView
from skerry.values.namespace import Namespace

INSERTS_A_COMMIT: Final = 2000
"""A long `insert` is committed in parts of this size: other writers wait for one part, not for all."""

R = TypeVar("R")
S = TypeVar("S")


class WriteCommands:
    """The write commands of one engine.

    A statement that fails is undone by itself and reported in the result's `errors`; an `ordered` command ends there. In a
    multi-document transaction any error ends the command and aborts the transaction. Raised are errors of the command as a
    whole (out of time, write conflict, storage), and `StatementAlreadyExecuted`, which carries the reply to a retried write.
    """

    def __init__(self, engine: StorageEngine) -> None:
        self._engine = engine

    def insert(
        self, namespace: Namespace, documents: Sequence[bytes], *, ordered: bool, ctx: OperationContext
    ) -> InsertResult:
        """Insert raw documents, creating the collection where needed. Raises `StorageError` and its kind."""
        result = InsertResult()
        if ctx.is_retryable_write or ctx.transaction is not None or len(documents) <= INSERTS_A_COMMIT:
            return self._insert_part(namespace, documents, 0, ctx, ordered=ordered)
        for start in range(0, len(documents), INSERTS_A_COMMIT):
            part = self._insert_part(
                namespace, documents[start : start + INSERTS_A_COMMIT], start, ctx, ordered=ordered
            )
            result.inserted += part.inserted
            result.errors += part.errors
            if ordered and part.errors:
                break
        return result

    def update(
        self, namespace: Namespace, statements: Sequence[UpdateStatement], *, ordered: bool, ctx: OperationContext
    ) -> UpdateResult:
        """Run the statements of an `update` command."""
        clock = self._engine.clock()
        sort_bytes_max = self._engine.config.sort_memory_bytes_max

        def work(target: WriteTarget) -> UpdateResult:
            result = UpdateResult()

            def run(index: int, statement: UpdateStatement) -> None:
                write_statements.run_update(target, index, statement, result, clock, ctx.check, sort_bytes_max)

            result.errors = _run_statements(target, statements, run, ordered=ordered)
            return result

        return self._run(namespace, work, lambda error: UpdateResult(errors=[error]), ctx)

    def delete(
        self, namespace: Namespace, statements: Sequence[DeleteStatement], *, ordered: bool, ctx: OperationContext
    ) -> DeleteResult:
        """Run the statements of a `delete` command."""
        clock = self._engine.clock()
        sort_bytes_max = self._engine.config.sort_memory_bytes_max

        def work(target: WriteTarget) -> DeleteResult:
            result = DeleteResult()

            def run(_index: int, statement: DeleteStatement) -> None:
                result.deleted += write_statements.run_delete(target, statement, clock, ctx.check, sort_bytes_max)

            result.errors = _run_statements(target, statements, run, ordered=ordered)
            return result

        return self._run(namespace, work, lambda error: DeleteResult(errors=[error]), ctx)

    def find_and_modify(
        self, namespace: Namespace, statement: FindAndModifyStatement, ctx: OperationContext
    ) -> FindAndModifyResult:
        """Change or remove one document and return it. Raises what makes the statement fail."""
        clock: CommandClock = self._engine.clock()
        sort_bytes_max = self._engine.config.sort_memory_bytes_max

        def work(target: WriteTarget) -> FindAndModifyResult:
            return write_statements.run_find_and_modify(target, statement, clock, ctx.check, sort_bytes_max)

        return self._run(namespace, work, None, ctx)

    def _insert_part(
        self, namespace: Namespace, documents: Sequence[bytes], first: int, ctx: OperationContext, *, ordered: bool
    ) -> InsertResult:
        now = None if ctx.keep_empty_timestamps else self._engine.cluster_time()

        def work(target: WriteTarget) -> InsertResult:
            return run_inserts(target, documents, first, now, ordered=ordered or ctx.transaction is not None)

        return self._run(namespace, work, lambda error: InsertResult(errors=[WriteError(first, error.error)]), ctx)

    def _run(
        self,
        namespace: Namespace,
        work: Callable[[WriteTarget], R],
        failed: Callable[[WriteError], R] | None,
        ctx: OperationContext,
    ) -> R:
        """Run `work` where the operation writes. A lone statement's error undoes all, and becomes `failed`'s result."""
        engine = self._engine

        def job(view: WriteView) -> R:
            if ctx.is_retryable_write and ctx.lsid is not None and ctx.txn_number is not None:
                check_not_executed(view, ctx.lsid, ctx.txn_number)
            target = DirectTarget(view, engine.catalog, namespace, ctx, lambda: engine.observers)
            result = work(target)
            target.finish()
            if ctx.is_retryable_write and ctx.lsid is not None and ctx.txn_number is not None:
                reply = b"" if ctx.reply_of is None else ctx.reply_of(result)
                remember_executed(view, ctx.lsid, ctx.txn_number, reply)
            return result

        try:
            if ctx.transaction is not None:
                return _run_in_transaction(ctx.transaction, namespace, work, ctx)
            return engine.write(job, ctx)
        except CommandError as error:
            if failed is None or not is_statement_error(error):
                raise
            return failed(WriteError(0, error))


def _run_in_transaction(
    transaction: Transaction, namespace: Namespace, work: Callable[[WriteTarget], R], ctx: OperationContext
) -> R:
    with transaction.lock:
        try:
            result = work(TransactionTarget(transaction, namespace, ctx))
        except BaseException:
            transaction.end()
            raise
        if getattr(result, "errors", None):
            transaction.end()
        return result


def _run_statements(
    target: WriteTarget, statements: Sequence[S], run: Callable[[int, S], None], *, ordered: bool
) -> list[WriteError]:
    """Run each; collect the errors of those that fail. A lone statement's error is raised."""
    if len(statements) == 1:
        run(0, statements[0])
        return []
    errors: list[WriteError] = []
    for index, statement in enumerate(statements):
        try:
            with target.statement():
                run(index, statement)
        except CommandError as error:
            if not is_statement_error(error):
                raise
            errors.append(WriteError(index, error))
            if ordered or not target.undoes_statements:
                break
    return errors
