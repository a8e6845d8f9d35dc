"""Patterns of mail addresses, by which forwarding is allowed or forbidden, and the providers of private mailboxes.

A pattern is an address (joe@partner.example), a domain (partner.example), a domain with all below it
(*.partner.example, itself included), or PRIVATE for every provider in the list below.
"""

from collections.abc import Iterable

from .addresses import BadAddress, BadName, address, domain_name

PRIVATE = "private providers"
# Where people have mailboxes of their own; by the names under which each gives them out.
NAMES = """
gmail.com googlemail.com outlook.com hotmail.com hotmail.co.uk hotmail.de hotmail.fr hotmail.it hotmail.es
live.com live.co.uk live.de live.fr live.nl msn.com yahoo.com yahoo.co.uk yahoo.de yahoo.fr yahoo.it yahoo.es
yahoo.co.jp yahoo.co.in yahoo.com.br ymail.com rocketmail.com aol.com icloud.com me.com mac.com proton.me
protonmail.com protonmail.ch pm.me tutanota.com tutamail.com tuta.io gmx.de gmx.net gmx.at gmx.ch gmx.com
gmx.fr web.de t-online.de freenet.de posteo.de mailbox.org arcor.de mail.com mail.ru yandex.ru yandex.com
rambler.ru orange.fr wanadoo.fr free.fr laposte.net sfr.fr libero.it virgilio.it tiscali.it alice.it bluewin.ch
hispeed.ch aon.at chello.at ziggo.nl kpnmail.nl telenet.be skynet.be comcast.net verizon.net att.net
sbcglobal.net cox.net btinternet.com sky.com virginmedia.com talktalk.net rogers.com shaw.ca bigpond.com
optusnet.com.au qq.com 163.com 126.com sina.com naver.com hanmail.net daum.net uol.com.br bol.com.br
terra.com.br wp.pl o2.pl interia.pl onet.pl seznam.cz centrum.cz fastmail.com hey.com zoho.com duck.com
simplelogin.com
"""
PROVIDERS = frozenset(NAMES.split())


def pattern(text: str) -> str:
    """In its one form. Raises ValueError, saying what would be one."""
    said = text.strip().lower()
    if said == PRIVATE:
        return said
    try:
        if said.startswith("*."):
            return f"*.{domain_name(said[2:])}"
        return address(said) if "@" in said.lstrip("@") else domain_name(said.lstrip("@"))
    except (BadAddress, BadName) as error:
        raise ValueError(f"an address, a domain, *.domain or “{PRIVATE}”: {error}") from None


def matches(patterns: Iterable[str], target: str) -> str:
    """The first pattern that an address matches; empty for none."""
    domain = target.rpartition("@")[2]
    for one in patterns:
        below = one.removeprefix("*.")
        if one in (target, domain) or (one == PRIVATE and private(target)):
            return one
        if one != below and (domain == below or domain.endswith(f".{below}")):
            return one
    return ""


def names_server(patterns: Iterable[str], host: str) -> str:
    """The first pattern that a mail server matches; empty for none. A domain's servers are its own name and all below
    it, whether the pattern says so or not."""
    labels = host.split(".")
    above = {".".join(labels[n:]) for n in range(len(labels))}
    for one in patterns:
        if one.removeprefix("*.") in above or (one == PRIVATE and above & PROVIDERS):
            return one
    return ""


def private(target: str) -> bool:
    """Whether it is an address at a provider of private mailboxes."""
    return target.rpartition("@")[2] in PROVIDERS
