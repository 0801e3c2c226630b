//! The privacy budget of one group of people.

use crate::error::{Result, StatsError, positive};
use serde::{Deserialize, Serialize};

/// One release paid for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spending {
    /// What was released.
    pub what: String,
    /// Its epsilon.
    pub epsilon: f64,
}

/// A budget of pure differential privacy, spent by releases about the same people.
///
/// **Assumes** that every release about these people is paid for here. **Guarantee**: the releases it
/// paid for are together `budget`-differentially private (sequential composition, Dwork, McSherry,
/// Nissim, Smith 2006). It must be kept for as long as the people's data are released from: store it
/// beside them.
///
/// ```
/// use driftlead_stats::privacy::Ledger;
/// let mut ledger = Ledger::new(1.0)?;
/// ledger.spend("mean drift", 0.6)?;
/// assert!(ledger.spend("once more", 0.6).is_err());
/// assert!((ledger.left() - 0.4).abs() < 1e-12);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    budget: f64,
    spent: Vec<Spending>,
}

impl Ledger {
    /// An unspent budget, in epsilon.
    ///
    /// # Errors
    /// A budget that is not finite and positive.
    pub fn new(budget: f64) -> Result<Self> {
        Ok(Self {
            budget: positive("budget", budget)?,
            spent: Vec::new(),
        })
    }

    /// Epsilon not yet spent.
    #[must_use]
    pub fn left(&self) -> f64 {
        let spent: f64 = self.spent.iter().map(|s| s.epsilon).sum();
        (self.budget - spent).max(0.0)
    }

    /// What has been paid for, in order.
    #[must_use]
    pub fn spent(&self) -> &[Spending] {
        &self.spent
    }

    /// Pays for a release. There is no way to take a spending back.
    ///
    /// # Errors
    /// An epsilon that is not positive or larger than what is left; nothing is then spent.
    pub fn spend(&mut self, what: &str, epsilon: f64) -> Result<()> {
        positive("epsilon", epsilon)?;
        let spent: f64 = self.spent.iter().map(|s| s.epsilon).sum();
        // Ten times a tenth of the budget is the budget, whatever the last bit says.
        if spent + epsilon > self.budget * (1.0 + 1e-12) {
            return Err(StatsError::OutOfDomain {
                name: "epsilon",
                value: epsilon,
                domain: "at most what the ledger has left",
            });
        }
        self.spent.push(Spending {
            what: what.to_owned(),
            epsilon,
        });
        Ok(())
    }
}
