"""TLS-RPT of one domain (RFC 8460, 3): who hears when TLS to the domain fails."""

from functools import lru_cache

from postroom.protocols.answers import Answers
from postroom.protocols.judged import Judged, at, judged, record
from postroom.protocols.judges.mx import takes_none
from postroom.protocols.rrset import RRset
from postroom.protocols.tags import BadTags, parse_tags

_SCHEMES = ("mailto:", "https:")


def judge(domain: str, answers: Answers, *, reports: str = "") -> tuple[Judged, ...]:
    """One result, or one for each bad address; none where the domain takes no mail and says nothing. reports: the
    address to offer. Raises Missing."""
    name = f"_smtp._tls.{domain}"
    held, mx = answers.all([(name, "TXT"), (domain, "MX")])
    if held.failed:
        return (judged("tls_rpt.unknown", f"TLS reports about {at(domain)} are not known: {held.failed}.", name),)
    texts = tuple(text for text in held.values if text.startswith("v=TLSRPTv1"))
    if not texts and takes_none(mx):
        return ()
    if not texts and mx.failed:
        return (judged("tls_rpt.unknown", f"Whether {at(domain)} takes mail is not known: {mx.failed}.", name),)
    if not texts:
        says = f"Nobody hears when TLS to {at(domain)} fails."
        return (judged("tls_rpt.none", says, name, held.values, chain=held.chain, publish=_offer(name, reports)),)
    if len(texts) > 1:
        says = f"{at(name)} has {len(texts)} records; senders act as if there were none."
        return (judged("tls_rpt.several", says, name, texts, chain=held.chain, publish=_offer(name, reports)),)
    uris = addresses(texts[0])
    if not uris:
        says = f"{at(name)} has no rua= that senders can read, so no reports are sent."
        return (judged("tls_rpt.broken", says, name, texts, chain=held.chain, publish=_offer(name, reports)),)
    bad = [uri for uri in uris if not _reads(uri)]
    says = f"Reports about TLS to {at(domain)} go to {', '.join(uris)[:120]}."
    good = judged("tls_rpt.good", says, name, texts, parsed=(("rua", " ".join(uris)),), chain=held.chain)
    return tuple(_bad(name, texts, uri) for uri in bad) or (good,)


def _offer(name: str, reports: str) -> RRset | None:
    return record(name, "TXT", f"v=TLSRPTv1; rua=mailto:{reports}") if reports else None


@lru_cache(maxsize=4096)
def addresses(text: str) -> tuple[str, ...]:
    """The report addresses of a record; none where it is no record."""
    try:
        tags = parse_tags(text)
    except BadTags:
        return ()
    if tags.get("v") != "TLSRPTv1":
        return ()
    return tuple(uri.strip() for uri in tags.get("rua", "").split(",") if uri.strip())


def _reads(uri: str) -> bool:
    scheme = uri[: uri.find(":") + 1].lower()
    return scheme in _SCHEMES and (scheme != "mailto:" or 0 < uri.find("@") < len(uri) - 1)


def _bad(name: str, texts: tuple[str, ...], uri: str) -> Judged:
    says = f"“{uri[:60]}” is neither mailto: nor https:, so no report goes there."
    return judged("tls_rpt.bad_uri", says, name, texts)
