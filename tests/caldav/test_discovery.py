"""How an app finds the calendars from nothing but the host name, a name and an app password."""

from __future__ import annotations

import pytest

from tests.caldav.node import Account, C, D, Node, basic


@pytest.mark.parametrize("method", ["GET", "PROPFIND", "OPTIONS"])
def test_well_known_leads_to_the_root_for_everybody(node: Node, method: str) -> None:
    answer = node.ask(method, "/.well-known/caldav")
    assert (answer.status, answer.headers["location"]) == (301, "/dav/")


@pytest.mark.parametrize("path", ["/", "/dav", "/dav/", "/dav/principals/", "/dav/calendars/hanako/"])
def test_every_resource_names_the_current_user(hanako: Account, path: str) -> None:
    answer = hanako.ask("PROPFIND", path, Depth="0", body=(
        '<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>'))
    assert answer.xml.findtext(f".//{D}current-user-principal/{D}href") == "/dav/principals/hanako/"


def test_the_principal_tells_where_the_calendars_are(hanako: Account) -> None:
    answer = hanako.ask("PROPFIND", "/dav/principals/hanako/", Depth="0", body=(
        '<d:propfind xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:prop><c:calendar-home-set/>'
        "<d:principal-URL/><d:supported-report-set/><c:calendar-proxy-of/></d:prop></d:propfind>"))
    assert answer.xml.findtext(f".//{C}calendar-home-set/{D}href") == "/dav/calendars/hanako/"
    missing = answer.xml.findall(f".//{D}propstat")[1]
    assert missing.findtext(f"{D}status") == "HTTP/1.1 404 Not Found"
    assert missing.find(f"{D}prop/{C}calendar-proxy-of") is not None


def test_options_tells_of_calendars_with_status_200(hanako: Account) -> None:
    answer = hanako.ask("OPTIONS", hanako.home)
    assert answer.status == 200
    assert "calendar-access" in answer.headers["dav"]
    assert "2" not in answer.headers["dav"].split(", ")


def test_the_home_is_a_container_of_calendars_with_one_kind_of_component_each(hanako: Account) -> None:
    answer = hanako.ask("PROPFIND", hanako.home, Depth="1", body=(
        '<propfind xmlns="DAV:"><prop><resourcetype/><supported-calendar-component-set '
        'xmlns="urn:ietf:params:xml:ns:caldav"/></prop></propfind>'))
    kinds = {
        item.findtext(f"{D}href"): [comp.get("name") for comp in item.iter(f"{C}comp")]
        for item in answer.xml.findall(f"{D}response")
    }
    assert kinds == {hanako.home: [], hanako.gatherings: ["VEVENT"], hanako.personal: ["VEVENT"],
                     hanako.tasks: ["VTODO"], hanako.invitations: ["VEVENT"]}


@pytest.mark.parametrize("path", ["/dav/calendars/%40hanako%3Asakura.example/personal/",
                                  "/dav/calendars/@hanako:sakura.example/personal", "/dav/calendars/hanako/personal"])
def test_a_full_user_id_in_the_path_and_a_missing_slash_are_the_same_place(hanako: Account, path: str) -> None:
    answer = hanako.ask("PROPFIND", path, Depth="0")
    assert answer.hrefs() == [hanako.personal]


@pytest.mark.parametrize("name", ["hanako", "Hanako", "@hanako:sakura.example", "%40hanako:sakura.example"])
def test_a_login_may_be_written_in_the_ways_of_apps(node: Node, hanako: Account, name: str) -> None:
    secret = hanako.secret.upper().replace("-", " ")
    answer = node.ask("PROPFIND", "/dav/", headers={"Authorization": basic(name, secret), "Depth": "0"})
    assert answer.status == 207


def test_propname_and_allprop_are_answered(hanako: Account) -> None:
    names = hanako.ask("PROPFIND", hanako.personal, '<propfind xmlns="DAV:"><propname/></propfind>', Depth="0")
    assert names.xml.find(f".//{D}sync-token") is not None
    assert names.xml.findtext(f".//{D}sync-token") in (None, "")
    everything = hanako.ask("PROPFIND", hanako.personal, Depth="0")
    assert everything.xml.findtext(f".//{D}displayname") == "わたしの手帳"


def test_missing_properties_are_left_out_for_who_wants_little(hanako: Account) -> None:
    body = '<propfind xmlns="DAV:"><prop><displayname/><nonsense xmlns="urn:x"/></prop></propfind>'
    assert hanako.ask("PROPFIND", hanako.personal, body, Depth="0").body.count(b"propstat>") == 4
    for headers in ({"Prefer": "return=minimal"}, {"Brief": "t"}):
        assert hanako.ask("PROPFIND", hanako.personal, body, Depth="0", **headers).body.count(b"propstat>") == 2


def test_an_infinite_depth_is_refused(hanako: Account) -> None:
    answer = hanako.ask("PROPFIND", hanako.home, Depth="infinity")
    assert answer.status == 403
    assert b"propfind-finite-depth" in answer.body


def test_an_app_finds_its_owner_among_the_principals_and_nobody_else(node: Node, hanako: Account) -> None:
    node.account("taro")

    def search(name: str) -> list[str]:
        return hanako.ask("REPORT", "/dav/principals/", (
            '<d:principal-property-search xmlns:d="DAV:"><d:property-search><d:prop><d:displayname/></d:prop>'
            f"<d:match>{name}</d:match></d:property-search><d:prop><d:displayname/></d:prop>"
            "</d:principal-property-search>"), Depth="0").hrefs()

    assert search("HANA") == ["/dav/principals/hanako/"]
    assert search("taro") == []
    assert {str(item.url.path) for item in hanako.client().search_principals()} == {"/dav/principals/hanako/"}


def test_properties_are_expanded_along_their_hrefs(hanako: Account) -> None:
    answer = hanako.ask("REPORT", "/dav/", (
        '<d:expand-property xmlns:d="DAV:"><d:property name="current-user-principal">'
        '<d:property name="calendar-home-set" namespace="urn:ietf:params:xml:ns:caldav"/>'
        "</d:property></d:expand-property>"))
    inner = answer.xml.find(f".//{D}current-user-principal/{D}response")
    assert inner.findtext(f"{D}href") == "/dav/principals/hanako/"
    assert inner.findtext(f".//{C}calendar-home-set/{D}href") == "/dav/calendars/hanako/"
