"""The audit log: what is found, by whom, how far it is proven; a checkpoint compared; a record taken out."""

from __future__ import annotations

import io
import json
import re
import zipfile
from html import unescape
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from visitors import visitor

from cast import MIA, House, do, kind, person, reasons, with_consent
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.approvals import withdraw
from postroom.changes.erase import hashed
from postroom.changes.pipeline import submit
from postroom.environment import Environment
from postroom.host.cluster import Cluster
from postroom.models import Change, Entry, RecordedEdit
from postroom.posture.signed import signed
from postroom.protocols import note
from postroom.protocols.entry import leaf as leaf_of
from postroom.queries.entries import Wanted, entries, entry
from postroom.record import check_bundle
from postroom.record.export import PROGRAM
from postroom.record.sequencer import Sequencer
from postroom.record.signer import Rewritten, Signer, turn
from postroom.web import recorded
from postroom.web.step_up import BY_LINK

ORIGIN, CARL = "postroom.example/log", "carl@northlight.example"
PAST_US = "SET session_replication_role = replica"


class Log:
    """The record's own processes, when a test says so; their folder is where the pages look for the key."""

    def __init__(self, cluster: Cluster, database: str, state: Path) -> None:
        (state / "signer").mkdir()
        self.signer = Signer(state / "signer", ORIGIN)
        self.as_signer, system = (
            psycopg.connect(cluster.dsn(role, database), autocommit=True)
            for role in ("postroom_signer", "postroom_system")
        )
        self.sequencer = Sequencer(system)
        self.system = system

    def place(self) -> None:
        self.sequencer.place()

    def sign(self) -> str:
        self.place()
        turn(self.signer, self.as_signer)
        return self.signer.last


