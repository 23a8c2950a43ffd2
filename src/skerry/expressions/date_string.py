"""`$dateToString`, `$dateFromString`.

Source: MongoDB manual. Without a format, strings are read that have a full date — ISO 8601 in its usual forms, `2017/07/04`,
`07/04/2017`, `04-07-2017`, `July 4th, 2017`, `4 July 2017` — perhaps a time of day and a zone by its offset or abbreviation;
relative dates such as "tomorrow" are not.
"""

import re
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from skerry.errors import CommandError, ConversionFailureError
from skerry.expressions.date_format import MONTHS, ZONE, local_and_zone, reader_of, write, zone_written
from skerry.expressions.date_zones import date_of_local, local_of, offset_millis, zone_of
from skerry.expressions.dates import coerce_to_millis
from skerry.expressions.expression import Document, Expression, Variables, combine
from skerry.expressions.operands import Arguments, named
from skerry.expressions.scope import OperatorParser, Scope
from skerry.expressions.truth import any_nullish, is_nullish
from skerry.values.type_order import type_name_of

ISO_FORMAT: Final = "%Y-%m-%dT%H:%M:%S.%L"
FORMAT_NOT_A_STRING: Final = 18533
READ_FORMAT_NOT_A_STRING: Final = 40684

_MONTH: Final = rf"(?P<month_name>{'|'.join(f'{name[:3]}(?:{name[3:]})?' for name in MONTHS)}|Sept)\.?"
_MONTH_NUMBER: Final = r"(?P<month>0?[1-9]|1[0-2])"
_DAY: Final = r"(?P<day>[0-2]?\d|3[01])"
_ORDINAL_DAY: Final = rf"{_DAY}(?:st|nd|rd|th)?"
_YEAR: Final = r"(?P<year>\d{4})"
_TIME: Final = (
    r"(?:(?:[T ]\s*|,\s*)(?:(?P<word>noon|midnight)|(?P<hour>[01]?\d|2[0-4])(?::(?P<minute>[0-5]\d))?"
    r"(?:[:.](?P<second>[0-5]\d))?(?:[.,](?P<fraction>\d+))?(?:\s*(?P<half>[AaPp]\.?[Mm]\.?))?))?"
    rf"(?:{ZONE})?\s*"
)
_FORMS: Final = tuple(
    re.compile(rf"\s*(?:[A-Za-z]{{3,9}},?\s+)?{date}{_TIME}", re.IGNORECASE | re.ASCII)
    for date in (
        f"{_YEAR}-{_MONTH_NUMBER}-{_DAY}",
        f"{_YEAR}/{_MONTH_NUMBER}/{_DAY}",
        f"{_YEAR}-{_MONTH}-{_DAY}",
        rf"{_MONTH_NUMBER}/{_DAY}/(?P<year>\d{{4}}|\d{{2}})",
        f"{_DAY}[.-]{_MONTH_NUMBER}[.-]{_YEAR}",
        r"(?P<iso_year>\d{4})-?W(?P<iso_week>\d{2})(?:-?(?P<iso_day>[1-7]))?",
        r"(?P<year>\d{4})(?P<month>0[1-9]|1[0-2])(?P<day>[0-2]\d|3[01])",
        rf"{_MONTH}\s+{_ORDINAL_DAY},?\s+{_YEAR}",
        rf"{_ORDINAL_DAY}[\s-]+{_MONTH},?[\s-]+{_YEAR}",
    )
)
_COMPACT_TIME: Final = re.compile(r"(\d{8})T(\d{2})(\d{2})(\d{2})(.*)", re.DOTALL)


def _date_to_string(date: Any, layout: Any, zone: Any, on_null: Any) -> Any:
    if not is_nullish(layout) and not isinstance(layout, str):
        raise CommandError(
            f"$dateToString requires that 'format' be a string, found: {type_name_of(layout)} with value {layout}",
            FORMAT_NOT_A_STRING,
        )
    if is_nullish(date):
        return on_null
    if any_nullish(layout, zone):
        return None
    return format_date(coerce_to_millis(date), layout, zone_of(zone))


def format_date(millis: int, layout: str, zone: tzinfo) -> str:
    """Return a date by a format; an empty one stands for ISO 8601, with a "Z" in UTC."""
    local = local_of(millis, zone)
    chosen = layout or (f"{ISO_FORMAT}Z" if zone is UTC else ISO_FORMAT)
    return write(chosen, local, offset_millis(millis, zone) // 60_000)


def read_date(text: Any, layout: str | None, zone: tzinfo) -> Any:
    """Return the date that a string has, read with a format or in one of the forms above.

    Raises ConversionFailureError for any other string, and where both the string and `zone` name a zone.
    """
    if not isinstance(text, str):
        raise ConversionFailureError(
            f"$dateFromString requires that 'dateString' be a string, found: {type_name_of(text)} with value {text}"
        )
    local, named_zone = _read_by_format(text, layout) if layout is not None else _read_freely(text)
    if named_zone is None:
        return date_of_local(local, zone)
    if zone is not UTC:
        raise ConversionFailureError(
            "you cannot pass in a date/time string with time zone information ('"
            f"{named_zone}') together with a timezone argument"
        )
    return date_of_local(local, zone_written(text, named_zone))


def _read_by_format(text: str, layout: str) -> tuple[datetime, str | None]:
    return local_and_zone(text, reader_of(layout).fullmatch(text))


def _read_freely(text: str) -> tuple[datetime, str | None]:
    compact = _COMPACT_TIME.fullmatch(text)
    if compact:
        text = f"{compact[1]}T{compact[2]}:{compact[3]}:{compact[4]}{compact[5]}"
    for form in _FORMS:
        match = form.fullmatch(text)
        if match:
            return local_and_zone(text, match)
    return local_and_zone(text, None)


def _parse_date_from_string(name: str, argument: Any, scope: Scope) -> Expression:
    arguments = Arguments(
        name,
        argument,
        required=("dateString",),
        optional=("format", "timezone", "onError", "onNull"),
        not_a_document=40540,
        unknown=40541,
        missing=40542,
    )
    source = arguments.compile("dateString", scope)
    form = arguments.compile("format", scope, default="")
    zone = arguments.compile("timezone", scope, default="UTC")
    on_null = arguments.compile("onNull", scope, default=None)
    on_error = arguments.compile("onError", scope) if "onError" in arguments else None
    has_format = "format" in arguments

    def from_string(document: Document, variables: Variables) -> Any:
        text = source.evaluate(document, variables)
        layout = form.evaluate(document, variables)
        zone_name = zone.evaluate(document, variables)
        if not is_nullish(layout) and not isinstance(layout, str):
            raise CommandError(
                f"$dateFromString requires that 'format' be a string, found: {type_name_of(layout)}",
                READ_FORMAT_NOT_A_STRING,
            )
        if is_nullish(text):
            return on_null.evaluate(document, variables)
        if any_nullish(layout, zone_name):
            return None
        where = zone_of(zone_name)
        try:
            return read_date(text, layout if has_format else None, where)
        except ConversionFailureError:
            if on_error is None:
                raise
            return on_error.evaluate(document, variables)

    operands = [source, form, zone, on_null]
    return combine(from_string, operands if on_error is None else [*operands, on_error])


OPERATORS: Final[dict[str, OperatorParser]] = {
    "$dateFromString": _parse_date_from_string,
    "$dateToString": named(
        _date_to_string,
        required=("date",),
        optional={"format": "", "timezone": "UTC", "onNull": None},
        not_a_document=18629,
        unknown=18534,
        missing=18628,
    ),
}
