from datetime import datetime

import pytest
from bson.datetime_ms import DatetimeMS
from bson.int64 import Int64
from bson.objectid import ObjectId
from bson.timestamp import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from skerry.errors import NotImplementedYetError
from skerry.expressions.date_arithmetic import difference, shift
from skerry.expressions.date_zones import zone_named
from skerry.expressions.dates import date_of, millis_of
from skerry.expressions.expression_parser import compile_expression

DATE = datetime(2024, 3, 10, 15, 4, 5, 678000)
DOCUMENT = {"d": DATE, "n": None, "id": ObjectId("5ab9c3da31c2ab715d421285"), "ts": Timestamp(1709208000, 1)}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"$year": "$d"}, 2024),
        ({"$month": "$d"}, 3),
        ({"$dayOfMonth": "$d"}, 10),
        ({"$hour": "$d"}, 15),
        ({"$minute": "$d"}, 4),
        ({"$second": "$d"}, 5),
        ({"$millisecond": "$d"}, 678),
        ({"$dayOfYear": "$d"}, 70),
        ({"$dayOfWeek": "$d"}, 1),
        ({"$isoDayOfWeek": "$d"}, 7),
        ({"$week": "$d"}, 10),
        ({"$isoWeek": "$d"}, 10),
        ({"$isoWeekYear": datetime(2021, 1, 3)}, Int64(2020)),
        ({"$week": datetime(2022, 1, 1)}, 0),
        ({"$year": "$id"}, 2018),
        ({"$year": ["$ts"]}, 2024),
        ({"$year": "$n"}, None),
        ({"$hour": {"date": "$d", "timezone": "America/New_York"}}, 11),
        ({"$hour": {"date": "$d", "timezone": "+05:30"}}, 20),
        ({"$hour": {"date": "$d", "timezone": "-0530"}}, 9),
        ({"$hour": {"date": "$d", "timezone": "+03"}}, 18),
        ({"$hour": {"date": "$d", "timezone": "$n"}}, None),
        (
            {"$dateToParts": {"date": "$d", "timezone": "Asia/Tokyo"}},
            {"year": 2024, "month": 3, "day": 11, "hour": 0, "minute": 4, "second": 5, "millisecond": 678},
        ),
        (
            {"$dateToParts": {"date": "$d", "iso8601": True}},
            {
                "isoWeekYear": 2024,
                "isoWeek": 10,
                "isoDayOfWeek": 7,
                "hour": 15,
                "minute": 4,
                "second": 5,
                "millisecond": 678,
            },
        ),
        ({"$dateToParts": {"date": "$n"}}, None),
        ({"$dateFromParts": {"year": 2024}}, datetime(2024, 1, 1)),
        ({"$dateFromParts": {"year": 2024, "month": 14, "day": 0}}, datetime(2025, 1, 31)),
        ({"$dateFromParts": {"year": 2024, "hour": -1, "millisecond": 5}}, datetime(2023, 12, 31, 23, 0, 0, 5000)),
        ({"$dateFromParts": {"year": 2024, "timezone": "Europe/Vienna"}}, datetime(2023, 12, 31, 23)),
        ({"$dateFromParts": {"isoWeekYear": 2024, "isoWeek": 10, "isoDayOfWeek": 7}}, datetime(2024, 3, 10)),
        ({"$dateFromParts": {"year": "$n"}}, None),
    ],
)
def test_dates_are_taken_apart_and_made(check, spec, expected):
    check(spec, expected, DOCUMENT)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"$dateToString": {"date": "$d"}}, "2024-03-10T15:04:05.678Z"),
        ({"$dateToString": {"date": "$d", "timezone": "Asia/Tokyo"}}, "2024-03-11T00:04:05.678"),
        ({"$dateToString": {"date": "$d", "format": "%Y-%m-%d %H:%M:%S.%L"}}, "2024-03-10 15:04:05.678"),
        ({"$dateToString": {"date": "$d", "format": "%j %u %w %U %V %G %b %B %%"}}, "070 7 1 10 10 2024 Mar March %"),
        ({"$dateToString": {"date": "$d", "format": "%z %Z", "timezone": "-03:30"}}, "-0330 -210"),
        ({"$dateToString": {"date": "$n"}}, None),
        ({"$dateToString": {"date": "$n", "onNull": "never"}}, "never"),
        ({"$dateToString": {"date": "$d", "format": "$n"}}, None),
        ({"$dateFromString": {"dateString": "2017-07-04T11:56:02Z"}}, datetime(2017, 7, 4, 11, 56, 2)),
        ({"$dateFromString": {"dateString": "2017-07-04T11:56:02.8Z"}}, datetime(2017, 7, 4, 11, 56, 2, 800000)),
        ({"$dateFromString": {"dateString": "2017-07-04T11:56.02.813"}}, datetime(2017, 7, 4, 11, 56, 2, 813000)),
        ({"$dateFromString": {"dateString": "2017-07-04 11:56"}}, datetime(2017, 7, 4, 11, 56)),
        ({"$dateFromString": {"dateString": "2017-07-04"}}, datetime(2017, 7, 4)),
        ({"$dateFromString": {"dateString": "20170704T115602"}}, datetime(2017, 7, 4, 11, 56, 2)),
        ({"$dateFromString": {"dateString": "2017-07-04T11:56:02+0200"}}, datetime(2017, 7, 4, 9, 56, 2)),
        ({"$dateFromString": {"dateString": "2017-07-04 11:56 GMT+2"}}, datetime(2017, 7, 4, 9, 56)),
        ({"$dateFromString": {"dateString": "07/04/2017"}}, datetime(2017, 7, 4)),
        ({"$dateFromString": {"dateString": "7/4/17"}}, datetime(2017, 7, 4)),
        ({"$dateFromString": {"dateString": "04-07-2017"}}, datetime(2017, 7, 4)),
        ({"$dateFromString": {"dateString": "2017-Jul-04 noon"}}, datetime(2017, 7, 4, 12)),
        ({"$dateFromString": {"dateString": "July 4th, 2017 12:39:30 BST"}}, datetime(2017, 7, 4, 11, 39, 30)),
        ({"$dateFromString": {"dateString": "July 4th, 2017 12pm"}}, datetime(2017, 7, 4, 12)),
        ({"$dateFromString": {"dateString": "2017-07-04 12:48:07 GMT+0545"}}, datetime(2017, 7, 4, 7, 3, 7)),
        ({"$dateFromString": {"dateString": "2017-07-14T12:02:44.771 L"}}, datetime(2017, 7, 14, 1, 2, 44, 771000)),
        (
            {"$dateFromString": {"dateString": "2017-07-04T12:02 PDT", "format": "%Y-%m-%dT%H:%M%z"}},
            datetime(2017, 7, 4, 19, 2),
        ),
        ({"$dateFromString": {"dateString": "1992 % 04 % 26", "format": "%Y %% %m %% %d"}}, datetime(1992, 4, 26)),
        ({"$dateFromString": {"dateString": "4/26/1992:+285", "format": "%m/%d/%Y:%Z"}}, datetime(1992, 4, 25, 19, 15)),
        ({"$dateFromString": {"dateString": "2017, Week 53", "format": "%G, Week %V"}}, datetime(2018, 1, 1)),
        ({"$dateFromString": {"dateString": "2017, Day 5", "format": "%G, Day %u"}}, datetime(2017, 1, 6)),
        ({"$dateFromString": {"dateString": "1.1.1", "format": "%V.%u.%G"}}, datetime(1, 1, 1)),
        ({"$dateFromString": {"dateString": "2017/07/04"}}, datetime(2017, 7, 4)),
        ({"$dateFromString": {"dateString": "July 4th, 2017 10:15 PM"}}, datetime(2017, 7, 4, 22, 15)),
        ({"$dateFromString": {"dateString": "Tue, 4 Jul 2017 12:00:00 GMT"}}, datetime(2017, 7, 4, 12)),
        ({"$dateFromString": {"dateString": "2017-07-04 12:00 AM"}}, datetime(2017, 7, 4)),
        ({"$dateFromString": {"dateString": "2017-07-04", "timezone": "Europe/Vienna"}}, datetime(2017, 7, 3, 22)),
        ({"$dateFromString": {"dateString": "04.07.2017", "format": "%d.%m.%Y"}}, datetime(2017, 7, 4)),
        ({"$dateFromString": {"dateString": "2017-W27-2", "format": "%G-W%V-%u"}}, datetime(2017, 7, 4)),
        ({"$dateFromString": {"dateString": "2017 185", "format": "%Y %j"}}, datetime(2017, 7, 4)),
        (
            {"$dateFromString": {"dateString": "4 Jul 2017 01:02 +0100", "format": "%d %b %Y %H:%M %z"}},
            datetime(2017, 7, 4, 0, 2),
        ),
        ({"$dateFromString": {"dateString": "2017-07-04 +60", "format": "%Y-%m-%d %Z"}}, datetime(2017, 7, 3, 23)),
        ({"$dateFromString": {"dateString": "$n", "onNull": "none"}}, "none"),
        ({"$dateFromString": {"dateString": "nonsense", "onError": "bad"}}, "bad"),
        ({"$dateFromString": {"dateString": 5, "onError": "bad"}}, "bad"),
        ({"$dateFromString": {"dateString": "2017-07-04", "format": "$n"}}, None),
        ({"$dateFromString": {"dateString": "2017-07-04", "timezone": "$n"}}, None),
    ],
)
def test_dates_are_written_and_read(check, spec, expected):
    check(spec, expected, DOCUMENT)