@pytest.fixture
def log(cluster: Cluster, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(settings, "POSTROOM", Environment({**settings.POSTROOM.values, "STATE": tmp_path}))
    made = Log(cluster, database, tmp_path)
    yield made
    made.as_signer.close()
    made.system.close()


def text_of(browser: Any, address: str, status: int = 200, **posted: str) -> str:
    answer = browser.post(address, posted) if posted else browser.get(address)
    assert answer.status_code == status, (address, answer.status_code)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def found(by: Any, **wanted: Any) -> list[dict[str, Any]]:
    with acting_as(by):
        return list(entries(by, Wanted(limit=500, **wanted), signed()).items)


def gina_of_globex(house: House) -> Any:
    do("people.invite", house.oskar, name="Gina", email="gina@globex.example", client="globex")
    given = do("grants.give", house.oskar, person="gina@globex.example", role="client admin", client="globex")
    assert given.stage == "verified", reasons(given)
    return person("gina@globex.example", house.oskar)


def test_each_entry_says_how_far_it_is_proven_and_nothing_is_green_that_is_not_known(house: House, log: Log) -> None:
    browser = visitor(house.oskar)
    do("mailboxes.change", house.olive, mailbox=MIA, name="Mia H.")
    assert "not in the log yet" in text_of(browser, "/audit/") and "nothing is signed yet" in text_of(
        browser, "/audit/"
    )
    log.place()
    assert {one["proof"] for one in found(SYSTEM)} <= {"not signed", "no place"}
    log.sign()
    assert {one["proof"] for one in found(house.carl)} == {"signed"}
    do("mailboxes.change", house.olive, mailbox=MIA, name="Mia again")
    newest = found(house.carl)[0]
    assert newest["proof"] == "no place" and newest["said"] == "mailboxes.change"
    key = log.signer.folder / "public"
    kept = key.read_text()
    key.unlink()
    assert {one["proof"] for one in found(house.carl)[1:]} == {"unknown"}
    assert "signature can be checked" in text_of(browser, "/audit/")
    key.write_text(str(note.Verifier(ORIGIN, bytes(32))))
    assert {one["proof"] for one in found(house.carl)[1:]} == {"unknown"}
    assert "newest checkpoint is no good" in text_of(browser, "/audit/")
    key.write_text(kept)
    assert found(house.carl)[1]["proof"] == "signed"


def test_one_entry_proves_itself_to_the_newest_checkpoint(house: House, log: Log, sql: Any) -> None:
    change = do("mailboxes.change", house.olive, mailbox=MIA, name="Mia H.")
    log.sign()
    one = found(house.carl, object=MIA)[0]
    with acting_as(house.carl):
        whole = entry(house.carl, one["id"], signed())
    text = note.opened(whole["checkpoint"], log.signer.who)
    root = note.checkpoint(text)
    way = [bytes.fromhex(step) for step in whole["inclusion"]]
    check_bundle.included(bytes.fromhex(whole["leaf"]), whole["index"], root.size, way, root.root)
    page = text_of(visitor(house.carl), f"/audit/{one['id']}/")
    shown = (whole["leaf"], whole["inclusion"][0], log.signer.last.split("\n")[2], "Mia H.", "a test", "verified",
             f"python3 {PROGRAM} FOLDER KEY")  # fmt: skip
    assert [words for words in shown if words not in page] == []
    assert str(change.pk) == whole["about"]
    sql("ALTER TABLE entries DISABLE TRIGGER USER", f"UPDATE entries SET leaf = '\\x00' WHERE id = {one['id']}")
    assert "its lines do not fit its leaf" in text_of(visitor(house.carl), f"/audit/{one['id']}/")


def test_an_entry_rewritten_with_its_leaf_does_not_lead_to_what_was_signed(house: House, log: Log, sql: Any) -> None:
    do("mailboxes.change", house.olive, mailbox=MIA, name="Mia H.")
    log.sign()
    number = found(house.carl, object=MIA)[0]["id"]
    sql(PAST_US, f"""UPDATE edits SET after = '{{"name": "Eve"}}' WHERE entry_id = {number} AND n = 1""")
    with acting_as(SYSTEM):
        leaf = leaf_of(map(hashed, RecordedEdit.objects.filter(entry=number).order_by("n")))
    sql(PAST_US, f"UPDATE entries SET leaf = '\\x{leaf.hex()}' WHERE id = {number}")
    assert "not what was signed" in text_of(visitor(house.carl), f"/audit/{number}/")


def test_it_is_searched_by_client_person_object_kind_and_time(house: House, log: Log) -> None:
    do("mailboxes.change", house.olive, mailbox=MIA, name="Mia H.")
    do("mailboxes.change", house.oskar, mailbox="mia@globex.example", name="Mia G.")
    visitor(house.carl).get("/do/clients.create/")  # refused, and an entry
    everything = found(SYSTEM)
    ids = [one["id"] for one in everything]
    assert ids == sorted(ids, reverse=True) and len(ids) == all_entries()
    olive = found(house.oskar, person="olive@northlight.example")
    assert [one["said"] for one in olive] == ["mailboxes.change"] and olive[0]["who"]["name"] == "Olive"
    assert {one["client"] for one in found(house.oskar, client="globex")} == {"globex"}
    about = found(house.oskar, object=MIA)
    assert [one["said"] for one in about] == ["mailboxes.change", "mailboxes.create"]
    assert {one["said"] for one in found(house.oskar, object="acme.example")} >= {"domains.add", "domains.prove"}
    assert {one["said"] for one in found(house.oskar, said=("refused", "domains.add"))} == {"refused", "domains.add"}
    later = everything[0]["at"]
    assert found(house.oskar, since=later)[-1]["at"] == later
    assert len(found(house.oskar, until=later)) == len(ids)
    for nothing in ({"client": "nobody"}, {"person": "x@y.example"}, {"object": "x@y.example"}, {"object": "no"}):
        assert found(house.oskar, **nothing) == [], nothing


def all_entries() -> int:
    with acting_as(SYSTEM):
        return Entry.objects.count()


def test_who_approved_is_found_and_named(house: House, log: Log) -> None:
    with_consent(house, do("mailboxes.remove", house.olive, mailbox=MIA))
    withdraw(do("mailboxes.remove", house.olive, mailbox="mia@globex.example").pk, actor=house.ada, why="not now")
    of_ada = found(house.oskar, person="ada@northlight.example")
    said = [(one["said"], one["who"]["name"], one["client"]) for one in of_ada][:2]
    assert said == [("withdrawn", "Ada", "globex"), ("approved", "Ada", "acme")]
    page = text_of(visitor(house.oskar), "/audit/?what=decisions&person=ada@northlight.example")
    assert "Approved: remove mailboxes" in page and "Withdrawn: remove mailboxes" in page and "not now" in page
    assert not found(house.oskar, said=recorded.said_by("sign-ins"), person="ada@northlight.example")
    of_acme = text_of(visitor(house.carl), "/audit/?what=approved")
    assert "Approved: remove mailboxes" in of_acme and "Ada" in of_acme, "the client reads it too"


def test_a_client_reads_its_own_record_and_nobody_elses(house: House, log: Log) -> None:
    gina = gina_of_globex(house)
    do("mailboxes.change", house.olive, mailbox=MIA, name="Mia H.")
    log.sign()
    assert {one["client"] for one in found(house.carl)} == {"acme"}
    assert {one["client"] for one in found(gina)} == {"globex"}
    of_acme = found(house.carl)[0]["id"]
    assert visitor(gina).get(f"/audit/{of_acme}/").status_code == 404
    assert found(gina, client="acme") == found(gina, object=MIA) == []


def test_pages_follow_one_another_and_show_nothing_twice(house: House, log: Log) -> None:
    browser, address, seen = visitor(house.oskar), "/audit/", []
    while address:
        page = unescape(browser.get(address).content.decode())
        seen += [int(number) for number in re.findall(r'href="/audit/(\d+)/"', page)]
        more = re.search(r'href="([^"]+)" rel="next"', page)
        address = f"/audit/{more[1]}" if more else ""
    assert len(seen) == len(set(seen)) >= all_entries() - 1 and seen == sorted(seen, reverse=True)
    assert browser.get("/audit/?after=nonsense&since=never&client=%27&what=x").status_code == 200


def test_a_kept_checkpoint_is_compared_and_changes_nothing(house: House, log: Log, sql: Any) -> None:
    early = log.sign()
    do("mailboxes.change", house.olive, mailbox=MIA, name="Mia H.")
    log.sign()
    browser, before = visitor(house.carl), all_entries()
    assert "The same log" in text_of(browser, "/audit/compare/", checkpoint=early.replace("\n", "\r\n"))
    for wrong in ("", "x", early.replace(early.split("\n")[2], "A" * 43 + "="), early[: early.index("\u2014")] + "\n"):
        assert "no checkpoint of this log" in text_of(browser, "/audit/compare/", checkpoint=wrong or " ")
    longer = str(note.Checkpoint(ORIGIN, 10_000, bytes(32)))
    text = note.signed(longer, ORIGIN, log.signer.key)
    assert "are gone" in text_of(browser, "/audit/compare/", checkpoint=text)
    other = note.signed(str(note.Checkpoint(ORIGIN, 5, bytes(32))), ORIGIN, log.signer.key)
    assert "It was rewritten" in text_of(browser, "/audit/compare/", checkpoint=other)
    assert all_entries() == before
    (log.signer.folder / "public").unlink()
    assert "could not be compared" in text_of(browser, "/audit/compare/", checkpoint=early)


def test_the_signers_alarm_is_red_on_the_page_and_gone_when_it_signs_again(house: House, log: Log, sql: Any) -> None:
    log.sign()
    sql("ALTER TABLE tree_nodes DISABLE TRIGGER USER", "CREATE TABLE kept AS SELECT * FROM tree_nodes",
        "UPDATE tree_nodes SET hash = '\\x00' WHERE level > 0")  # fmt: skip
    with pytest.raises(Rewritten):
        log.signer.sign(log.as_signer)
    turn(log.signer, log.as_signer)
    page = text_of(visitor(house.carl), "/audit/")
    assert "signs nothing any more" in page and "are not those that were signed" in page and "nothing after" in page
    assert {one["proof"] for one in found(house.carl)} == {"unknown"}
    ((since,),) = sql("SELECT since FROM signer_alarms")
    turn(log.signer, log.as_signer)
    assert sql("SELECT since FROM signer_alarms") == [(since,)], "since it began"
    sql("UPDATE tree_nodes t SET hash = k.hash FROM kept k WHERE k.level = t.level AND k.index = t.index")
    turn(log.signer, log.as_signer)
    assert "signs nothing any more" not in text_of(visitor(house.carl), "/audit/")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sql("SELECT record_alarm('')", role="postroom_app")


def exported(who: Any, client: str) -> tuple[int, bytes]:
    answer = visitor(who).post("/audit/export/", {"client": client, "why": "asked by Acme"})
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer.status_code != 200 or answer["Content-Type"] == "application/zip"
    answer.close()
    return answer.status_code, content


def test_a_client_that_shut_its_operators_out_takes_its_record_along(house: House, log: Log, tmp_path: Path) -> None:
    do("people.invite", house.oskar, name="Amy", email="amy@acme.test", client="acme")
    do("grants.give", house.oskar, person="amy@acme.test", role="client admin", client="acme")
    amy = person("amy@acme.test", house.oskar)
    assert do("access.suspend", amy, client="acme").version
    log.sign()
    status, archive = exported(amy, "acme")
    assert status == 200
    zipfile.ZipFile(io.BytesIO(archive)).extractall(tmp_path / "own")
    assert check_bundle.main(tmp_path / "own", str(log.signer.who)) == []
    assert "access.suspend" in (tmp_path / "own/entries.jsonl").read_text()
    assert exported(house.oskar, "acme")[0] in (403, 404)


def test_one_clients_record_is_taken_out_and_stands_in_the_record_first(
    house: House, log: Log, tmp_path: Path, sql: Any
) -> None:
    gina_of_globex(house)
    do("mailboxes.change", house.olive, mailbox=MIA, name="Mia H.")
    log.sign()
    ((there,),) = sql("SELECT count(*) FROM places p JOIN clients c ON c.id = p.client_id WHERE slug = 'acme'")
    for who in (house.oskar, house.olive, house.audrey, house.carl):
        status, archive = exported(who, "acme")
        assert status == 200, who
        folder = tmp_path / who.name
        zipfile.ZipFile(io.BytesIO(archive)).extractall(folder)
        assert check_bundle.main(folder, str(log.signer.who)) == []
        lines = [json.loads(line) for line in (folder / "entries.jsonl").read_text().splitlines()]
        assert len(lines) == there and "globex" not in (folder / "entries.jsonl").read_text()
        newest = found(house.carl)[0]
        assert newest["said"] == "record exported" and newest["facts"]["name"] == who.name
    kept = len(found(SYSTEM, said=("record exported",)))
    for who, client, status in (
        (house.ada, "acme", 403), (house.henry, "acme", 403), (house.carl, "globex", 404), (house.oskar, "nobody", 404),
    ):  # fmt: skip
        assert exported(who, client)[0] == status, who
    assert visitor(house.oskar).post("/audit/export/", {"client": "acme"}).status_code == 409
    assert do("grants.give", house.oskar, person="henry@northlight.example", role="auditor", client="acme").version
    for client, status in (("acme", 200), ("globex", 403)):  # he sees both, and takes out what is his to take
        assert exported(house.henry, client)[0] == status
    kept += 1
    stale = visitor(house.carl)
    session = stale.session
    del session[BY_LINK]
    session.save()
    assert stale.post("/audit/export/", {"client": "acme", "why": "x"}).status_code == 302, "a fresh factor first"
    assert len(found(SYSTEM, said=("record exported",))) == kept


def test_that_a_record_was_asked_for_stands_there_even_where_none_could_be_made(house: House, log: Log) -> None:
    answer = visitor(house.carl).post("/audit/export/", {"client": "acme", "why": "x"})
    assert answer.status_code == 409 and "nothing is signed yet" in answer.content.decode()
    assert found(house.carl)[0]["said"] == "record exported"


def test_the_number_of_queries_is_that_of_the_page(house: House, log: Log) -> None:
    log.sign()
    pages = ("/audit/", "/audit/?what=changes", f"/audit/{found(house.oskar)[0]['id']}/")
    few = counted(house, pages)
    for n in range(30):
        do("mailboxes.change", house.olive, mailbox=MIA, name=f"Mia {n}")
        do("mailboxes.change", house.oskar, mailbox="mia@globex.example", name=f"Mia {n}")
    log.sign()
    assert counted(house, pages) == few and max(few) <= 26, few


def counted(house: House, pages: tuple[str, ...]) -> list[int]:
    browser = visitor(house.oskar)
    numbers = []
    for address in pages:
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(address).status_code == 200
        numbers.append(len(queries))
    return numbers


def test_what_an_entry_is_searched_by_is_worked_out_by_the_database(house: House, log: Log, sql: Any) -> None:
    """So nobody can file an entry under another name than the one that is hashed."""
    with pytest.raises(psycopg.errors.Error):
        sql("ALTER TABLE edits DISABLE TRIGGER USER", "UPDATE edits SET person = 'somebody else' WHERE n = 0")
    with acting_as(SYSTEM):
        heads = RecordedEdit.objects.filter(n=0)
        assert all(one.said == one.after["kind"] for one in heads if one.table == "changes")


def test_lines_that_do_not_make_their_leaf_are_said_in_the_list_and_on_the_page(
    house: House, log: Log, sql: Any
) -> None:
    """Whoever is the database's own superuser rewrites what an entry says; the leaf and its proof still stand."""
    do("mailboxes.change", house.olive, mailbox=MIA, name="Mia H.")
    do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=77)
    log.sign()
    newest, older = found(house.carl)[:2]
    sql(PAST_US, f"""UPDATE edits SET after = '{{"quota_mb": 1}}' WHERE entry_id = {newest["id"]} AND n = 1""")
    assert [one["proof"] for one in found(house.carl)[:2]] == ["altered", "signed"]
    with acting_as(house.carl):
        whole = entry(house.carl, newest["id"], signed())
        assert entry(house.carl, older["id"], signed())["proof"] == "signed"
    assert (whole["proof"], whole["inclusion"]) == ("altered", None)
    browser = visitor(house.carl)
    assert "its lines do not fit its leaf" in text_of(browser, f"/audit/{newest['id']}/")
    assert "its lines do not fit its leaf" in text_of(browser, "/audit/")
    sql(PAST_US, f"DELETE FROM edits WHERE entry_id = {older['id']} AND n = 1")
    assert [one["proof"] for one in found(house.carl)[:2]] == ["altered", "altered"]


