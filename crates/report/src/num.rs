//! Numbers as they are printed: three significant digits, a true minus sign, shares in percent.

use driftlead_metrics::{Measure, Series};

use crate::strings;

const MINUS: char = '\u{2212}';

/// Three significant digits, thousands separated: `0.0123`, `1.20`, `12,300`.
pub(crate) fn sig3(x: f64) -> String {
    if !x.is_finite() {
        return strings::NO_VALUE.to_owned();
    }
    if x == 0.0 {
        return "0".to_owned();
    }
    let digits = |x: f64| 2 - x.abs().log10().floor().clamp(-6.0, 300.0) as i32;
    let step = 10f64.powi(-digits(x));
    let rounded = (x / step).round() * step;
    if rounded == 0.0 {
        return "0".to_owned();
    }
    // Rounding can reach the next power of ten: 99.96 becomes 100, not 100.0.
    let places = digits(rounded * (1.0 + 1e-12));
    decimals(rounded, usize::try_from(places).unwrap_or(0))
}

/// As [`sig3`], with its sign always shown.
pub(crate) fn signed(x: f64) -> String {
    let s = sig3(x);
    if x > 0.0 && x.is_finite() {
        format!("+{s}")
    } else {
        s
    }
}

/// A fixed number of decimals, thousands separated; never a negative zero.
pub(crate) fn decimals(x: f64, places: usize) -> String {
    let s = format!("{:.places$}", x.abs());
    let (whole, fraction) = s.split_once('.').unwrap_or((&s, ""));
    let mut out = String::new();
    if x < 0.0 && s.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        out.push(MINUS);
    }
    push_grouped(whole, &mut out);
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// A count, thousands separated.
pub(crate) fn count(n: u64) -> String {
    let mut out = String::new();
    push_grouped(&n.to_string(), &mut out);
    out
}

fn push_grouped(digits: &str, out: &mut String) {
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
}

/// A share in 0..=1 as percent: one decimal at most.
pub(crate) fn percent(x: f64) -> String {
    if !x.is_finite() {
        return strings::NO_VALUE.to_owned();
    }
    let text = decimals(x * 100.0, 1);
    format!("{}\u{a0}%", text.strip_suffix(".0").unwrap_or(&text))
}

/// A value without its sign of percent, for axes and tables whose heading names the unit.
pub(crate) fn bare(series: &Series, x: f64) -> String {
    sig3(x * factor(series))
}

/// What values are multiplied by before they are printed.
pub(crate) fn factor(series: &Series) -> f64 {
    match series.measure {
        Measure::Share => 100.0,
        _ => 1.0,
    }
}

/// The unit of printed values.
pub(crate) fn unit(series: &Series) -> String {
    match series.measure {
        Measure::Share => strings::percent_of(series.unit),
        _ => series.unit.to_owned(),
    }
}

/// The unit of printed differences: a share changes by percentage points.
pub(crate) fn difference_unit(series: &Series) -> &str {
    match series.measure {
        Measure::Share => strings::POINTS,
        _ => series.unit,
    }
}

/// `+0.42 (+0.11 to +0.73)`: all three rounded alike, to two digits of the interval's width.
pub(crate) fn interval_text(estimate: f64, low: f64, high: f64) -> String {
    let width = high - low;
    if !(estimate.is_finite() && width.is_finite() && width > 0.0) {
        return strings::estimate_with_interval(&signed(estimate), &signed(low), &signed(high));
    }
    let exponent = width.log10().floor().clamp(-9.0, 300.0) as i32;
    let step = 10f64.powi(exponent - 1);
    let places = usize::try_from(1 - exponent).unwrap_or(0);
    let text = |x: f64| {
        let rounded = (x / step).round() * step;
        let plus = if rounded > 0.0 { "+" } else { "" };
        format!("{plus}{}", decimals(rounded, places))
    };
    strings::estimate_with_interval(&text(estimate), &text(low), &text(high))
}

/// A length in a figure: tenths of a unit are enough, and short.
pub(crate) fn px(x: f64) -> String {
    let tenths = (x * 10.0).round() / 10.0;
    if tenths == 0.0 || !tenths.is_finite() {
        "0".to_owned()
    } else {
        tenths.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_enough() {
        let cases = [
            (0.0, "0"),
            (1e-12, "0"),
            (1.0, "1.00"),
            (0.012_345, "0.0123"),
            (99.96, "100"),
            (1234.5, "1,230"),
            (1_234_567.0, "1,230,000"),
            (-2.5, "\u{2212}2.50"),
            (f64::NAN, strings::NO_VALUE),
        ];
        for (x, want) in cases {
            assert_eq!(sig3(x), want, "{x}");
        }
        assert_eq!(signed(0.5), "+0.500");
        assert_eq!(percent(0.123_4), "12.3\u{a0}%");
        assert_eq!(percent(0.05), "5\u{a0}%");
        assert_eq!(decimals(-0.001, 1), "0.0");
        assert_eq!(count(1_234_567), "1,234,567");
    }

    #[test]
    fn an_interval_is_rounded_as_a_whole() {
        assert_eq!(
            interval_text(0.035, -0.2031, 0.2731),
            "+0.04 (\u{2212}0.20 to +0.27)"
        );
        assert_eq!(
            interval_text(0.0, -120.0, 1304.0),
            "0 (\u{2212}100 to +1,300)"
        );
        assert_eq!(interval_text(1.0, 1.0, 1.0), "+1.00 (+1.00 to +1.00)");
    }

    #[test]
    fn lengths_are_short() {
        assert_eq!(px(12.34), "12.3");
        assert_eq!(px(12.0), "12");
        assert_eq!(px(-0.01), "0");
    }
}
