"""Sample pages of access reviews and rosters."""

from __future__ import annotations

from page_samples import filters

from postroom.web.parts.forms import Answers, Field, Pager
from postroom.web.parts.pages import AccessReviewsPage, RostersPage
from postroom.web.parts.shapes import Badge, BulkAct, Cell, Column, Crumb, Link, Note, PageHead, Row, Strong, Table

REVIEWS = AccessReviewsPage(
    head=PageHead("Access reviews", "every quarter an approver signs, line by line, who may do what at a client"),
    label="Access reviews",
    filters=filters("Access reviews", "Acme"),
    table=Table(
        "Access reviews",
        (Column("Client"), Column("Quarter"), Column("State", phone="right"), Column("Answered"), Column("Due")),
        (
            Row((Link("Harbor Legal LLP", "/p/review", True), "2026-Q4", Badge("bad", "late since 15 Oct 00:10"),
                 "3 of 9 answered", "15 Oct 00:10")),
            Row((Link("Harbor Legal LLP", "/p/review", True), "2026-Q3",
                 Badge("warn", "closed, not all answered"), "8 of 9 answered", "15 Jul 00:10")),
            Row((Link("Acme", "/p/review", True), "2026-Q4", Badge("good", "done"), "7 of 7 answered", "15 Oct 00:10")),
        ),
        dense=True,
    ),
    pager=Pager("3 shown, 2026-Q4 to 2026-Q3", "?after=x"),
)  # fmt: skip
REVIEW = AccessReviewsPage(
    head=PageHead(
        "Access review of Harbor Legal LLP, 2026-Q4",
        ("3 of 9 answered · opened 1 Oct 00:10 · due 15 Oct 00:10 ·", Link("Harbor Legal LLP", "/p/client")),
        crumbs=(Crumb("Access reviews", "/p/reviews"),), badges=(Badge("bad", "late since 15 Oct 00:10"),),
    ),
    notes=(Note("Say why: it stands beside each line, and in the record", "Nothing was changed.", "bad", alert=True),),
    label="Lines",
    filters=filters("Lines"),
    table=Table(
        "Lines",
        (Column("Right", phone="under"), Column("Where"), Column("Since"), Column("Given by"),
         Column("Last used then"), Column("Now"), Column("Signed")),
        (
            Row((Cell((Strong("client admin of Ana Hale"),), "contract"), "this client", Cell("3 Mar 2025", "no end"),
                 "Nora Light", Cell("30 Sep 09:12", "signed in"), "as it was", Badge("waits", "not signed")),
                value="1", name="client admin of Ana Hale"),
            Row((Cell((Strong("break-glass of Sealed login 1"), Badge("waits", "sealed login", "lock")), ""),
                 "Northlight", Cell("3 Mar 2025", "no end"), Badge("fact", "not said", "user-off"),
                 Badge("fact", "never here", "user-off"),
                 Badge("warn", "its person is suspended 4 Oct 10:00"),
                 Cell((Badge("fact", "to end", "ban"), Badge("bad", "and stands")), "not known · Ada, 4 Oct 10:01")),
                value="2", name="break-glass of Sealed login 1"),
            Row((Cell((Strong("approver of Ada Brandt"),), ""), "Northlight", Cell("3 Mar 2025", "no end"),
                 "Nora Light", Cell("30 Sep 09:12", "changed something here"),
                 Badge("fact", "ended 4 Oct 10:00", "ban"),
                 (Badge("waits", "not signed"), "yours: somebody else signs it")), name="approver of Ada Brandt"),
        ),
        bulk=Answers(
            "/p/review", "line",
            (BulkAct("Keep", "keep", "check"), BulkAct("Change asked", "change", "pencil"),
             BulkAct("End…", "end", "ban", "asks")),
            "rights", "each line is signed by itself, with your name and what you saw",
            Field("why", "Why", required=True, maxlength=1000, html_id="f-line-why"),
        ),
        dense=True, high=True,
    ),
    pager=Pager("3 shown, client admin of Ana Hale to approver of Ada Brandt"),
)  # fmt: skip
ROSTER = RostersPage(
    head=PageHead(
        "Roster of Harbor Legal LLP, 2026-Q4", "22 of 24 answered, 1 unknown · opened 1 Oct 00:10 · due 15 Oct 00:10",
        crumbs=(Crumb("Rosters", "/p/rosters"),), badges=(Badge("waits", "waits for answers"),),
    ),
    notes=(Note("The client’s own admins answer this", "What you enter here was told to you: say by whom.", "warn",
                "user-check"),),
    label="Lines",
    filters=filters("Lines"),
    table=Table(
        "Lines",
        (Column("Who"), Column("What", phone="under"), Column("Now"), Column("Answer", phone="right")),
        (
            Row((Cell(Link("m.hale@harbor.example", "/p/mailbox", True), "Mark Hale"), "person mailbox", "as it was",
                 Badge("waits", "no answer")), value="1", name="m.hale@harbor.example"),
            Row((Cell(Link("p.quinn@harbor.example", "/p/mailbox", True), "Paul Quinn"), "person mailbox",
                 Badge("warn", "suspended 4 Oct 10:00"),
                 Cell((Badge("warn", "left", "user-off"), ""), "retired · Ana Hale, as told to them, 4 Oct 09:58")),
                value="2", name="p.quinn@harbor.example"),
            Row((Cell(Link("scan@harbor.example", "/p/mailbox", True), ""), "shared mailbox",
                 Badge("fact", "removed 5 Oct 08:00", "ban"), Badge("fact", "needs no answer")),
                value="3", name="scan@harbor.example"),
            Row((Cell(Link("ana@harbor.example", "/p/person", True), "Ana Hale"), "sign-in to Postroom",
                 Badge("unknown", "not seen"), Cell((Badge("unknown", "unknown"), ""), "asked · Ana Hale, 4 Oct")),
                value="4", name="ana@harbor.example"),
        ),
        bulk=Answers(
            "/p/roster", "line",
            (BulkAct("Still here", "here", "check"), BulkAct("Left", "left", "user-off"),
             BulkAct("Unknown", "unknown", "question-mark")),
            "lines", "nothing is suspended by an answer; it can be corrected",
            Field("why", "Told by whom", required=True, maxlength=1000, html_id="f-line-why"),
        ),
        dense=True, high=True,
    ),
    pager=Pager("4 shown, m.hale@harbor.example to ana@harbor.example", "?after=x"),
)  # fmt: skip
