"""A frozen client, or a frozen organization, changes in nothing but what only closes access."""

from postroom.changes.freeze import freeze_over, in_words
from postroom.changes.policy import Move, Proposed, Verdict, mark, refuse

QUIET = ("invites", "secrets")  # a link or a secret that goes along with what closes opens nothing by itself
TOLD = frozenset(
    {"checkpoint", "roster", "factor added", "factor removed", "codes made", "mail leaves"}
)  # open nothing
ASKED = frozenset({"rounds", "round_lines", "doubts"})
TELLS_OF = {
    "channel ended",
    "delegation ended",
    "delegation declined",
    "redirect stopped",
    "exception ended",
}  # letters that go along with what closes
SIGNED_INTO = {"mailboxes", "credentials", "people"}  # whose epoch ends what was opened by it
SIGNING_IN = {"api_sessions", "secrets"}  # who may end a freeze has to be able to sign in for it


def frozen(proposed: Proposed) -> Verdict | None:
    """Refuse what opens or alters during a freeze; let through, marked, what only closes or ends the freeze."""
    freeze = freeze_over(proposed.plan.client)
    if freeze is None:
        return None
    moves = list(proposed.moves())
    if "api_sessions" in proposed.plan.by_table.keys() <= SIGNING_IN or _warns(moves) or _tells(moves) or _asks(moves):
        return None
    if moves and all(move.edit.table == "redeliveries" for move in moves):
        return None  # a node writes once more what was agreed: a freeze is no reason to leave a foreign hand's work
    acts = [move for move in moves if not _tells_of(move)]
    if acts and all(_only_closes(move) or _ends_sessions(move) or _ends_freeze(move) for move in acts):
        return mark(frozen, f"during freeze: {in_words(freeze)}")
    return refuse(frozen, f"frozen: {in_words(freeze)}")


def _warns(moves: list[Move]) -> bool:
    """A notice and its link: they open nothing, and a change that waits goes on by the clock, frozen or not."""
    notices = {move.edit.id: move.then or {} for move in moves if move.edit.table == "invites"}
    links = [move.then or move.now or {} for move in moves if move.edit.table == "secrets"]
    if not notices or len(notices) + len(links) < len(moves):
        return False
    good = all(row.get("stops_id") and not row["used_at"] and not row["ended_at"] for row in notices.values())
    return good and all(str(link["owner_row"]) in notices for link in links)


def _tells(moves: list[Move]) -> bool:
    """A checkpoint by mail: no freeze shall keep a client from what proves its record. Nor from being asked who is
    there and who may do what, nor from answering: that alters the answer alone, and what follows is judged by itself.
    Nor an owner from saying what they do not know, and others from saying what it was. Nor a person from hearing that
    a second factor of theirs was added or taken away.
    """
    return bool(moves) and all(
        m.edit.table in ASKED or (m.edit.table == "letters" and (m.then or {}).get("says") in TOLD) for m in moves
    )


ASKABLE = {"recovery_channels": "ask_at", "clients": "security_ask_at", "domains": "registrar_ask_at"}


def _asks(moves: list[Move]) -> bool:
    """Whether a channel, or a contact, is read still: a question alone, and the link to answer by. The answer waits."""
    invites = {move.edit.id: move.then or {} for move in moves if move.edit.table == "invites"}
    asked = all((row.get("confirms_id") or row.get("vouches")) and not row["used_at"] for row in invites.values())
    return (
        bool(invites)
        and asked
        and all(
            move.edit.table == "invites"
            or (move.edit.table == "secrets" and str((move.then or move.now or {})["owner_row"]) in invites)
            or (move.edit.table in ASKABLE and (move.edit.after or {}).keys() == {ASKABLE[move.edit.table]})
            for move in moves
        )
    )


def _tells_of(move: Move) -> bool:
    """A letter that says what is closed by the same change."""
    return move.edit.table == "letters" and (move.then or {}).get("says") in TELLS_OF


def _only_closes(move: Move) -> bool:
    if move.edit.table == "redirect_stops":  # one that stands lets nothing through; its end would
        return move.then is not None and not move.then["ended_at"]
    return move.only_closes or (move.edit.table in QUIET and not move.opens and bool(move.closes))


def _ends_sessions(move: Move) -> bool:
    """Nobody gets in by it who could not before, and somebody may be in who should not."""
    before, after = move.edit.before or {}, move.edit.after or {}
    raised = before.keys() == after.keys() == {"access_epoch"} and after["access_epoch"] > before["access_epoch"]
    return move.edit.table in SIGNED_INTO and raised


def _ends_freeze(move: Move) -> bool:
    return move.edit.table == "freezes" and move.edit.before == {"ended_at": None}
