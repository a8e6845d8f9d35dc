"""Rows by which a node passes mail on, and mail from far away that comes to it."""

from live_node import LiveNode, letter

FAR = "far@out.example"


def routes(node: LiveNode, source: str, *destinations: str, until: int | None = None) -> None:
    rows = [{"source": source, "destination": one, "until": until} for one in destinations]
    node.put("address", source, {"maps": {"route": rows}})


def answer(node: LiveNode, to: str, sender: str = FAR) -> int:
    """What the node says to RCPT."""
    with node.smtp() as line:
        line.ehlo()
        line.mail(sender)
        return line.rcpt(to)[0]


def arrives(node: LiveNode, to: str, subject: str, sender: str = FAR) -> None:
    with node.smtp() as line:
        assert line.sendmail(sender, [to], letter(FAR, subject, to)) == {}
