"""Readings are counted by what disturbed them; what could not be seen is said."""

from dataclasses import replace

from bench.profile.disturbance.gpu import GpuObservation
from bench.profile.disturbance.observation import Discards, Observation, discards
from bench.profile.disturbance.processor import ProcessorObservation


def test_discards_are_counted_by_reason() -> None:
    good, hot, slow = GpuObservation(1.0), GpuObservation(1.0, thermal=True), GpuObservation(1.0, hardware=True)
    found = discards([slow, good, hot, hot, good])
    assert found == Discards(count=3, kept=2, reasons={"thermal throttling": 2, "hardware slowdown": 1})
    assert found.sentence() == "3 of 5 measurements discarded: thermal throttling (2), hardware slowdown (1)"
    assert discards([good]).sentence() == "0 of 1 measurements discarded"


def test_discards_are_of_every_kind_of_reading() -> None:
    spared = ProcessorObservation(0.2, stolen=0.0, others=0.4, waited=0.0)  # others took much, and nobody waited for it
    crowded, stolen = replace(spared, waited=0.3), ProcessorObservation(0.2, stolen=0.3, others=0.0)
    found = discards([spared, crowded, stolen, GpuObservation(0.2, thermal=True)])
    assert (found.count, found.kept) == (3, 1)
    assert set(found.reasons) == {
        "thermal throttling",
        "load of other processes",
        "time stolen by the hypervisor",
    }


def test_discards_say_what_was_not_watched() -> None:
    found = discards([Observation(1.0, unobserved="no NVML"), Observation(1.0, unobserved="no NVML")])
    assert (found.count, found.kept, found.unobserved) == (0, 2, "no NVML")
    assert found.sentence() == "disturbances not watched for: no NVML"
    assert Discards.model_validate_json(found.model_dump_json()) == found
