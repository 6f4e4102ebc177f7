"""Subjects that don't exist: a model plays a task, from parameters, from its prior, or from a posterior."""

from rlbackends.simulation.predict import prior_predictive
from rlbackends.simulation.simulate import Simulation, Simulator, simulate

__all__ = ["Simulation", "Simulator", "prior_predictive", "simulate"]
