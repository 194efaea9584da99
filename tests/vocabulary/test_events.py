"""The bus: who hears what, and that nobody who hears can do harm."""

from __future__ import annotations

import inspect

import pytest

from ferryman import events as module
from ferryman.events import Event, EventBus, JobsCleaned, JobsRescued, SubscriberFailed


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


def test_each_hears_the_class_that_they_asked_for(bus: EventBus) -> None:
    cleaned: list[Event] = []
    everything: list[Event] = []
    bus.subscribe(JobsCleaned, cleaned.append)
    bus.subscribe(Event, everything.append)

    bus.publish(JobsCleaned(1))
    bus.publish(JobsRescued(2))

    assert cleaned == [JobsCleaned(1)]
    assert everything == [JobsCleaned(1), JobsRescued(2)]


def test_who_came_first_hears_first(bus: EventBus) -> None:
    heard: list[str] = []
    bus.subscribe(JobsCleaned, lambda event: heard.append("first"))
    bus.subscribe(JobsCleaned, lambda event: heard.append("second"))

    bus.publish(JobsCleaned(1))

    assert heard == ["first", "second"]


def test_who_stops_listening_hears_no_more(bus: EventBus) -> None:
    heard: list[Event] = []
    stop = bus.subscribe(JobsCleaned, heard.append)
    stop()
    stop()

    bus.publish(JobsCleaned(1))

    assert heard == []


def test_a_subscriber_may_stop_while_it_hears(bus: EventBus) -> None:
    heard: list[str] = []

    def once(event: Event) -> None:
        heard.append("once")
        stop()

    stop = bus.subscribe(JobsCleaned, once)
    bus.subscribe(JobsCleaned, lambda event: heard.append("always"))

    bus.publish(JobsCleaned(1))
    bus.publish(JobsCleaned(2))

    assert heard == ["once", "always", "always"]


def test_it_knows_whether_anybody_listens(bus: EventBus) -> None:
    assert not bus.wants(JobsCleaned)
    stop = bus.subscribe(JobsCleaned, lambda event: None)
    assert bus.wants(JobsCleaned)
    assert not bus.wants(JobsRescued)
    stop()
    assert not bus.wants(JobsCleaned)
    bus.subscribe(Event, lambda event: None)
    assert bus.wants(JobsRescued)


def broken(event: Event) -> None:
    raise RuntimeError("a mistake of theirs")


def test_a_subscriber_that_fails_is_an_event_and_the_others_still_hear(bus: EventBus) -> None:
    heard: list[Event] = []
    failures: list[SubscriberFailed] = []
    bus.subscribe(JobsCleaned, broken)
    bus.subscribe(JobsCleaned, heard.append)
    bus.subscribe(SubscriberFailed, failures.append)

    bus.publish(JobsCleaned(1))

    assert heard == [JobsCleaned(1)]
    assert [(failed.event, str(failed.error)) for failed in failures] == [(JobsCleaned(1), "a mistake of theirs")]


def test_a_subscriber_of_failures_that_fails_does_not_go_round_in_circles(bus: EventBus) -> None:
    bus.subscribe(Event, broken)

    bus.publish(JobsCleaned(1))


EVENTS = [each for _, each in inspect.getmembers(module, inspect.isclass) if issubclass(each, Event)]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_every_event_is_public_documented_and_a_value(event: type[Event]) -> None:
    assert event.__name__ in module.__all__
    assert event.__doc__
    assert event.__struct_config__.frozen
