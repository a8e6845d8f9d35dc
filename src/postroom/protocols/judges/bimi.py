"""BIMI of one domain (draft-brand-indicators-for-message-identification, 4.2 and 7): a logo, and what it needs."""

from collections.abc import Iterator
from functools import lru_cache

from postroom.protocols.answers import Answers
from postroom.protocols.dmarc_walk import policy
from postroom.protocols.judged import Judged, at, in_order, judged
from postroom.protocols.tags import BadTags, parse_tags


def judge(domain: str, answers: Answers) -> tuple[Judged, ...]:
    """Results for the default selector. Raises Missing."""
    name = f"default._bimi.{domain}"
    held = answers.get(name, "TXT")
    if held.failed:
        return (judged("bimi.unknown", f"Whether {at(domain)} has a logo is not known: {held.failed}.", name),)
    texts = tuple(text for text in held.values if text.lower().startswith("v=bimi1"))
    if not texts:
        return (judged("bimi.none", f"{at(domain)} publishes no logo.", name, held.values),)
    if len(texts) > 1:
        return (judged("bimi.several", f"{at(name)} has {len(texts)} records; receivers show nothing.", name, texts),)
    tags = dict(_tags(texts[0]))
    if tags.get("v") != "BIMI1" or "l" not in tags:
        says = f"{at(name)} is no BIMI record with an l=; receivers show nothing."
        return (judged("bimi.broken", says, name, texts, chain=held.chain),)
    if not tags["l"] and not tags.get("a"):
        return (judged("bimi.declined", f"{at(domain)} declines to publish a logo.", name, texts),)
    return in_order(_logo(domain, name, texts, tags, answers))


@lru_cache(maxsize=1024)
def _tags(text: str) -> tuple[tuple[str, str], ...]:
    try:
        return tuple(parse_tags(text).items())
    except BadTags:
        return ()


def _logo(domain: str, name: str, texts: tuple[str, ...], tags: dict[str, str], answers: Answers) -> Iterator[Judged]:
    places = [tags[tag] for tag in ("l", "a") if tags.get(tag)]
    open_ones = [place for place in places if not place.lower().startswith("https://")]
    if open_ones:
        yield judged("bimi.not_https", f"“{open_ones[0][:60]}” is not https: receivers do not fetch it.", name, texts)
    elif tags["l"] and not tags["l"].partition("?")[0].lower().endswith((".svg", ".svgz")):
        yield judged("bimi.not_svg", f"The logo “{tags['l'][:60]}” does not end in .svg.", name, texts)
    if not tags.get("a"):
        says = f"{at(domain)} has no certificate for its logo (a=); the large receivers want one."
        yield judged("bimi.no_evidence", says, name, texts)
    found = policy(domain, answers)
    record = found.step.record if found.step else None
    if found.failed:
        yield judged(
            "bimi.unknown", f"Whether DMARC of {at(domain)} enforces is not known: {found.failed}.", name, texts
        )
    elif record is None or "none" in (found.applies, record.subdomains):
        says = f"DMARC of {at(domain)} does not enforce, so receivers show no logo."
        yield judged("bimi.dmarc_weak", says, name, texts)
    elif not open_ones:
        yield judged("bimi.good", f"{at(domain)} publishes a logo.", name, texts, parsed=tuple(tags.items()))
