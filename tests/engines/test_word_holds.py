"""How old a node's word may be, against how often it gives it."""

from postroom.engines import left, sieve_scripts
from postroom.models.nodes import WORD_HOLDS


def test_a_node_tells_of_its_scripts_well_within_the_time_its_word_holds() -> None:
    """What was told was true when its look began: a look, the rest after it, and the next look, each as long as they
    may be."""
    look = sieve_scripts.TURN
    oldest = max(sieve_scripts.LATEST, 2 * look) + look
    assert oldest <= 0.6 * WORD_HOLDS.total_seconds()
    assert max(sieve_scripts.EVERY, left.EVERY) < 0.1 * WORD_HOLDS.total_seconds()
