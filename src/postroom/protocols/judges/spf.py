"""How many SPF records a name has (RFC 7208, 3.2). What they let in is evaluated elsewhere."""

from postroom.protocols.answers import Answers
from postroom.protocols.judged import Judged, at, judged
from postroom.protocols.spf import is_spf


def judge(domain: str, answers: Answers) -> tuple[Judged, ...]:
    """A result where there are several; a look-up that failed is the evaluation's to say. Raises Missing."""
    texts = tuple(text for text in answers.get(domain, "TXT").values if is_spf(text))
    if len(texts) < 2:
        return ()
    says = f"{at(domain)} has {len(texts)} SPF records; receivers answer permerror and use neither."
    return (judged("spf.several", says, domain, texts),)
