//! Attributes of a span, whatever way they are written.

use serde_json::{Map, Value};

/// Flat attributes by name.
pub(super) type Attributes = Map<String, Value>;

/// From OTLP's list of `{key, value}` or from a plain object.
pub(super) fn attributes(value: Option<&Value>) -> Attributes {
    match value {
        Some(Value::Array(list)) => pairs(list),
        Some(Value::Object(map)) => map.iter().map(|(k, v)| (k.clone(), any(v))).collect(),
        _ => Map::new(),
    }
}

fn pairs(list: &[Value]) -> Attributes {
    let pair = |p: &Value| {
        let key = p.get("key")?.as_str()?.to_owned();
        Some((key, decode(p.get("value")?)))
    };
    list.iter().filter_map(pair).collect()
}

/// A value that may or may not be wrapped as OTLP wraps it.
fn any(value: &Value) -> Value {
    let wrapped = value.as_object().is_some_and(|o| {
        o.len() == 1
            && o.keys()
                .all(|k| k.ends_with("Value") && WRAPPERS.contains(&k.as_str()))
    });
    if wrapped {
        decode(value)
    } else {
        value.clone()
    }
}

const WRAPPERS: &[&str] = &[
    "stringValue",
    "intValue",
    "doubleValue",
    "boolValue",
    "arrayValue",
    "kvlistValue",
    "bytesValue",
];

/// One `AnyValue`. 64-bit integers are strings in JSON; special doubles stay strings.
pub(super) fn decode(value: &Value) -> Value {
    let Some((key, inner)) = value.as_object().and_then(|o| o.iter().next()) else {
        return Value::Null;
    };
    let values = || inner.get("values").and_then(Value::as_array);
    match (key.as_str(), inner) {
        ("intValue", Value::String(s)) => match s.parse::<i64>() {
            Ok(n) => Value::from(n),
            Err(_) => Value::Null,
        },
        ("stringValue" | "intValue" | "doubleValue" | "boolValue", inner) => inner.clone(),
        ("arrayValue", _) => Value::Array(values().into_iter().flatten().map(decode).collect()),
        ("kvlistValue", _) => Value::Object(values().map(|v| pairs(v)).unwrap_or_default()),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_of_value_is_decoded() {
        let list = json!([
            {"key": "s", "value": {"stringValue": "x"}},
            {"key": "i", "value": {"intValue": "9007199254740993"}},
            {"key": "d", "value": {"doubleValue": "NaN"}},
            {"key": "b", "value": {"boolValue": true}},
            {"key": "a", "value": {"arrayValue": {"values": [{"intValue": 1}, {"stringValue": "y"}]}}},
            {"key": "k", "value": {"kvlistValue": {"values": [{"key": "z", "value": {"boolValue": false}}]}}},
            {"key": "y", "value": {"bytesValue": "AAAA"}},
        ]);
        let expected = json!({
            "s": "x", "i": 9_007_199_254_740_993i64, "d": "NaN", "b": true, "a": [1, "y"],
            "k": {"z": false}, "y": null,
        });
        assert_eq!(Value::Object(attributes(Some(&list))), expected);
        assert_eq!(attributes(Some(&json!({"p": 1}))).get("p"), Some(&json!(1)));
    }
}
