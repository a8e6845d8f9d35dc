"""From nothing to a working mailbox and back, by the API alone; mail, DNS and the owner's page are the real ones."""

import imaplib
import uuid

import pytest

from world import Browser, Refused, Stack, received, until

pytestmark = pytest.mark.server
SECRET = "four plain words here"


def test_a_client_from_nothing_to_mail_that_flows_and_back(stack: Stack) -> None:
    operator, approver = stack.person("operator@northlight.example"), stack.person("approver@northlight.example")
    name = f"story{uuid.uuid4().hex[:8]}"
    domain, mia, leo = f"{name}.example", f"mia@{name}.example", f"leo@{name}.example"

    client = operator.change("clients.create", {"name": f"{name.title()} Client"}, "contract signed")
    assert (client["stage"], client["client"]) == ("verified", f"{name}-client")
    added = operator.change("domains.add", {"client": f"{name}-client", "name": domain, "hosting": "hosted"})
    done = operator.verified(added)
    assert stack.dns(domain, "MX") == ["10 mx.postroom.example."]
    assert stack.dns(domain, "TXT") == ["v=spf1 mx -all"]
    assert stack.dns(f"_dmarc.{domain}", "TXT")[0].startswith("v=DMARC1; p=none")
    assert {one["kind"] for one in done["follow_ups"]} == {"dkim_keys.make"}
    assert all(d["done"] and d["evidence"] for d in done["deliveries"])
    until("the domain is proven", lambda: operator.get(f"/domains/{domain}")["proof"] == "read")

    made = operator.change(
        "mailboxes.create",
        [
            {"address": mia, "name": "Mia", "contact": "mia.home@home.test"},
            {"address": leo, "contact": "leo@home.test"},
        ],
    )
    operator.verified(made)
    until("mail to her is taken", lambda: stack.rcpt(mia) == 250)
    assert not stack.may_sign_in(mia, SECRET)

    owner_sets(stack, stack.mailed_link("mia.home@home.test"))
    owner_sets(stack, stack.mailed_link("leo@home.test"))
    until("she signs in", lambda: stack.may_sign_in(mia, SECRET))
    until("he signs in", lambda: stack.may_sign_in(leo, SECRET))

    stack.submit(mia, SECRET, leo, f"from mia {name}")
    with stack.imap(leo, SECRET) as box:
        assert stack.signed(received(box, f"from mia {name}")), "signed, and it verifies against what is published"
    stack.from_outside(mia, f"from outside {name}")
    phone = stack.imap(mia, SECRET)
    assert received(phone, f"from outside {name}")
    idling(phone)

    suspended = operator.change("mailboxes.suspend", {"mailbox": mia}, "phone stolen", ticket="T-1")
    assert ended(phone), "the session that was open is ended"
    done = operator.verified(suspended)
    assert done["deliveries"][0]["evidence"]
    assert not stack.may_sign_in(mia, SECRET)
    assert stack.rcpt(mia) == 250, "mail keeps arriving"

    undone = operator.undo(suspended)
    assert undone["stage"] in ("applied", "verified")
    operator.verified(undone)
    until("she signs in again", lambda: stack.may_sign_in(mia, SECRET))

    line = operator.get(f"/changes?client={name}-client&limit=5")["items"]
    told = next(one for one in line if one["id"] == suspended["id"])
    assert (told["why"], told["ticket"], told["undone_by"]) == ("phone stolen", "T-1", undone["id"])
    assert told["proposer"]["email"] == "operator@northlight.example"
    edit = operator.get(f"/changes/{suspended['id']}")["edits"][0]
    assert edit["before"]["suspended_at"] is None and edit["after"]["suspended_at"]

    held = operator.change("mailboxes.remove", {"mailbox": leo}, "left")
    assert held["stage"] == "held"
    with pytest.raises(Refused) as own:
        operator.approve(held)
    assert own.value.status == 403
    approver.approve(held)
    operator.verified(held)
    until("mail to him is refused", lambda: stack.rcpt(leo) == 550)


def test_a_link_works_once_and_a_weak_secret_is_refused_with_reasons(stack: Stack) -> None:
    operator = stack.person("operator@northlight.example")
    box = f"once{uuid.uuid4().hex[:8]}@acme.example"
    contact = box.replace("acme.example", "home.test")
    made = operator.change("mailboxes.create", {"address": box, "contact": contact})
    operator.verified(made)
    mailed = stack.mailed_link(contact)
    (invite,) = operator.get(f"/invites?client=acme&mailbox={box}")["items"]
    link = operator.ask("POST", f"/invites/{invite['id']}/link", {"why": "owner asks on the phone"})["link"]
    assert "does not work" in Browser().open(mailed), "a newer link makes the older void"

    browser = Browser()
    browser.open(link)
    assert link.rpartition("/")[2] not in browser.url
    browser.fill(password="short")
    assert browser.status == 422 and "at least 15" in browser.page
    assert not stack.may_sign_in(box, "short")
    browser.fill(password=SECRET)
    assert browser.status == 200 and "recovery code" in browser.page
    until("the owner signs in", lambda: stack.may_sign_in(box, SECRET))
    again = Browser()
    again.open(link)
    assert again.status == 410


def test_a_domain_nobody_delegates_to_us_takes_no_mail(stack: Stack) -> None:
    operator = stack.person("operator@northlight.example")
    domain = f"nobody{uuid.uuid4().hex[:8]}.example"
    with (stack.state / "parent/not-delegated").open("a") as listed:
        listed.write(f"{domain}\n")
    operator.verified(operator.change("domains.add", {"client": "acme", "name": domain}))
    made = operator.change("mailboxes.create", {"address": f"a@{domain}"})
    operator.verified(made)
    assert operator.get(f"/domains/{domain}")["proof"] == "waiting"
    assert stack.rcpt(f"a@{domain}") == 554 or stack.rcpt(f"a@{domain}") == 550


def owner_sets(stack: Stack, link: str) -> None:
    browser = Browser()
    browser.open(link)
    browser.fill(password=SECRET)
    assert "recovery code" in browser.page, browser.page[:2000]


def idling(box: imaplib.IMAP4) -> imaplib.IMAP4:
    """An open IDLE, as a phone keeps it (RFC 2177)."""
    box.send(b"i1 IDLE\r\n")
    assert box.readline().startswith(b"+")
    return box


def ended(box: imaplib.IMAP4) -> bool:
    """Whether the server ends this session by itself, soon."""
    assert box.sock is not None
    box.sock.settimeout(20)
    try:
        return any(line == b"" or line.startswith(b"* BYE") for line in iter(box.readline, None))
    except TimeoutError:
        return False
