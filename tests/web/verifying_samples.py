"""A sample of a verified reset's page: one proof given, one wrong, a code on its way, channels graded and greyed."""

from __future__ import annotations

from postroom.web.parts.forms import Field, Form
from postroom.web.parts.shapes import Act, Badge, Code, Crumb, Fact, Item, Note, PageHead
from postroom.web.parts.verifying_pages import Timer, VerificationPage

STRONG, WEAKEST, NOT_COUNTED = Badge("fact", "strong"), Badge("fact", "weakest"), Badge("fact", "does not count", "ban")
NOT_HERE = Badge("fact", "not offered", "ban")
NUMBER, HOME = Code("+442079460123"), Code("dana@home.example")
VERIFICATION = VerificationPage(
    head=PageHead(
        "Is it the owner of dana@harbor.example?", "ticket T-7, started by Henry at 09:02",
        crumbs=(Crumb("Mailboxes", "/p/mailboxes"), Crumb("dana@harbor.example", "/p/mailbox")),
        badges=(Badge("waits", "1 of 2 proven", "hourglass"), Badge("fact", "VIP", "star")),
        acts=(Act("End…", "/x", "x", "asks"),),
    ),
    notes=(Note("Nothing was proven", "The code sent at 09:04:11 UTC was good for a minute.", "bad", alert=True),),
    timers=(Timer("For the proofs", "09:32:00 UTC", 1450), Timer("For the code", "09:05:11 UTC", 0)),
    sent="A code was sent at 09:04:11 UTC, and is good for 60 seconds from then. Mail may take longer than that to "
    "arrive. Then have another one sent; the one before is void, and each counts: 4 of 5 are left within the hour.",
    form=Form((Field("said", "What the caller reads out", hint="8 digits.", required=True, inputmode="numeric"),),
              "Is it right?", "/x", icon="check"),
    proven=(
        Item(("A call-back to the number on file", NUMBER), "09:03:20, said by Olive", "ok"),
        Item(("A code was read out", HOME), "09:04:40, typed by Henry", "bad", badge=Badge("bad", "wrong")),
    ),
    missing=(Item("One more proof, another way", "a code to a recovery address, read out by the caller",
                  icon="hourglass"),),
    channels=(
        Item(("A call-back to", NUMBER), "named 3 Jan · you place the call", icon="phone", badge=STRONG),
        Item(("A code to", HOME), "named 4 Jan · whoever reads that address has it", icon="mail", badge=WEAKEST,
             acts=(Act("Mail a code", "/x", "mail", of="dana@home.example", method="post"),)),
        Item(("A code to", Code("new@home.example")), "named 2 days ago · counts from 9 Jan 2026", "off", "mail",
             badge=NOT_COUNTED),
        Item("An authenticator of its owner", "owners of mailboxes have none here", "off", "fingerprint",
             badge=NOT_HERE),
    ),
    givers=(Item("Olive", "operator · has proven something in it already", "off", initials="O"),
            Item("Carl", "client admin · vouches", initials="C")),
    facts=(Fact("Client", "Harbor Legal LLP"), Fact("It takes", "two independent proofs", "urgent or not"),
           Fact("Wrong answers", "1 of 3 within the hour")),
)  # fmt: skip
