import pytest

from skerry.values.missing import MISSING

DOCUMENT = {"o": {"x": 1, "y": None}, "n": None, "a.b": 7}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"$mergeObjects": ["$o", {"x": 2, "z": 3}, "$n", "$missing"]}, {"x": 2, "y": None, "z": 3}),
        ({"$mergeObjects": []}, {}),
        ({"$objectToArray": "$o"}, [{"k": "x", "v": 1}, {"k": "y", "v": None}]),
        ({"$objectToArray": "$n"}, None),
        ({"$arrayToObject": [[["a", 1], ["b", 2], ["a", 3]]]}, {"a": 3, "b": 2}),
        ({"$arrayToObject": {"$literal": [{"k": "a", "v": 1}]}}, {"a": 1}),
        ({"$arrayToObject": {"$literal": []}}, {}),
        ({"$arrayToObject": "$n"}, None),
        ({"$getField": "n"}, None),
        ({"$getField": "a.b"}, 7),
        ({"$getField": {"field": "x", "input": "$o"}}, 1),
        ({"$getField": {"field": "q", "input": "$o"}}, MISSING),
        ({"$getField": {"field": "x", "input": "$n"}}, None),
        ({"$getField": {"field": "x", "input": 5}}, MISSING),
        ({"$getField": {"field": {"$concat": ["x"]}, "input": "$o"}}, 1),
        ({"$getField": {"$literal": "$x"}}, MISSING),
        ({"$setField": {"field": "a.b", "input": "$o", "value": 2}}, {"x": 1, "y": None, "a.b": 2}),
        ({"$setField": {"field": "x", "input": "$o", "value": "$$REMOVE"}}, {"y": None}),
        ({"$setField": {"field": "x", "input": "$n", "value": 1}}, None),
        ({"$unsetField": {"field": "x", "input": "$o"}}, {"y": None}),
        ({"$bsonSize": {"a": 1}}, 12),
        ({"$bsonSize": "$n"}, None),
        ({"$setUnion": [[3, 1], [1.0, 2]]}, [1, 2, 3]),
        ({"$setUnion": [[1], None]}, None),
        ({"$setIntersection": [[3, 1, 2], [2, 3, 9]]}, [2, 3]),
        ({"$setIntersection": []}, []),
        ({"$setDifference": [[3, 1, 3, 2], [1]]}, [3, 2]),
        ({"$setDifference": [None, [1]]}, None),
        ({"$setEquals": [[1, 2, 2], [2, 1]]}, True),
        ({"$setEquals": [[1], [1, [1]]]}, False),
        ({"$setIsSubset": [[1, 1], [2, 1]]}, True),
        ({"$setIsSubset": [[1, 3], [2, 1]]}, False),
        ({"$allElementsTrue": [[True, 1, "x"]]}, True),
        ({"$allElementsTrue": [[True, 0]]}, False),
        ({"$allElementsTrue": [[]]}, True),
        ({"$anyElementTrue": [[False, None]]}, False),
        ({"$anyElementTrue": [[[False]]]}, True),
    ],
)
def test_documents_and_sets(check, spec, expected):
    check(spec, expected, DOCUMENT)


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"$mergeObjects": [1]}, 40400),
        ({"$objectToArray": 1}, 40390),
        ({"$arrayToObject": 1}, 40386),
        ({"$arrayToObject": [[1]]}, 40398),
        ({"$arrayToObject": [[["a", 1], 5]]}, 40396),
        ({"$arrayToObject": [[["a", 1, 2]]]}, 40397),
        ({"$arrayToObject": [[[1, 1]]]}, 40395),
        ({"$arrayToObject": [[["a\0", 1]]]}, 4940400),
        ({"$arrayToObject": [[{"k": "a", "v": 1}, 5]]}, 40391),
        ({"$arrayToObject": [[{"k": "a"}]]}, 40392),
        ({"$arrayToObject": [[{"k": "a", "w": 1}]]}, 40393),
        ({"$arrayToObject": [[{"k": 1, "v": 1}]]}, 40394),
        ({"$arrayToObject": [[{"k": "a\0", "v": 1}]]}, 4940401),
        ({"$getField": {"field": "a", "input": 1, "what": 1}}, 3041701),
        ({"$getField": {"input": 1}}, 3041702),
        ({"$getField": {"field": "a"}}, 3041703),
        ({"$getField": 5}, 3041704),
        ({"$getField": "$a"}, 5654600),
        ({"$setField": 1}, 4161100),
        ({"$setField": {"field": "a", "input": 1, "value": 1, "what": 1}}, 4161101),
        ({"$setField": {"input": 1, "value": 1}}, 4161102),
        ({"$setField": {"field": "a", "input": 1}}, 4161103),
        ({"$setField": {"field": "a", "input": 1, "value": 1}}, 4161105),
        ({"$setField": {"field": {"$concat": ["$x"]}, "input": 1, "value": 1}}, 4161106),
        ({"$setField": {"field": 1, "input": 1, "value": 1}}, 4161107),
        ({"$setField": {"field": "$a", "input": 1, "value": 1}}, 4161108),
        ({"$setField": {"field": "a", "value": 1}}, 4161109),
        ({"$unsetField": {"field": "a", "input": 1, "value": 1}}, 4161101),
        ({"$bsonSize": 1}, 31393),
        ({"$setUnion": [1]}, 17043),
        ({"$setIntersection": [1]}, 17047),
        ({"$setDifference": [1, []]}, 17048),
        ({"$setDifference": [[], 1]}, 17049),
        ({"$setEquals": [[], None]}, 17044),
        ({"$setEquals": [[]]}, 17045),
        ({"$setIsSubset": [None, []]}, 17046),
        ({"$setIsSubset": [[], None]}, 17042),
        ({"$allElementsTrue": [None]}, 17040),
        ({"$anyElementTrue": [1]}, 17041),
    ],
)
def test_malformed_documents_and_sets_have_the_servers_codes(fails, spec, code):
    fails(spec, code)
