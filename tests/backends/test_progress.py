"""Progress: plain lines with a clock that we turn by hand, and bars in a pretended terminal."""

import io
import threading

import pytest

from rlbackends.backends.progress import Progress
from rlbackends.errors import SettingError


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock():
    return Clock()


def test_lines_come_soon_then_at_intervals_then_last(clock):
    stream = io.StringIO()
    with Progress("pymc", 2000, 2, stream=stream, interval=30.0, clock=clock) as progress:
        progress.stage("compiling")
        clock.now = 100.0  # compiling is not counted
        progress.update(0, 0, phase="tune")
        clock.now = 105.0
        progress.update(0, 100, phase="tune")
        clock.now = 134.9
        progress.update(0, 400, phase="tune")
        progress.update(1, 380, phase="tune")
        clock.now = 135.0
        progress.tick()
        clock.now = 160.0
        progress.update(0, 2000, phase="draw", divergences=1)
        progress.update(1, 2000, phase="draw", divergences=2)
    assert stream.getvalue() == (
        "pymc · compiling\n"
        "pymc · chain 1: 100/2000, chain 2: 0/2000 · 0 divergences · 5 s, about 3 min left\n"
        "pymc · chain 1: 400/2000, chain 2: 380/2000 · 0 divergences · 35 s, about 2 min left\n"
        "pymc · chain 1: 2000/2000, chain 2: 2000/2000 · 3 divergences · 60 s\n"
    )


def test_no_estimate_before_there_is_something_to_estimate_from(clock):
    stream = io.StringIO()
    with Progress("pymc", 2000, 1, stream=stream, clock=clock) as progress:
        progress.update(0, 0, phase="tune")
        clock.now = 5.0
        progress.update(0, 1, phase="tune")
        assert stream.getvalue() == "pymc · chain 1: 1/2000 · 0 divergences · 5 s\n"


def test_many_chains_are_summed(clock):
    stream = io.StringIO()
    with Progress("numpyro", 100, 16, stream=stream, clock=clock) as progress:
        for chain in range(16):
            progress.update(chain, 10 + chain, phase="draw", divergences=1)
        clock.now = 7000.0
    assert stream.getvalue() == (
        "numpyro · 16 chains: 280/1600, slowest 10/100 · 16 divergences · 117 min\n"
    )


def test_an_error_is_said_to_have_stopped_it(clock):
    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt), Progress("pymc", 10, 1, stream=stream, clock=clock) as progress:
        progress.update(0, 5, phase="draw", divergences=1)
        raise KeyboardInterrupt
    assert stream.getvalue() == "pymc · chain 1: 5/10 · 1 divergence · stopped after 0 s\n"


def test_off_and_outside_are_silent(clock):
    stream = io.StringIO()
    with Progress("pymc", 10, 1, mode="off", stream=stream, clock=clock) as progress:
        progress.stage("compiling")
        progress.update(0, 5, phase="draw")
    outside = Progress("pymc", 10, 1, stream=stream, clock=clock)
    outside.update(0, 10, phase="draw")
    with Progress("pymc", 10, 1, stream=stream, clock=clock):
        pass  # nothing was ever sampled: nothing to tell
    assert stream.getvalue() == ""


def test_an_unknown_mode_is_an_error():
    with pytest.raises(SettingError, match="'auto' or 'off'"):
        Progress("pymc", 10, 1, mode="loud")


def test_updates_from_many_threads_are_all_counted(clock):
    stream = io.StringIO()
    with Progress("pymc", 500, 8, stream=stream, clock=clock) as progress:

        def work(chain: int) -> None:
            for done in range(501):
                progress.update(chain, done, phase="draw", divergences=done // 100)

        threads = [threading.Thread(target=work, args=(chain,)) for chain in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    last = stream.getvalue().splitlines()[-1]
    assert last.count("500/500") == 8
    assert "40 divergences" in last


def test_a_terminal_gets_one_bar_a_chain(clock, monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with Progress("pymc", 100, 2, stream=stream, clock=clock) as progress:
        progress.stage("compiling")
        progress.update(0, 40, phase="tune")
        progress.update(0, 100, phase="draw", divergences=3)
        progress.update(1, 100, phase="draw")
    text = stream.getvalue()
    assert "pymc · chain 1" in text
    assert "pymc · chain 2" in text
    assert "100/100" in text
    assert "drawing · 3 divergences" in text


def test_a_dumb_terminal_gets_lines(clock, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    with Progress("pymc", 100, 1, stream=stream, clock=clock) as progress:
        progress.update(0, 100, phase="draw")
    assert stream.getvalue() == "pymc · chain 1: 100/100 · 0 divergences · 0 s\n"