@pytest.mark.parametrize(
    ("start", "unit", "amount", "zone", "expected"),
    [
        (datetime(2024, 1, 31), "month", 1, "UTC", datetime(2024, 2, 29)),
        (datetime(2024, 2, 29), "year", 1, "UTC", datetime(2025, 2, 28)),
        (datetime(2024, 1, 31), "quarter", -1, "UTC", datetime(2023, 10, 31)),
        (datetime(2024, 1, 1), "week", 2, "UTC", datetime(2024, 1, 15)),
        (datetime(2024, 1, 1), "day", 60, "UTC", datetime(2024, 3, 1)),
        (datetime(2024, 1, 1), "hour", 25, "UTC", datetime(2024, 1, 2, 1)),
        (datetime(2024, 1, 1), "millisecond", -1, "UTC", datetime(2023, 12, 31, 23, 59, 59, 999000)),
        # In New York, March 10 of 2024 has 23 hours.
        (datetime(2024, 3, 9, 17), "day", 1, "America/New_York", datetime(2024, 3, 10, 16)),
        (datetime(2024, 3, 9, 17), "hour", 24, "America/New_York", datetime(2024, 3, 10, 17)),
        # 02:30 does not exist there that day.
        (datetime(2024, 3, 9, 7, 30), "day", 1, "America/New_York", datetime(2024, 3, 10, 7, 30)),
    ],
)
def test_units_are_added_on_the_local_calendar(check, start, unit, amount, zone, expected):
    spec = {"startDate": start, "unit": unit, "amount": amount, "timezone": zone}
    check({"$dateAdd": spec}, expected)
    check({"$dateSubtract": {**spec, "amount": -amount}}, expected)


