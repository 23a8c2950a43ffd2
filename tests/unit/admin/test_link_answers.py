"""What the API says of a link has every field of its status: one that is missing would be a defect in every answer."""

from dataclasses import fields

from skerry.admin.link_answers import LinkFacts
from skerry.sync.sync_health import LinkStatus


def test_the_answer_has_the_fields_of_the_status() -> None:
    assert set(LinkFacts.model_fields) == {each.name for each in fields(LinkStatus)} | {"problems", "healthy"}
