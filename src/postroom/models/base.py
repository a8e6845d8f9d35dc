"""What every state row has in common.

The database refuses a write outside apply (sql/install.sql); the Python here only says so earlier and
more readably. A row of state in the record is a plain JSON object: see `row`. Knows no noun.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, NoReturn, Self
from uuid import UUID

from django.db import models

Row = dict[str, Any]
NOTHING: frozenset[str] = frozenset()


class WriteOutsideChange(RuntimeError):
    """State is written by changes.apply alone; plan an edit and submit it."""


def _refuse(self: object, *args: object, **kwargs: object) -> NoReturn:
    model = getattr(self, "model", type(self))  # named by its model: to show a query set would be to ask the database
    raise WriteOutsideChange(f"{model.__name__}: plan an edit and submit it")


class StateQuerySet(models.QuerySet[Any]):
    create = get_or_create = update_or_create = bulk_create = bulk_update = update = delete = _refuse
    _raw_delete = _update = _refuse


class StateManager(models.Manager.from_queryset(StateQuerySet)):  # type: ignore[misc]
    """Reads rows without their secrets: the application's role could not read those anyway."""

    def get_queryset(self) -> StateQuerySet:
        rows: StateQuerySet = super().get_queryset()
        secret = [f.name for f in self.model._meta.concrete_fields if isinstance(f, SecretField)]
        return rows.defer(*secret) if secret else rows


class SecretField(models.TextField):  # type: ignore[type-arg]
    """A value no edit may carry and postroom_app may write but never read."""


class StateModel(models.Model):
    """A row that apply alone writes.

    grants_access: a row that gives somebody a way in. It is never changed but for its end, and no
                   rollback makes it again.
    everybody:     rows without a client are read by all (a freeze of the whole organization).
    mine:          the column that makes a row readable to the person it is about.
    own:           the column by which a row is a mailbox's own, and its owner's to read: it names the mailbox, or is
                   the id of it or of its address.
    own_too:       a second such column: the row is another mailbox's own as well.
    at_domain:     the way to the domain that a row is about, where it has neither `domain` nor `address`.
    only_forward:  columns that no undo sets back: by a number that came twice, what had ended would be good again.
    unrecorded:    columns that apply keeps itself and no edit names.
    natural_key:   what people call the row by.
    for_good:      what its row says was done cannot be undone, so no undo takes the row away.
    holds_mail:    it is served by mail's own store, which keeps what it has: once used, its row is not unmade.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    grants_access: ClassVar[bool] = False
    everybody: ClassVar[bool] = False
    mine: ClassVar[str] = ""
    own: ClassVar[str] = ""
    own_too: ClassVar[str] = ""
    at_domain: ClassVar[str] = ""
    only_forward: ClassVar[frozenset[str]] = NOTHING
    unrecorded: ClassVar[frozenset[str]] = NOTHING
    natural_key: ClassVar[str] = "id"
    holds_mail: ClassVar[bool] = False
    for_good: ClassVar[bool] = False
    objects = StateManager()
    save = delete = save_base = _refuse

    class Meta:
        abstract = True
        base_manager_name = "objects"

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        """The ways in, or out, that this row opens while it stands so: what a freeze and a rollback compare."""
        return NOTHING

    @classmethod
    @cache
    def columns(cls) -> tuple[str, ...]:
        """Columns an edit may carry, by their names in the database; secrets are not among them."""
        fields = [f for f in cls._meta.concrete_fields if not isinstance(f, SecretField)]
        return tuple(f.attname for f in fields if f.attname not in cls.unrecorded)

    @classmethod
    @cache
    def defaults(cls) -> Row:
        """What a new row is where nothing is said; also of a column that was added after the row was made."""
        fields = {f.attname: f for f in cls._meta.concrete_fields}
        return {name: plain(fields[name].get_default()) for name in cls.columns()}

    def row(self: Self) -> Row:
        return {name: plain(getattr(self, name)) for name in self.columns()}

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.label}"

    @property
    def label(self) -> str:
        """What people call this row; not unique where the natural key is an id."""
        value: Any = self
        for part in self.natural_key.split("__"):
            value = getattr(value, part)
        return str(value)


def plain(value: Any) -> Any:
    """A value as the record holds it. Times are UTC and whole seconds, so that Python and to_jsonb agree."""
    match value:
        case UUID():
            return str(value)
        case datetime():
            if value.utcoffset() != UTC.utcoffset(None) or value.microsecond:
                raise ValueError(f"{value!r}: times in the record are whole seconds, UTC")
            return value.isoformat()
        case date():
            return value.isoformat()
        case float():
            raise ValueError("no floats in the record")
        case models.Model():
            return plain(value.pk)
        case list() | tuple():
            return [plain(one) for one in value]
    return value


def made_at(id: UUID) -> datetime:
    """When the change was asked for whose id this is, or that made the row with this id: it is a UUIDv7 (RFC 9562)."""
    return datetime.fromtimestamp((id.int >> 80) / 1000, UTC)


@cache
def state_models() -> Mapping[str, type[StateModel]]:
    """Table name → model, for every state table. Asked only once everything is loaded."""
    from django.apps import apps  # the registry is full only after start

    apps.check_models_ready()
    return MappingProxyType({m._meta.db_table: m for m in apps.get_models() if issubclass(m, StateModel)})


class Observation(models.Model):
    """What something of ours saw, and when: a reading, a heartbeat, a probe. Written by who observed it."""

    at = models.DateTimeField()

    class Meta:
        abstract = True
