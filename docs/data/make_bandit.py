"""Write ``bandit.csv``: twelve simulated people who choose between two machines, one of which pays more often.

Plain NumPy, so that it shares nothing with the package. Run it from anywhere; it writes beside itself.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

N_SUBJECTS, N_TRIALS, REVERSAL = 12, 80, 40
PAYS = np.array([0.8, 0.2])  # left, right; the other way round from the reversal on
LABELS = ("left", "right")


def simulate() -> tuple[list[tuple[str, int, str, int]], np.ndarray]:
    """Return the rows (subject, trial, choice, reward), and each subject's true alpha and beta."""
    rng = np.random.default_rng(20)
    truth = np.column_stack([rng.beta(4, 6, N_SUBJECTS), rng.gamma(9, 1 / 2.5, N_SUBJECTS)])
    rows = []
    for subject, (alpha, beta) in enumerate(truth, start=1):
        q = np.full(2, 0.5)
        for trial in range(1, N_TRIALS + 1):
            p_right = 1 / (1 + np.exp(-beta * (q[1] - q[0])))
            choice = int(rng.random() < p_right)
            pays = PAYS if trial <= REVERSAL else PAYS[::-1]
            reward = int(rng.random() < pays[choice])
            q[choice] += alpha * (reward - q[choice])
            rows.append((f"s{subject}", trial, LABELS[choice], reward))
    return rows, truth


def main() -> None:
    """Write the file."""
    with open(Path(__file__).with_name("bandit.csv"), "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["subject", "trial", "choice", "reward"])
        writer.writerows(simulate()[0])


if __name__ == "__main__":
    main()