@pytest.mark.parametrize(
    ("start", "end", "unit", "options", "expected"),
    [
        (datetime(2023, 12, 31, 23), datetime(2024, 1, 1), "year", {}, 1),
        (datetime(2024, 1, 1), datetime(2024, 12, 31), "year", {}, 0),
        (datetime(2024, 3, 31), datetime(2024, 4, 1), "quarter", {}, 1),
        (datetime(2024, 4, 1), datetime(2024, 3, 31), "month", {}, -1),
        (datetime(2024, 3, 9), datetime(2024, 3, 10), "week", {}, 1),
        (datetime(2024, 3, 9), datetime(2024, 3, 10), "week", {"startOfWeek": "Monday"}, 0),
        (datetime(2024, 3, 9, 23, 59), datetime(2024, 3, 10), "day", {}, 1),
        (datetime(2024, 3, 9, 23, 59), datetime(2024, 3, 10), "hour", {}, 1),
        (datetime(2024, 3, 9, 23, 59, 59), datetime(2024, 3, 10), "minute", {}, 1),
        (datetime(2024, 3, 9), datetime(2024, 3, 10), "second", {}, 86400),
        (datetime(2024, 3, 9), datetime(2024, 3, 10), "millisecond", {}, 86_400_000),
        (datetime(2024, 3, 10, 4), datetime(2024, 3, 10, 6), "day", {"timezone": "America/New_York"}, 1),
        (datetime(2024, 3, 10, 6, 30), datetime(2024, 3, 10, 7, 30), "hour", {"timezone": "America/New_York"}, 1),
        (datetime(2024, 3, 10, 0, 20), datetime(2024, 3, 10, 0, 40), "hour", {"timezone": "+05:30"}, 1),
    ],
)
def test_differences_count_boundaries(check, start, end, unit, options, expected):
    check({"$dateDiff": {"startDate": start, "endDate": end, "unit": unit, **options}}, Int64(expected))