def test_an_entry_of_many_lines_is_hashed_on_its_own_page(house: House, log: Log, sql: Any) -> None:
    many = [kind("aliases.create", address=f"a{n}@acme.example", targets=[MIA]) for n in range(20)]
    submit(many, actor=house.olive, why="a test")
    log.sign()
    one = found(house.carl, said=("aliases.create",))[0]
    assert one["proof"] == "signed"
    more = "after || '{\"keep_copy\": false}'"
    sql(PAST_US, f"UPDATE edits SET after = {more} WHERE entry_id = {one['id']} AND n = 35")
    with acting_as(house.carl):
        assert entry(house.carl, one["id"], signed())["proof"] == "altered"


def erased_note(house: House) -> tuple[Change, int]:
    change = do("clients.change", house.olive, client="acme", notes="Mia Muster")
    with acting_as(SYSTEM):
        number = RecordedEdit.objects.get(table="changes", row=change.pk).entry_id
    held = do("record.erase", house.oskar, lines=[f"{number}.0", f"{number}.1"], reason="a request")
    with_consent(house, held)
    return change, number


def test_an_erased_line_counts_by_its_hash_only_where_a_later_entry_says_so(house: House, log: Log, sql: Any) -> None:
    _, number = erased_note(house)
    do("mailboxes.change", house.olive, mailbox=MIA, name="Mia H.")
    log.sign()
    hidden = found(house.carl)[0]["id"]
    states = {one["id"]: one["proof"] for one in found(house.carl)}
    assert states[number] == states[hidden] == "signed"
    with acting_as(SYSTEM):
        head = RecordedEdit.objects.get(entry=hidden, n=0)
        left = hashed(head).hex()
    sql(PAST_US, f"UPDATE edits SET before = NULL, after = NULL, salt = '', hashed = '\\x{left}'"
        f" WHERE entry_id = {hidden} AND n = 0")  # fmt: skip
    assert {one["id"]: one["proof"] for one in found(house.carl)}[hidden] == "altered", "nobody recorded that"
    with acting_as(house.carl):
        assert entry(house.carl, hidden, signed())["proof"] == "altered"
        assert entry(house.carl, number, signed())["proof"] == "signed"


