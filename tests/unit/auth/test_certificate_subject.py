"""Subjects of certificates in the order and with the escapes of RFC 2253."""

from typing import Any

import pytest

from skerry.auth.certificate_subject import subject_name

CN, DC, ORG, UNIT = "commonName", "domainComponent", "organizationName", "organizationalUnitName"


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ([[("countryName", "NO")], [(ORG, "Skerry")], [(CN, "kiosk-7")]], "CN=kiosk-7,O=Skerry,C=NO"),
        ([[(ORG, "Sue, Grabbit and Runn")], [(CN, "L. Eagle")]], "CN=L. Eagle,O=Sue\\, Grabbit and Runn"),
        ([[(ORG, "Widget")], [(UNIT, "Sales"), (CN, "J")]], "OU=Sales+CN=J,O=Widget"),
        ([[(CN, '#a "b" \\')]], 'CN=\\#a \\"b\\" \\\\'),
        ([[(CN, " a ")]], "CN=\\ a\\ "),
        ([[(DC, "net")], [(DC, "example")], [("emailAddress", "a@b")]], "emailAddress=a@b,DC=example,DC=net"),
        ([], None),
    ],
)
def test_the_most_particular_part_comes_first(subject: Any, name: str | None) -> None:
    assert subject_name({"subject": subject}) == name