@pytest.mark.parametrize(
    ("unit", "options", "expected"),
    [
        ("year", {}, datetime(2024, 1, 1)),
        ("year", {"binSize": 10}, datetime(2020, 1, 1)),
        ("quarter", {}, datetime(2024, 1, 1)),
        ("month", {}, datetime(2024, 3, 1)),
        ("month", {"binSize": 7}, datetime(2023, 12, 1)),
        ("week", {}, datetime(2024, 3, 10)),
        ("week", {"startOfWeek": "mon"}, datetime(2024, 3, 4)),
        ("week", {"binSize": 4}, datetime(2024, 2, 25)),
        ("day", {}, datetime(2024, 3, 10)),
        ("day", {"binSize": 7}, datetime(2024, 3, 9)),
        ("day", {"timezone": "America/New_York"}, datetime(2024, 3, 10, 5)),
        ("hour", {}, datetime(2024, 3, 10, 15)),
        ("hour", {"timezone": "+05:30"}, datetime(2024, 3, 10, 14, 30)),
        ("minute", {"binSize": 15}, datetime(2024, 3, 10, 15)),
        ("second", {"binSize": 10}, datetime(2024, 3, 10, 15, 4)),
        ("millisecond", {}, DATE),
    ],
)
def test_dates_are_cut_to_bins(check, unit, options, expected):
    check({"$dateTrunc": {"date": DATE, "unit": unit, **options}}, expected)


@pytest.mark.parametrize("name", ["$dateAdd", "$dateDiff", "$dateTrunc"])
def test_null_operands_give_null(check, name):
    arguments = {
        "$dateAdd": {"startDate": DATE, "unit": "day", "amount": 1},
        "$dateDiff": {"startDate": DATE, "endDate": DATE, "unit": "day"},
        "$dateTrunc": {"date": DATE, "unit": "day", "binSize": 1},
    }[name]
    for argument in (*arguments, "timezone"):
        check({name: {**arguments, argument: None}}, None)
        # What is wrong with the others does not matter then.
        check({name: {**dict.fromkeys(arguments, "wrong"), argument: None}}, None)


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"$year": "x"}, 16006),
        ({"$year": ["$d", "$d"]}, 40536),
        ({"$year": {"date": "$d", "what": 1}}, 40535),
        ({"$year": {"timezone": "UTC"}}, 40539),
        ({"$year": {"date": "$d", "timezone": "Nowhere/Land"}}, 40485),
        ({"$year": {"date": "$d", "timezone": "../../etc/passwd"}}, 40485),
        ({"$year": {"date": "$d", "timezone": 5}}, 40517),
        ({"$dateToParts": 1}, 40524),
        ({"$dateToParts": {"date": "$d", "what": 1}}, 40520),
        ({"$dateToParts": {"date": "$d", "iso8601": 1}}, 40521),
        ({"$dateToParts": {}}, 40522),
        ({"$dateFromParts": 1}, 40519),
        ({"$dateFromParts": {"year": 2024, "what": 1}}, 40518),
        ({"$dateFromParts": {"month": 1}}, 40516),
        ({"$dateFromParts": {"year": 2024, "isoWeek": 1}}, 40525),
        ({"$dateFromParts": {"isoWeekYear": 2024, "month": 1}}, 40489),
        ({"$dateFromParts": {"year": 2024.5}}, 40515),
        ({"$dateFromParts": {"year": 0}}, 40523),
        ({"$dateFromParts": {"year": 2024, "month": 40000}}, 31034),
        ({"$dateToString": 1}, 18629),
        ({"$dateToString": {"format": "%Y"}}, 18628),
        ({"$dateToString": {"date": "$d", "what": 1}}, 18534),
        ({"$dateToString": {"date": "$d", "format": 5}}, 18533),
        ({"$dateToString": {"date": "$d", "format": "%"}}, 18535),
        ({"$dateToString": {"date": "$d", "format": "%q"}}, 18536),
        ({"$dateFromString": 1}, 40540),
        ({"$dateFromString": {"dateString": "x", "what": 1}}, 40541),
        ({"$dateFromString": {"format": "%Y"}}, 40542),
        ({"$dateFromString": {"dateString": "x", "format": 5}}, 40684),
        ({"$dateFromString": {"dateString": "2017"}}, 241),
        ({"$dateFromString": {"dateString": "12:50:53"}}, 241),
        ({"$dateFromString": {"dateString": "2017-13-04"}}, 241),
        ({"$dateFromString": {"dateString": "2017-07", "format": "%Y-%m"}}, 241),
        ({"$dateFromString": {"dateString": "2017-07-04T00:00Z", "timezone": "Europe/Vienna"}}, 241),
        ({"$dateFromString": {"dateString": "2017-07-04 00:00 Europe/Vienna"}}, 241),
        ({"$dateFromString": {"dateString": "2017-07-04 00:00 XYZ"}}, 241),
        ({"$dateFromString": {"dateString": "2018-01", "format": "%Y"}}, 241),
        ({"$dateFromString": {"dateString": "ISO Week 52", "format": "ISO Week %V"}}, 241),
        ({"$dateFromString": {"dateString": "12/31/2018", "format": "%m/%d/%G"}}, 241),
        ({"$dateFromString": {"dateString": "1992", "format": "%n"}}, 18536),
        ({"$dateAdd": 1}, 5166400),
        ({"$dateAdd": {"startDate": "$d", "unit": "day", "amount": 1, "what": 1}}, 5166401),
        ({"$dateAdd": {"startDate": "$d", "unit": "day"}}, 5166402),
        ({"$dateAdd": {"startDate": "x", "unit": "day", "amount": 1}}, 5166403),
        ({"$dateAdd": {"startDate": "$d", "unit": "day", "amount": 0.5}}, 5166405),
        ({"$dateAdd": {"startDate": "$d", "unit": 5, "amount": 1}}, 5166404),
        ({"$dateAdd": {"startDate": "$d", "unit": "eon", "amount": 1}}, 9),
        ({"$dateAdd": {"startDate": "$d", "unit": "day", "amount": 10**7}}, 5166406),
        ({"$dateDiff": 1}, 5166301),
        ({"$dateDiff": {"endDate": "$d", "unit": "day"}}, 5166303),
        ({"$dateDiff": {"startDate": "$d", "unit": "day"}}, 5166304),
        ({"$dateDiff": {"startDate": "$d", "endDate": "$d"}}, 5166305),
        ({"$dateDiff": {"startDate": "$d", "endDate": "x", "unit": "day"}}, 5166307),
        ({"$dateDiff": {"startDate": "$d", "endDate": "$d", "unit": "week", "startOfWeek": "x"}}, 5439016),
        ({"$dateDiff": {"startDate": "$d", "endDate": "$d", "unit": "week", "startOfWeek": 1}}, 5439015),
        ({"$dateTrunc": {"date": "$d", "unit": 5}}, 5439013),
        ({"$dateTrunc": {"date": "$d", "unit": "eon"}}, 5439014),
        ({"$dateTrunc": 1}, 5439007),
        ({"$dateTrunc": {"date": "$d", "unit": "day", "what": 1}}, 5439008),
        ({"$dateTrunc": {"unit": "day"}}, 5439009),
        ({"$dateTrunc": {"date": "$d"}}, 5439010),
        ({"$dateTrunc": {"date": "x", "unit": "day"}}, 5439012),
        ({"$dateTrunc": {"date": "$d", "unit": "day", "binSize": 0.5}}, 5439017),
        ({"$dateTrunc": {"date": "$d", "unit": "day", "binSize": 0}}, 5439018),
    ],
)
def test_malformed_dates_have_the_servers_codes(fails, spec, code):
    fails(spec, code, DOCUMENT)


