"""Devices from which a person signs in: registered by themselves, from there, with a fresh second factor."""

from collections.abc import Iterator

from pydantic import Field

from postroom.changes.kind import Kind
from postroom.changes.plan import Planned, create, edit
from postroom.changes.state import State
from postroom.models import Device, Letter, Person

from .fields import DeviceRef, Name, PersonRef

DEVICE = "device"


class RegisterDevice(Kind, name="devices.register"):
    """A device becomes one of its person's: they said so from there, with a fresh second factor. A mail tells them."""

    by = frozenset({"system"})
    person: PersonRef
    network: Name = Field(description="The /16, or /48, it is in")
    browser: Name = Field(description="Its browser and system, in a few words")

    def plan(self, state: State) -> Iterator[Planned]:
        person = state.get(Person, self.person, where="person")
        about = {"network": self.network, "browser": self.browser}
        if state.rows(Device, person=person, ended_at=None, **about).exists():
            return
        yield create(Device, state.new_id(), person_id=person.pk, **about, made=state.now)
        yield create(
            Letter, state.new_id(), person_id=person.pk, contact=person.email, says=DEVICE,
            about=f"{self.browser}, in the network {self.network}", made=state.now,
        )  # fmt: skip


class ForgetDevice(Kind, name="devices.forget"):
    """A device is its person's no more: a session from there, beside another one, is a finding again."""

    by = frozenset({"system"})
    device: DeviceRef

    def plan(self, state: State) -> Iterator[Planned]:
        device = state.get(Device, self.device, where="device")
        if device.ended_at is None:
            yield edit(device, ended_at=state.now)
