//! Special functions and small numerics, accurate in the log domain.
//!
//! `statrs` supplies erfc and a starting value for the normal quantile. What is written here is what a general library does
//! not offer at 1e-12: *scaled* incomplete gamma and beta functions, in which the large terms of a
//! mixture boundary have already cancelled, the log of the normal distribution function far in its
//! tail, and the zeta function.

mod beta;
mod gamma;
mod linear;
mod logspace;
mod noncentral;
mod normal;
mod quadrature;
mod roots;
mod student;
mod symmetric;
mod zeta;

pub use beta::{ln_beta, ln_beta_inc, ln_scaled_beta, ln_scaled_beta_inc};
pub use gamma::{
    binomial_deviance, ln_gamma, ln_gamma_p, ln_gamma_q, ln_scaled_gamma_lower,
    ln_scaled_gamma_upper, stirling_error,
};
pub use linear::solve_dense;
pub use logspace::{LogSum, expit, log_add_exp, log_sub_exp, log_sum_exp, logit};
pub use noncentral::noncentral_f_sf;
pub use normal::{ln_normal_cdf, normal_cdf, normal_pdf, normal_quantile, normal_sf};
pub use quadrature::{GaussLegendre, gauss_legendre};
pub use roots::{bisect, find_root};
pub use student::{f_cdf, f_quantile, f_sf, student_quantile, student_two_sided};
pub use symmetric::{cholesky, inverse_positive, solve_cholesky, symmetric_eigenvalues};
pub use zeta::zeta;
