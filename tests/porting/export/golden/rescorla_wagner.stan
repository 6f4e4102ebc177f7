// Written by rlbackends VERSION from the model 'rescorla_wagner'.
//
// Action values learnt by a delta rule; softmax choice.
//
// Reference: Rescorla & Wagner (1972)
//
// Codes in the data count from 0.
functions {
  // One subject: the log-likelihood of each trial, 0 where nothing was observed.
  vector trial_log_lik(array[] int choice, array[] real reward, real alpha, real beta) {
    int n_trials = size(choice);
    vector[n_trials] log_lik;
    vector[2] q = rep_vector(0, 2);
    for (t in 1:n_trials) {
      int choice_t = choice[t] + 1;  // Stan counts from 1

      // The action that was chosen
      log_lik[t] = categorical_logit_lpmf(choice_t | beta * q);

      // learning
      real prediction_error = reward[t] - q[choice_t];
      q[choice_t] += alpha * prediction_error;
    }
    return log_lik;
  }
}
data {
  int<lower=1> n_subjects;
  int<lower=1> n_trials;
  array[n_subjects, n_trials] int<lower=0, upper=1> choice;  // The action that was chosen
  array[n_subjects, n_trials] real reward;  // what the choice brought, in any unit
}
parameters {
  real alpha_location;
  real<lower=0> alpha_sd;
  vector[n_subjects] alpha_offset;
  real beta_location;
  real<lower=0> beta_sd;
  vector[n_subjects] beta_offset;
}
transformed parameters {
  vector<lower=0, upper=1>[n_subjects] alpha = Phi(alpha_location + alpha_sd * alpha_offset);
  vector<lower=0>[n_subjects] beta = exp(beta_location + beta_sd * beta_offset);
}
model {
  // priors
  target += std_normal_lpdf(alpha_location);
  target += normal_lpdf(alpha_sd | 0, 0.2) + log(2);
  target += std_normal_lpdf(alpha_offset);
  target += std_normal_lpdf(beta_location);
  target += normal_lpdf(beta_sd | 0, 0.2) + log(2);
  target += std_normal_lpdf(beta_offset);

  // likelihood
  for (s in 1:n_subjects) {
    target += sum(trial_log_lik(choice[s], reward[s], alpha[s], beta[s]));
  }
}
generated quantities {
  array[n_subjects] vector[n_trials] log_lik;
  for (s in 1:n_subjects) {
    log_lik[s] = trial_log_lik(choice[s], reward[s], alpha[s], beta[s]);
  }
}
