"""Seymour et al. (2012) and Aylward et al. (2019): gains and losses learnt apart."""

import math

from tests.oracles.play import Run, at, log_p_lapsing


def _play(trials, params, n_actions, value_rates, sizes, unchosen, lapse):
    """Chosen: Qr += Ar (R gain − Qr), Qp += Ap (P loss − Qp); p = (1 − ξ) softmax(Qr + Qp) + ξ / K.

    ``value_rates``, ``sizes``: a function of the parameters each, to (Ar, Ap) and (R, P). ``unchosen``: a
    function of the parameters and a rate, to the share that an unchosen entry loses.
    """
    run = Run()
    for t, trial in enumerate(trials):
        p = at(params, t)
        if trial["start"]:
            qr, qp = [0.0] * n_actions, [0.0] * n_actions
        c = trial["choice"]
        total = [reward + punishment for reward, punishment in zip(qr, qp, strict=True)]
        run.respond("choice", log_p_lapsing(total, c, p["lapse"] if lapse else 0.0))
        run.note(q_gain=qr, q_loss=qp)
        errors = []
        for q, outcome, rate, size in zip(
            (qr, qp), (trial["gain"], trial["loss"]), value_rates(p), sizes(p), strict=True
        ):
            error = math.nan
            if c is not None and outcome is not None:
                error = size * outcome - q[c]
                for k in range(n_actions):
                    q[k] = q[k] + rate * error if k == c else q[k] - unchosen(p, rate) * q[k]
            errors.append(error)
        run.note(prediction_error_gain=errors[0], prediction_error_loss=errors[1])
    return run


def _two_rates(p):
    return p["alpha_gain"], p["alpha_loss"]


def _sensitivities(p):
    return p["sensitivity_gain"], p["sensitivity_loss"]


def _fictive(p, rate):
    """An unchosen entry learns that it brought nothing: Q += A (0 − Q)."""
    return rate


def gain_loss_bandit(trials, params, n_actions=4):
    """Ar, Ap, R, P."""
    return _play(trials, params, n_actions, _two_rates, _sensitivities, _fictive, lapse=False)


def gain_loss_lapse(trials, params, n_actions=4):
    """Ar, Ap, R, P, ξ."""
    return _play(trials, params, n_actions, _two_rates, _sensitivities, _fictive, lapse=True)


def gain_loss_lapse_decay(trials, params, n_actions=4):
    """Ar, Ap, R, P, ξ, d: an unchosen entry is multiplied by 1 − d."""
    return _play(
        trials, params, n_actions, _two_rates, _sensitivities, lambda p, rate: p["forgetting"], lapse=True
    )


def gain_loss_single_rate(trials, params, n_actions=4):
    """A, R, P, ξ."""
    return _play(
        trials, params, n_actions, lambda p: (p["alpha"], p["alpha"]), _sensitivities, _fictive, lapse=True
    )


def gain_loss_unit_sensitivity(trials, params, n_actions=4):
    """Ar, Ap, ξ; R = P = 1."""
    return _play(trials, params, n_actions, _two_rates, lambda p: (1.0, 1.0), _fictive, lapse=True)


ORACLES = {
    "gain_loss_bandit": gain_loss_bandit,
    "gain_loss_bandit_2": gain_loss_bandit,
    "gain_loss_lapse": gain_loss_lapse,
    "gain_loss_lapse_decay": gain_loss_lapse_decay,
    "gain_loss_single_rate": gain_loss_single_rate,
    "gain_loss_unit_sensitivity": gain_loss_unit_sensitivity,
}
