"""What a record set does for mail, and what is lost when it changes.

The DNS role guard asks here. It looks at one record set before and after; whether the loss is accepted
is for a policy to say.
"""

import re
from collections.abc import Iterable

from postroom.protocols import dmarc, spf
from postroom.protocols.rrset import NULL_MX, RRset
from postroom.protocols.tags import BadTags, parse_tags
from postroom.protocols.txt import txt_text


def role_of(name: str, type: str, values: Iterable[str]) -> set[str]:
    """Which of mx, spf, dkim, dmarc, ns a record set plays. A CNAME at such a name plays it by proxy."""
    labels = name.lower().rstrip(".").split(".")
    texts = _texts(type, values)
    roles = {"MX": {"mx"}, "NS": {"ns"}}.get(type, set())
    if type in {"TXT", "CNAME", "NS"} and "_domainkey" in labels:
        roles = roles | {"dkim"}
    if type in {"TXT", "CNAME"} and labels[0] == "_dmarc":
        roles = roles | {"dmarc"}
    return roles | ({"spf"} if any(map(spf.is_spf, texts)) else set())


def losses(before: RRset | None, after: RRset | None) -> list[str]:
    """What goes or gets weaker, in plain words; nothing for a set that is new or only gains."""
    if before is None or before == after:
        return []
    roles = role_of(before.name, before.type, before.values)
    return [
        f"{before.name} {words}" for role, judge in _JUDGES.items() if role in roles for words in judge(before, after)
    ]


def _mx(before: RRset, after: RRset | None) -> Iterable[str]:
    if before.values != (NULL_MX,) and (after is None or NULL_MX in after.values):
        yield "loses its MX"


def _ns(before: RRset, after: RRset | None) -> Iterable[str]:
    if after is None or before.values != after.values:
        yield "NS changes"


def _spf(before: RRset, after: RRset | None) -> Iterable[str]:
    new = [text for text in _values(after) if spf.is_spf(text)]
    if not new:
        yield "the SPF record goes"
    elif len(new) > 1 and spf.spf_in_use(_values(before)):
        yield "would have two SPF records, and receivers use neither"
    elif _open(new) and not _open(_values(before)):
        yield "SPF would let everybody send"


def _dkim(before: RRset, after: RRset | None) -> Iterable[str]:
    if before.type != "TXT":
        if after is None or before.values != after.values:
            yield "a delegated DKIM key goes"
    elif _keys(before) - _keys(after):
        yield "a DKIM key in use goes"


def _dmarc(before: RRset, after: RRset | None) -> Iterable[str]:
    old, new = _policy(before), _policy(after)
    if before.type == "CNAME" and (after is None or before.values != after.values):
        yield "the delegated DMARC record goes"
    if old is None:
        return
    if new is None:
        yield f"the DMARC record goes (policy {_said(old, old.p)})"
        return
    pairs = [("DMARC", old.p, new.p)]
    pairs.append(("DMARC for subdomains", old.subdomains, new.subdomains))
    pairs.append(("DMARC for names that do not exist", old.nowhere, new.nowhere))
    told = set()
    for what, was, becomes in pairs:
        if new.strength(becomes) < old.strength(was) and (was, becomes) not in told:
            told.add((was, becomes))
            yield f"{what} weakens from {_said(old, was)} to {_said(new, becomes)}"
    for tag in ("adkim", "aspf"):
        if (getattr(old, tag), getattr(new, tag)) == ("s", "r"):
            yield f"DMARC alignment loosens ({tag} from strict to relaxed)"


_JUDGES = {"mx": _mx, "spf": _spf, "dkim": _dkim, "dmarc": _dmarc, "ns": _ns}


def _values(rrset: RRset | None) -> list[str]:
    return _texts(rrset.type, rrset.values) if rrset else []


def _texts(type: str, values: Iterable[str]) -> list[str]:
    return [_text(value) for value in values] if type == "TXT" else []


def _text(value: str) -> str:
    try:
        return txt_text(value)
    except ValueError:
        return value


def _open(texts: Iterable[str]) -> bool:
    in_use = spf.spf_in_use(texts)
    try:
        return in_use is not None and spf.parse(in_use).all == "+"
    except spf.BadSpf:
        return False


def _keys(rrset: RRset | None) -> set[str]:
    """Whatever stands in p=: a key we cannot read may still be one that a verifier uses."""
    found = set()
    for text in _values(rrset):
        try:
            found.add(re.sub(r"\s", "", parse_tags(text).get("p", "")))
        except BadTags:
            continue
    return found - {""}


def _policy(rrset: RRset | None) -> dmarc.Dmarc | None:
    in_use = dmarc.dmarc_in_use(_values(rrset))
    try:
        return dmarc.parse(in_use) if in_use else None
    except dmarc.BadDmarc:
        return None


def _said(record: dmarc.Dmarc, policy: str) -> str:
    return f"{policy} (testing)" if record.t and policy != "none" else policy
