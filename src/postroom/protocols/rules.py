"""The rules a domain's DNS is judged by, in one table: id, level, source, what is the case and what follows.

The order here is the order of the findings and of docs/dns-rules.md. An id is noun.cause and never changes its meaning;
its level and its source stand here and nowhere else. `unknown` is a level of its own: a look-up that failed is never
good, and never "there is none".
"""

from itertools import groupby
from typing import Literal, NamedTuple

COMMAND = "PYTHONPATH=src .venv/bin/python -m postroom.protocols.rules > docs/dns-rules.md"
Level = Literal["good", "info", "warn", "bad", "unknown"]


class Rule(NamedTuple):
    """One cause. means: one sentence, what is the case and what follows."""

    id: str
    level: Level
    source: str
    means: str


_TABLE = """
mx.unknown | unknown | RFC 5321, 5.1 | A look-up failed, so it is not known where mail for the domain goes.
mx.good | good | RFC 5321, 5.1 | Mail is taken by hosts that exist and have addresses.
mx.none | bad | RFC 5321, 5.1 | Neither an MX nor an address: mail to the domain comes back.
mx.implicit | warn | RFC 5321, 5.1 | No MX: senders fall back to the address of the domain, which is often a web server.
mx.null | info | RFC 7505, 3 | The null MX: the domain takes no mail, and senders know it at once.
mx.null_and_others | bad | RFC 7505, 3 | A null MX beside other MX: some senders give up, others do not.
mx.null_preference | warn | RFC 7505, 3 | A null MX has preference 0; with another one some senders look the root up.
mx.literal | bad | RFC 1035, 3.3.9 | An MX names an IP address; it is read as a host name that does not exist.
mx.bad_name | bad | RFC 5321, 2.3.5 | An MX names what cannot be a host name; senders refuse it.
mx.cname | bad | RFC 2181, 10.3 | An MX names an alias; some senders refuse it, and certificates do not fit.
mx.nowhere | bad | RFC 5321, 5.1 | An MX names a host that does not exist.
mx.no_address | bad | RFC 5321, 5.1 | An MX names a host without an A or AAAA record.
mx.private | bad | RFC 6890, 2.2 | An MX leads to an address that is not on the internet.
mx.duplicate | warn | RFC 5321, 5.1 | One host stands in several MX; the second one adds nothing.
mx.same_address | info | RFC 5321, 5.1 | Several MX lead to the same addresses; if one is down, so are all.
ptr.unknown | unknown | RFC 1912, 2.1 | A look-up failed, so it is not known what an address of an MX is called.
ptr.none | warn | RFC 1912, 2.1 | An address of an MX has no name: receivers may refuse what it sends.
ptr.other | warn | RFC 1912, 2.1 | The name of an MX's address does not lead back: receivers may refuse what it sends.
ptr.good | good | RFC 1912, 2.1 | Each address of the MX has a name that leads back to it.
ns.unknown | unknown | RFC 1034, 4.2.2 | A look-up failed, so it is not known who answers for the zone.
ns.good | good | RFC 1034, 4.1 | At least two name servers that have addresses of their own.
ns.inherited | info | RFC 1034, 4.2 | The name is no zone of its own; the zone above it answers.
ns.single | bad | RFC 1034, 4.1 | One name server only: when it is down the domain is gone.
ns.bad_name | bad | RFC 1123, 2.1 | An NS names what cannot be a host.
ns.cname | bad | RFC 2181, 10.3 | An NS names an alias; resolvers may not follow it.
ns.unresolved | bad | RFC 1034, 4.2.2 | An NS names a host without an address.
ns.private | bad | RFC 6890, 2.2 | A name server's address is not on the internet.
ns.same_address | warn | RFC 2182, 3.1 | All name servers share one address: they fail together.
cname.unknown | unknown | RFC 1034, 3.6.2 | A look-up failed, so it is not known whether a name is an alias.
cname.good | good | RFC 1034, 3.6.2 | No alias where none may be, and each one leads to something.
cname.apex | bad | RFC 1912, 2.4 | The domain itself is an alias: its MX, TXT and NS cannot stand beside it.
cname.beside | bad | RFC 1034, 3.6.2 | A CNAME beside other data: what is read depends on who is asked.
cname.several | bad | RFC 2181, 10.1 | One name has several CNAMEs.
cname.dangling | bad | RFC 1034, 3.6.2 | An alias leads to a name that does not exist; whoever takes it gets all.
cname.empty | warn | RFC 1034, 3.6.2 | An alias leads to a name without an address.
cname.loop | bad | RFC 1034, 3.6.2 | Aliases lead back to themselves.
dnssec.unknown | unknown | RFC 4035, 4.3 | A look-up failed: whether it is signed is not known, or it is and fails.
dnssec.unproven | unknown | RFC 4035, 4.9.3 | The domain is signed, and whoever was asked does not validate.
dnssec.none | info | RFC 4033, 3.1 | The domain is not signed: answers may be forged on the way, and there is no DANE.
dnssec.good | good | RFC 4035, 5 | The domain is signed, and what was read of it was proven.
spf.unknown | unknown | RFC 7208, 4.4 | A look-up failed, so it is not known what the record lets in.
spf.none | bad | RFC 7208, 3 | No SPF record: nothing says who may send.
spf.several | bad | RFC 7208, 3.2 | Several SPF records: receivers answer permerror and use neither.
spf.syntax | bad | RFC 7208, 4.6 | A record that cannot be read: receivers answer permerror and use nothing.
spf.lookups | bad | RFC 7208, 4.6.4 | More than ten look-ups: receivers answer permerror and use nothing.
spf.lookups_near | warn | RFC 7208, 4.6.4 | One more include, and the record needs too many look-ups.
spf.voids | bad | RFC 7208, 4.6.4 | More than two look-ups find nothing: receivers answer permerror.
spf.voids_ipv6 | warn | RFC 7208, 4.6.4 | For senders over IPv6 more than two look-ups find nothing.
spf.finds_nothing | warn | RFC 7208, 4.6.4 | A term looks up what is not there; of such, receivers bear two.
spf.loop | bad | RFC 7208, 4.6.4 | An include leads back to itself: receivers stop.
spf.mx_many | bad | RFC 7208, 4.6.4 | An mx term has more than ten hosts: receivers answer permerror.
spf.include_none | bad | RFC 7208, 5.2 | An include or redirect leads to a name without a record: permerror.
spf.no_name | bad | RFC 7208, 5.2 | An include or redirect names nothing that can be asked for.
spf.open | info | RFC 7208, 5.2 | Where an include leads depends on who sends; what it costs there is open.
spf.plus_all | bad | RFC 7208, 5.1 | The record ends in +all: everybody may send.
spf.include_all | bad | RFC 7208, 5.1 | An include ends in +all: everybody matches it.
spf.exists | bad | RFC 7208, 5.7 | An exists term matches whoever sends.
spf.exists_others | warn | RFC 7208, 5.7 | An exists term matches whoever sends, and ends the record for all.
spf.neutral | warn | RFC 7208, 5.1 | The record ends in ?all: it says nothing about others.
spf.no_all | warn | RFC 7208, 4.7 | The record ends without all: it says nothing about others.
spf.after_all | warn | RFC 7208, 5.1 | What follows all is never tested.
spf.redirect_unused | warn | RFC 7208, 6.1 | A redirect beside all is never followed.
spf.ptr | warn | RFC 7208, 5.5 | ptr is slow and not reliable, and not to be used.
spf.macro_p | warn | RFC 7208, 7.2 | A term rests on the macro p, which is slow and not reliable.
spf.obsolete_type | warn | RFC 7208, 3.1 | A record of the type SPF, which nobody reads any more.
spf.large | info | RFC 7208, 3.4 | The answer is large; some receivers have to ask again over TCP.
spf.softfail | info | RFC 7208, 8.5 | The record ends in ~all: others are marked, and not refused.
spf.good | good | RFC 7208, 4.7 | One record that receivers can use, which refuses others.
dkim.unknown | unknown | RFC 6376, 3.6.2 | A look-up failed, so it is not known what the selector publishes.
dkim.unlisted | unknown | RFC 6376, 3.6.2 | No selector of the domain is known, so no key was looked at.
dkim.good | good | RFC 6376, 3.6.1 | A key that verifiers read.
dkim.delegated | info | RFC 6376, 3.6.2 | The key stands behind a CNAME.
dkim.dangling | bad | RFC 6376, 3.6.2 | The selector is an alias that leads to nothing: signatures fail.
dkim.missing | bad | RFC 6376, 6.1.2 | The selector publishes no key: signatures fail.
dkim.several | bad | RFC 6376, 3.6.2.2 | A selector with several records: which one is used is undefined.
dkim.bad_version | bad | RFC 6376, 3.6.1 | v= is not DKIM1 or does not stand first: verifiers discard the record.
dkim.bad_key_type | bad | RFC 8463, 4 | k= names a key type no verifier knows.
dkim.bad_hash | bad | RFC 8301, 3.1 | h= leaves out sha256, the only hash in use.
dkim.bad_service | bad | RFC 6376, 3.6.1 | s= does not name email, so the key is not for mail.
dkim.bad_key | bad | RFC 6376, 3.6.1 | p= is not base64 of a key: signatures fail.
dkim.broken | bad | RFC 6376, 3.2 | Not a key record: signatures fail.
dkim.revoked | info | RFC 6376, 3.6.1 | p= is empty: the key is revoked.
dkim.revoked_in_use | bad | RFC 6376, 3.6.1 | The key is revoked, and we sign with it.
dkim.weak | bad | RFC 8301, 3.2 | An RSA key under 1024 bits: verifiers take it for no signature.
dkim.short | warn | RFC 8301, 3.2 | An RSA key under 2048 bits.
dkim.long | warn | RFC 8301, 3.2 | An RSA key over 4096 bits: verifiers need not know such keys.
dkim.testing | warn | RFC 6376, 3.6.1 | t=y: verifiers may treat mail as if it were not signed.
dkim.strict | info | RFC 6376, 3.6.1 | t=s: the identity that signs is the domain itself, no name under it.
dkim.other_key | bad | RFC 6376, 3.6.1 | The published key is not the one we sign with: our signatures fail.
dkim.ed25519_alone | warn | RFC 8463, 5 | Only Ed25519 keys: verifiers that know RSA only see no signature.
dmarc.unknown | unknown | RFC 9989, 4.10 | A look-up failed, so it is not known which policy applies.
dmarc.none | bad | RFC 9989, 4.10.1 | No policy applies: anybody may write From: this domain.
dmarc.several | bad | RFC 9989, 4.10 | Several DMARC records: receivers discard them all.
dmarc.broken | bad | RFC 9989, 4.7 | Not a tag list: receivers discard the record.
dmarc.bad_policy | bad | RFC 9989, 4.10.1 | p, sp or np is not a policy: the record reads as p=none.
dmarc.p_missing | warn | RFC 9989, 4.7 | p= is missing: it reads as none, and older receivers discard the record.
dmarc.p_none | warn | RFC 9989, 4.7 | The policy is none: receivers report, and stop nothing.
dmarc.quarantine | info | RFC 9989, 4.7 | The policy is quarantine.
dmarc.reject | good | RFC 9989, 4.7 | The policy is reject.
dmarc.testing | warn | RFC 9989, 4.7 | t=y: the policy is one step weaker than it says.
dmarc.sp_weaker | warn | RFC 9989, 4.7 | sp= is weaker than p=: names under the domain are open.
dmarc.np_weaker | warn | RFC 9989, 4.7 | np= is weaker: names that do not exist are open.
dmarc.inherited | info | RFC 9989, 4.10.1 | The policy is that of a name above.
dmarc.delegated | info | RFC 9989, 4.5 | The record stands behind a CNAME.
dmarc.psd | warn | RFC 9989, 4.7 | psd=y: a public suffix, so names under the domain do not align with it.
dmarc.obsolete | warn | RFC 9989, 4.7 | pct, rf and ri no longer count.
dmarc.syntax | warn | RFC 9989, 4.7 | A part is no tag: it is skipped, and older receivers discard the record.
dmarc.bad_value | warn | RFC 9989, 4.7 | A tag has a value that is not one of its values: its default counts.
dmarc.unknown_tag | info | RFC 9989, 4.7 | A tag that is not known is skipped.
dmarc.p_late | info | RFC 7489, 6.3 | p= does not follow v=, as older receivers want it.
dmarc.misplaced | warn | RFC 9989, 4.5 | A DMARC record at the domain itself, where nobody looks.
dmarc.stray | warn | RFC 9989, 4.10 | A text at _dmarc that receivers do not take for DMARC.
dmarc.no_rua | warn | RFC 9989, 4.7 | No rua=: nobody gets the reports.
dmarc.bad_uri | warn | RFC 9989, 4.7 | A report address is no URI: reports do not go there.
dmarc.uri_size | warn | RFC 9989, 4.7 | A size limit after ! no longer counts.
dmarc.uri_scheme | info | RFC 9989, 4.7 | A report address that is not mailto: receivers need not know it.
dmarc.report_unknown | unknown | RFC 9990, 4 | A look-up failed, so it is not known whether reports are taken.
dmarc.report_unauthorised | warn | RFC 9990, 4 | The domain of a report address has not agreed: reports do not go there.
dmarc.report_dead | bad | RFC 9990, 4 | The domain of a report address takes no mail: reports are lost.
mta_sts.unknown | unknown | RFC 8461, 3.1 | A look-up failed, so it is not known whether there is a policy.
mta_sts.none | warn | RFC 8461, 3.1 | No record: senders may hand mail over without TLS.
mta_sts.several | bad | RFC 8461, 3.1 | Several records: senders act as if there were none.
mta_sts.broken | bad | RFC 8461, 3.1 | The record does not follow the grammar: senders act as if there were none.
mta_sts.no_record | warn | RFC 8461, 3.1 | A policy file is served, and no record announces it.
mta_sts.no_host | bad | RFC 8461, 3.3 | The host of the policy file has no address.
mta_sts.unread | unknown | RFC 8461, 3.3 | The policy file was not read.
mta_sts.untrusted | bad | RFC 8461, 3.3 | The policy host's certificate is not valid: senders ignore the policy.
mta_sts.no_policy | bad | RFC 8461, 3.3 | The policy file is not served: senders ignore the record.
mta_sts.media_type | warn | RFC 8461, 3.2 | The policy file is not text/plain; some senders refuse it.
mta_sts.bad_policy | bad | RFC 8461, 3.2 | The policy file does not follow the grammar: senders ignore it.
mta_sts.big | bad | RFC 8461, 3.3 | The policy file is larger than 64 KB: senders may refuse it.
mta_sts.duplicate_key | warn | RFC 8461, 3.2 | A key stands twice; all but the first are ignored.
mta_sts.mode_none | warn | RFC 8461, 5 | Mode none: the policy is taken back.
mta_sts.testing | warn | RFC 8461, 5 | Mode testing: failures are reported, and mail goes out without TLS.
mta_sts.short_age | warn | RFC 8461, 3.2 | max_age is under a day; weeks are wanted.
mta_sts.mx_uncovered | bad | RFC 8461, 4.1 | An MX is not in the policy: senders do not deliver to it.
mta_sts.mx_unused | info | RFC 8461, 4.1 | The policy names a host that is no MX.
mta_sts.good | good | RFC 8461, 5 | Mode enforce, and every MX is in the policy.
tls_rpt.unknown | unknown | RFC 8460, 3 | A look-up failed, so it is not known whether reports are asked for.
tls_rpt.none | warn | RFC 8460, 3 | No record: nobody hears when TLS to the domain fails.
tls_rpt.several | bad | RFC 8460, 3 | Several records: senders act as if there were none.
tls_rpt.broken | bad | RFC 8460, 3 | Not a TLS-RPT record with a rua=: no reports are sent.
tls_rpt.bad_uri | bad | RFC 8460, 3 | A report address is neither mailto: nor https:, so no report goes there.
tls_rpt.good | good | RFC 8460, 3 | Reports are asked for.
dane.unknown | unknown | RFC 7672, 2.2 | A look-up failed, so it is not known whether senders check the certificate.
dane.none | info | RFC 7672, 2.2 | No TLSA record at any MX.
dane.partial | warn | RFC 7672, 2.2 | Some MX have TLSA records and some have none.
dane.mx_insecure | warn | RFC 7672, 2.2.1 | The MX records are not signed, so nobody asks for TLSA records.
dane.insecure | warn | RFC 7672, 2.2 | TLSA records that are not signed are ignored.
dane.usage | warn | RFC 7672, 3.1.3 | Usages 0 and 1 do not count for mail.
dane.malformed | bad | RFC 6698, 2.1 | A TLSA record whose fields or length cannot be; senders skip it.
dane.unusable | bad | RFC 7672, 2.2 | No TLSA record of a host counts: senders insist on TLS and check nothing.
dane.mismatch | bad | RFC 7672, 3.1 | No TLSA record fits the certificate: senders that check do not deliver.
dane.unchecked | info | RFC 7672, 3.1 | The TLSA records were not compared with a certificate.
dane.good | good | RFC 7672, 3.1 | The TLSA records fit the certificate.
caa.unknown | unknown | RFC 8659, 3 | A look-up failed, so it is not known who may issue certificates.
caa.none | info | RFC 8659, 3 | No CAA: every authority may issue certificates.
caa.critical | bad | RFC 8659, 4.1 | A critical property that is not known: no authority issues.
caa.flags | warn | RFC 8659, 4.1 | Flags other than 0 and 128 mean nothing.
caa.bad_value | bad | RFC 8659, 4.2 | An issuer that does not follow the grammar permits nobody.
caa.unknown_property | info | RFC 8659, 4.1 | A property that is not known is skipped.
caa.closed | info | RFC 8659, 4.2 | No authority may issue certificates.
caa.shuts_ours_out | bad | RFC 8659, 4.2 | The authority our certificates come from may not issue.
caa.open | info | RFC 8659, 4.2 | CAA records that restrict nobody who issues certificates for hosts.
caa.good | good | RFC 8659, 4.2 | Named authorities may issue certificates.
bimi.unknown | unknown | BIMI draft, 4.2 | A look-up failed, so it is not known whether a logo is published.
bimi.none | info | BIMI draft, 4.2 | No logo is published.
bimi.several | bad | BIMI draft, 7.2 | Several BIMI records: receivers show nothing.
bimi.broken | bad | BIMI draft, 4.2 | Not a BIMI record with an l=: receivers show nothing.
bimi.declined | info | BIMI draft, 4.2.1 | Empty l= and a=: the domain declines to publish a logo.
bimi.not_https | bad | BIMI draft, 4.2 | The logo or its evidence is not under https: receivers do not fetch it.
bimi.not_svg | warn | BIMI draft, 4.2 | The logo's name does not end in .svg.
bimi.no_evidence | info | BIMI draft, 4.2 | No certificate for the logo; the large receivers want one.
bimi.dmarc_weak | bad | BIMI draft, 7.1 | DMARC does not enforce, so receivers show no logo.
bimi.good | good | BIMI draft, 4.2 | A logo is published, and DMARC enforces.
parked.unknown | unknown | M3AAWG, parked domains | A look-up failed, so it is not known whether the domain is locked.
parked.takes_mail | bad | RFC 7505, 3 | A parked domain without the null MX: mail to it waits for days.
parked.spf_open | bad | RFC 7208, 10.1.2 | A parked domain without v=spf1 -all: nothing says that it sends no mail.
parked.dmarc_open | bad | M3AAWG, parked domains | A parked domain whose DMARC policy is not reject everywhere.
parked.dkim_open | warn | RFC 6376, 3.6.1 | A parked domain without the empty key for all selectors.
parked.good | good | M3AAWG, parked domains | The domain takes no mail and sends none, and says so.
"""


def _rule(line: str) -> Rule:
    id, level, source, means = (part.strip() for part in line.split("|"))
    return Rule(id, level, source, means)  # type: ignore[arg-type]  # the table's test names the levels


RULES: dict[str, Rule] = {rule.id: rule for rule in map(_rule, _TABLE.strip().splitlines())}

_HEAD = f"""# What a domain's DNS is judged by

Made of `protocols/rules.py` by `{COMMAND}`; a test
compares. `postroom.protocols.judges` finds them, one file a noun; each result brings its sentence, the values it rests
on and, where there is one, the record to publish.

**good** and **info** ask for nothing; **warn** is weaker than it should be; **bad** is broken or open; **unknown** says
that a look-up failed: never good, and never "there is none".
"""


def page() -> str:
    """The table as docs/dns-rules.md has it."""
    lines = [_HEAD]
    for noun, rules in groupby(RULES.values(), key=lambda rule: rule.id.partition(".")[0]):
        lines += [f"## {noun}", "", "| Rule | Level | Means | Source |", "| --- | --- | --- | --- |"]
        lines += [f"| `{rule.id}` | {rule.level} | {rule.means} | {rule.source} |" for rule in rules]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    print(page(), end="")
