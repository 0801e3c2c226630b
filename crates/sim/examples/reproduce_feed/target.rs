//! The list of targets, and when one holds.

use serde::Deserialize;

/// `data/targets.toml`.
#[derive(Deserialize)]
pub(crate) struct File {
    pub(crate) fixtures: Fixtures,
    pub(crate) target: Vec<Target>,
}

#[derive(Deserialize)]
pub(crate) struct Fixtures {
    pub(crate) mirror_trace: Trace,
}

/// Prescribed draws.
#[derive(Deserialize)]
pub(crate) struct Trace {
    pub(crate) u_action: Vec<f64>,
    pub(crate) z_reaction: Vec<f64>,
    pub(crate) u_state: Vec<f64>,
}

/// One row.
#[derive(Deserialize)]
pub(crate) struct Target {
    pub(crate) id: String,
    pub(crate) role: String,
    kind: String,
    value: Option<f64>,
    values: Option<toml::Value>,
    lo: Option<f64>,
    hi: Option<f64>,
    pub(crate) tolerance: f64,
    #[serde(rename = "use")]
    pub(crate) usable: bool,
}

impl Target {
    /// What is wanted, in words.
    pub(crate) fn wanted(&self) -> String {
        match (self.value, self.lo, self.hi) {
            (Some(v), ..) if self.kind == "min" => format!("≥ {v}"),
            (Some(v), ..) if self.kind == "max" => format!("≤ {v}"),
            (Some(v), ..) => v.to_string(),
            (_, Some(lo), Some(hi)) => format!("{lo} to {hi}"),
            _ if self.kind == "claim" => "claim".to_owned(),
            _ => show(&self.list()),
        }
    }

    /// Whether found values hold. A number of values that does not fit never holds.
    pub(crate) fn holds(&self, found: &[f64]) -> bool {
        let list = match self.value {
            Some(v) => vec![v],
            None => self.list(),
        };
        let all = |is: &dyn Fn(f64, f64) -> bool| {
            list.len() == found.len() && found.iter().zip(&list).all(|(x, y)| is(*x, *y))
        };
        match self.kind.as_str() {
            "range" => match (self.lo, self.hi, found) {
                (Some(lo), Some(hi), [x]) => (lo..=hi).contains(x),
                _ => false,
            },
            "abs" => all(&|x, y| (x - y).abs() <= self.tolerance),
            "exact" => all(&|x, y| x == y),
            "min" => all(&|x, y| x >= y),
            "max" => all(&|x, y| x <= y),
            // A sentence: 1 where its rule holds.
            "claim" => found == [1.0],
            "sign" => all(&|x, y| x * y > 0.0),
            _ => false,
        }
    }

    /// Wanted values, nested lists laid end to end.
    fn list(&self) -> Vec<f64> {
        fn flat(v: &toml::Value, out: &mut Vec<f64>) {
            match v {
                toml::Value::Float(x) => out.push(*x),
                toml::Value::Integer(x) => out.push(*x as f64),
                toml::Value::Array(a) => a.iter().for_each(|v| flat(v, out)),
                _ => {}
            }
        }
        let mut out = Vec::new();
        self.values.iter().for_each(|v| flat(v, &mut out));
        out
    }
}

/// The first values of a list.
pub(crate) fn show(v: &[f64]) -> String {
    let parts: Vec<String> = v.iter().take(4).map(|x| format!("{x:.5}")).collect();
    parts.join(" ") + if v.len() > 4 { " …" } else { "" }
}