def test_the_parts_of_far_dates_are_refused_by_name(evaluate):
    with pytest.raises(NotImplementedYetError, match="9999"):
        evaluate({"$year": "$d"}, {"d": DatetimeMS(10**15)})


def test_a_duplicate_local_time_is_the_first_one(check):
    # In New York, 01:30 comes twice on November 3 of 2024.
    parts = {"year": 2024, "month": 11, "day": 3, "hour": 1, "minute": 30, "timezone": "America/New_York"}
    check({"$dateFromParts": parts}, datetime(2024, 11, 3, 5, 30))


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)))
def test_parts_put_together_are_the_date(date):
    date = date_of(millis_of(date))
    parts = compile_expression({"$dateToParts": {"date": date, "timezone": "+05:45"}}).constant
    assert compile_expression({"$dateFromParts": {**parts, "timezone": "+05:45"}}).constant == date


@given(
    st.integers(-(10**12), 10**12),
    st.sampled_from(["year", "quarter", "month", "week", "day", "hour", "minute", "second"]),
    st.integers(-50, 50),
    st.sampled_from(["UTC", "Europe/Vienna", "+05:30"]),
)
def test_the_difference_to_a_shifted_date_is_the_shift(millis, unit, amount, zone_name):
    zone = zone_named(zone_name)
    # From the first of a month, at noon, nothing is clamped and no clock is changed.
    start = millis_of(datetime(1970 + abs(millis) // (366 * 86_400_000) % 60, 1 + abs(millis) % 12, 1, 12))
    assert difference(start, shift(start, unit, amount, zone), unit, zone, 6) == amount
