//! Numbers for people.

/// Three significant digits, without an exponent.
pub(crate) fn figure(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return if x == 0.0 {
            "0".to_owned()
        } else {
            "–".to_owned()
        };
    }
    let magnitude = x.abs().log10().floor() as i32;
    let decimals = usize::try_from(2 - magnitude).unwrap_or(0).min(6);
    let text = format!("{x:.decimals$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text.as_str()
    };
    let text = if text == "-0" { "0" } else { text };
    text.replace('-', "−")
}

/// The same with a sign.
pub(crate) fn signed(x: f64) -> String {
    if x > 0.0 {
        format!("+{}", figure(x))
    } else {
        figure(x)
    }
}

/// Two decimals with a sign, for columns of SDs.
pub(crate) fn hundredths(x: f64) -> String {
    format!("{x:+.2}").replace('-', "−")
}

/// An integer in groups of three.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        for (x, text) in [
            (0.0, "0"),
            (1234.5, "1234"),
            (12.345, "12.3"),
            (0.012_345, "0.0123"),
            (-0.5, "−0.5"),
            (2.0, "2"),
            (-1e-9, "0"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(figure(x), text);
        }
        assert_eq!(signed(0.25), "+0.25");
        assert_eq!(signed(-0.25), "−0.25");
        assert_eq!(hundredths(-0.256), "−0.26");
        assert_eq!(hundredths(2.0), "+2.00");
    }

    #[test]
    fn groups_of_three() {
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(123_456), "123,456");
    }
}
