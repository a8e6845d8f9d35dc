"""What stands in the way of a change, each named for its condition. The door says it in its own words."""

from collections.abc import Sequence


class ChangeError(Exception):
    """Something stands in the way; nothing was changed."""


class Problem(ChangeError):
    """One thing wrong with what was asked: where (a parameter, `3.address` in a list) and what."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where, self.what = where, what

    def inside(self, n: int) -> "Problem":
        """The same, in part `n` of a list of parameters."""
        return type(self)(f"{n}.{self.where}", self.what)


class NotThere(Problem):
    """No such row, or none this person may see: the answer is the same."""


class NotRead(Problem):
    """What stands in a zone is unknown, so nothing is planned from it."""


class Problems(ChangeError):
    """Everything that is wrong with what was asked, at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)

    @property
    def only_not_there(self) -> bool:
        return all(isinstance(one, NotThere) for one in self.problems)


class NothingToDo(ChangeError):
    """It stands so already."""


class NothingGoesBack(NothingToDo):
    """Of what an undo would take back, all is left out; why, of each."""


class KeyReused(ChangeError):
    """This idempotency key came with another request."""


class OwnChange(ChangeError):
    """Nobody approves what they proposed, or reviews what they did."""


class NotSeen(ChangeError):
    """The plan is not the one that was looked at, or nothing waits for an approval here."""


class NotAllowed(ChangeError):
    """This person may not do this here."""


class StepUp(ChangeError):
    """A sensitive act, and the last second factor was shown too long ago: show it once more."""


class NotLikeThat(ChangeError):
    """A kind that carries a secret is never held, scheduled, batched or shown without being done."""
