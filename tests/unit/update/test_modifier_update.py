from skerry.update.modifier_update import OPERATORS, RENAME


def test_the_table_has_every_update_operator_of_mongodb() -> None:
    names = {"$addToSet", "$bit", "$currentDate", "$inc", "$max", "$min", "$mul", "$pop", "$pull", "$pullAll", "$push"}
    assert {*OPERATORS, RENAME} == names | {"$rename", "$set", "$setOnInsert", "$unset"}
