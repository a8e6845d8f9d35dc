"""Sample pages of the record: invented, as in `page_samples`."""

from __future__ import annotations

from change_samples import HASH, OBJECTS
from page_samples import filters

from postroom.web.parts.audit_pages import Copied, EntriesPage, EntryPage
from postroom.web.parts.forms import Field, Form, Option, Pager
from postroom.web.parts.shapes import Badge, Cell, Code, Column, Crumb, Fact, Link, Note, PageHead, Row, Table

COLUMNS = (
    Column("Entry"), Column("Who", phone="under"), Column("Client", phone="gone"), Column("When"),
    Column("Proof", phone="right"),
)  # fmt: skip
PROOFS = {
    "no place": Badge("waits", "not in the log yet", "hourglass"),
    "not signed": Badge("waits", "in the log, not signed yet", "clock-pause"),
    "signed": Badge("good", "signed"),
    "unknown": Badge("unknown", "not known"),
    "wrong": Badge("bad", "not what was signed"),
    "altered": Badge("bad", "its lines do not fit its leaf"),
}
WORDS = ("Suspend mailbox m.hale@harbor.example", "Looked at mailbox m.hale@harbor.example", "A sign-in failed",
         "The record was exported", "Signed in, by password and totp", "Change client Harbor Legal LLP")  # fmt: skip
ROWS = tuple(
    Row((Cell((Link(words, "/p/entry", strong=True), ""), "laptop lost · MSP-4830"),
         Badge("unknown", "nobody known") if "failed" in words else "Olive Osei", Link("Harbor Legal LLP", "/p/client"),
         "09:12", badge), name=words)
    for words, badge in zip(WORDS, PROOFS.values(), strict=True)
)  # fmt: skip
KEY = "northlight.example/log+9f2c41d0+AVr5bvkEYEJ6JvZJk0o8kVhM1bU0mYJbM6l1o9mWj1xE"
AUDIT = EntriesPage(
    head=PageHead("Audit log", "everything that happened, and what proves it"),
    notes=(
        Note("The signer signs nothing any more", "leaves 0 to 63 of the log are not those that were signed", "bad",
             "alert-octagon", alert=True),
        Note("The checkpoint fits", "The same log: its 4,711 entries are the first of today’s 4,830.", icon="check"),
    ),
    label="Entries", filters=filters("Entries", "Harbor Legal LLP"), table=Table("Entries", COLUMNS, ROWS, dense=True),
    pager=Pager("5 shown, 09:12 to 08:55", "?after=4811", "Older"),
    signed=(Fact("The log", Badge("bad", "not to be trusted"), "the first 4,711 entries of the log, 09:12 UTC"),
            Fact("Signer’s key", Code(KEY), "write it down elsewhere")),
    compare=Form((Field("checkpoint", "A checkpoint that you kept", "textarea", "northlight.example/log\n4711\n",
                        hint="The whole text."),), "Compare", "/audit/compare/", icon="git-compare"),
    export=Form((Field("client", "Client", "select", options=(Option("harbor", "Harbor Legal LLP"),)),
                 Field("why", "Why", hint="Stands in the record.", required=True)),
                "Export", "/audit/export/", icon="download"),
)  # fmt: skip
ENTRY = EntryPage(
    head=PageHead("Suspend mailbox m.hale@harbor.example", "Olive Osei", crumbs=(Crumb("Audit log", "/p/audit"),),
                  badges=(PROOFS["signed"],)),
    objects=OBJECTS, objects_sub="3 objects",
    facts=(Fact("Who", "Olive Osei", Code("o.osei@northlight.example")), Fact("Why", "laptop lost"),
           Fact("Moved to", Badge("good", "verified"), "held before")),
    told=(Fact("Source", "192.0.2.7"),),
    place=(Fact("In the log", "4,711", "counted from 0"), Fact("Proof", PROOFS["signed"], "the first 4,830 entries")),
    copies=(Copied("leaf", "Leaf hash, hex", HASH), Copied("proof", "Inclusion proof, hex", "\n".join([HASH] * 12)),
            Copied("note", "Checkpoint", f"northlight.example/log\n4830\n{HASH}\n")),
    how=(("On the machine itself", Code("postroom audit verify"), "does the same with the whole log."), "By hand."),
)  # fmt: skip
