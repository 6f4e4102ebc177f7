"""Published data of real people, read as their owners wrote them."""

import pytest

from rlbackends.data import read_trials


def test_reversal_learning(shared, bandit):
    trials = read_trials(
        shared / "prl.tsv", subject="subjID", trial="trial", choice="choice", reward="outcome"
    )
    assert repr(trials) == "Trials(20 subjects × 100 trials; choice, reward; from prl.tsv)"
    assert trials.subjects == tuple(range(1, 21))
    bound = trials.bind(bandit)
    assert bound.levels["choice"] == (1, 2)
    assert set(bound.values["reward"].ravel()) == {-1, 1}
    assert bound.complete == {"choice", "reward"}
    assert not bound.is_ragged


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_give_the_same_as_files(shared, bandit, library):
    frames = pytest.importorskip(library)
    names = {"subject": "subjID", "trial": "trial", "choice": "choice", "reward": "outcome"}
    separator = {"sep": "\t"} if library == "pandas" else {"separator": "\t"}
    frame = frames.read_csv(shared / "prl.tsv", **separator)
    from_file = read_trials(shared / "prl.tsv", **names).bind(bandit)
    assert read_trials(frame, **names).bind(bandit).digest == from_file.digest


def test_four_armed_bandit(shared, model, event):
    path = shared / "bandit4arm.tsv"
    trials = read_trials(path, subject="subjID", choice="choice", derive={"reward": "gain - abs(loss)"})
    assert trials.subjects[:3] == (102, 201, 202)
    assert trials.n_trials == 2000
    bound = trials.bind(
        model(event("choice", "int", 4, is_response=True), event("reward"), sizes={"action": 4})
    )
    assert bound.levels["choice"] == (1, 2, 3, 4)
    assert set(bound.values["reward"][bound.valid]) <= {-1.0, 0.0, 1.0}
    assert bound.values["reward"][0, :3].tolist() == [0, 1, -1]
    assert bound.trial_numbers[0, :3].tolist() == [1, 2, 3]


def test_two_step(shared, model, event):
    trials = read_trials(
        shared / "ts.tsv",
        subject="subjID",
        trial="trial",
        choice1="level1_choice",
        second="level2_choice",
        reward="reward",
        derive={"state2": "where(second > 2, 1, 0)", "choice2": "where(second > 2, second - 2, second)"},
    )
    assert repr(trials).startswith("Trials(11 subjects × 197–200 trials; ")
    assert "trial numbers have 16 gaps in 11 of 11 subjects" in trials.reports[0]
    bound = trials.bind(
        model(
            event("choice1", "int", 2, is_response=True),
            event("state2", "int", 2, of="state"),
            event("choice2", "int", 2, is_response=True),
            event("reward"),
        )
    )
    assert bound.is_ragged
    assert bound.levels == {"choice1": (1, 2), "state2": (0, 1), "choice2": (1, 2)}
    assert bound.values["state2"][0, :4].tolist() == [1, 0, 0, 1]
    assert bound.values["choice2"][0, :4].tolist() == [1, 0, 0, 0]
    assert bound.trial_numbers[0, 0] == 2


def test_go_no_go(shared, model, event):
    trials = read_trials(
        shared / "gng.tsv",
        subject="subjID",
        trial="trialNum",
        cue="cue",
        press="keyPressed",
        outcome="outcome",
    )
    assert repr(trials).startswith("Trials(10 subjects × 240 trials; ")
    bound = trials.bind(
        model(
            event("cue", "int", 4, of="cue"),
            event("press", "int", 2, is_response=True),
            event("outcome"),
            sizes={"cue": 4},
        )
    )
    assert bound.levels == {"cue": (1, 2, 3, 4), "press": (0, 1)}


def test_aliens(shared, model, event):
    files = {"season": "seasons", "alien": "aliens", "choice": "actions", "reward": "rewards"}
    trials = read_trials({name: shared / "aliens" / f"{file}.csv" for name, file in files.items()})
    assert trials.subjects == tuple(range(31))
    assert trials.lengths.tolist() == [440] * 31
    bound = trials.bind(
        model(
            event("season", "int", 3, of="season"),
            event("alien", "int", 4, of="alien"),
            event("choice", "int", 3, is_response=True),
            event("reward"),
        )
    )
    assert bound.levels == {"season": (0, 1, 2), "alien": (0, 1, 2, 3), "choice": (0, 1, 2)}
    assert bound.values["reward"][0, :3].tolist() == [0.3, 2.4, 2.3]
    assert bound.values["choice"][1, :3].tolist() == [0, 0, 0]
