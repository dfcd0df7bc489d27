"""Any order of calls on a store, held against a dictionary of bars and a set of spans: long lives of either kind."""

from contextlib import redirect_stdout
from io import StringIO

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

from gapless.errors import GaplessError
from stores.test_against_a_model import Machine, PackedMachine, PlainMachine
from torture.harness import Figure, Harness

_MANY = 1_000
"""From so many lives on they are long ones."""
STEPS, LONG = 50, 100
MACHINES = (PackedMachine, PlainMachine)


def measure(size: int, seed: int, machines: tuple[type[Machine], ...] = MACHINES) -> Figure:
    """`size` lives of each kind of store, with up to so many calls in each."""
    steps = LONG if size >= _MANY else STEPS
    broken = [words for machine in machines if (words := lived(machine, size, steps, seed))]
    kinds = " and ".join(machine.kind for machine in machines)
    detail = broken[0] if broken else f"up to {steps} calls in each, {kinds}"
    return Figure("any order of calls", size * len(machines), "lives", len(broken), detail)


def lived(machine: type[Machine], lives: int, steps: int, seed: int) -> str:
    """How store and model differ, in words; empty where they never do."""
    long = settings(
        max_examples=lives,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    with redirect_stdout(StringIO()):
        try:
            run_state_machine_as_test(seeded(seed)(machine), settings=long)
        except (AssertionError, GaplessError) as error:
            return f"{machine.kind}: {type(error).__name__} {error}"[:500]
    return ""


HARNESS = Harness("any order of calls", 200, 2_000, measure)