def test_an_erased_entry_is_found_by_who_and_what_the_erasure_keeps(house: House, log: Log) -> None:
    before = do("mailboxes.change", house.olive, mailbox=MIA, name="Mia H.")
    _, number = erased_note(house)
    do("mailboxes.change", house.olive, mailbox=MIA, name="Mia J.")
    olive = "olive@northlight.example"
    one = next(one for one in found(house.oskar, said=("clients.change",)) if one["id"] == number)
    assert (one["facts"], one["who"]["email"], one["said"]) == (None, olive, "clients.change")
    hers = [one["id"] for one in found(house.oskar, person=olive)]
    assert number in hers and hers == sorted(hers, reverse=True) and len(hers) == 3
    assert number in [one["id"] for one in found(house.oskar, person=olive, said=("clients.change",))]
    for other in ({"person": "oskar@northlight.example"}, {"said": ("mailboxes.change",)}, {"client": "globex"}):
        assert number not in [one["id"] for one in found(house.oskar, **{"person": olive} | other)], other
    assert number not in [one["id"] for one in found(gina_of_globex(house), said=("clients.change",))]
    pages, after = list[int](), ""
    while after is not None:
        with acting_as(house.oskar):
            some = entries(house.oskar, Wanted(person=olive, limit=1, after=after), signed())
        pages, after = pages + [one["id"] for one in some.items], some.next
    assert pages == hers, "page by page it is the same list"
    assert "What it said was erased: Change a client" in text_of(visitor(house.oskar), f"/audit/?person={olive}")
    assert before.stage == "verified"


def test_an_erased_event_is_found_by_who_did_it(house: House, log: Log) -> None:
    visitor(house.carl).get("/do/clients.create/")  # refused, and an entry
    (refused,) = found(house.oskar, said=("refused",))
    held = do("record.erase", house.oskar, lines=[f"{refused['id']}.0"], reason="a request")
    with_consent(house, held)
    assert [one["id"] for one in found(house.oskar, said=("refused",))] == [refused["id"]]
    assert refused["id"] in [one["id"] for one in found(house.oskar, person=CARL)]
