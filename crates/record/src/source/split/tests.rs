use proptest::prelude::*;

use super::*;

/// A reader that gives a few bytes at a time.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.1.min(self.0.len()).min(buffer.len());
        buffer[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

fn values(json: &[u8], target: &Target) -> (Vec<(u64, String)>, Result<(), SplitError>) {
    let mut found = Vec::new();
    let result = split(&mut Trickle(json, 7), target, true, &mut |batch| {
        for range in batch.values {
            let text = String::from_utf8_lossy(&batch.bytes[range.clone()]).into_owned();
            found.push((batch.base + range.start as u64, text));
        }
        true
    });
    (found, result)
}

fn texts(json: &str, target: &Target) -> Vec<String> {
    let (found, result) = values(json.as_bytes(), target);
    assert!(result.is_ok(), "{json}: {result:?}");
    for (offset, text) in &found {
        assert!(json[*offset as usize..].starts_with(text.as_str()));
    }
    found.into_iter().map(|(_, text)| text).collect()
}

#[test]
fn elements_are_found() {
    let json = r#" [ {"a":"]}\"\\"} , 1,"x", [[2]], null ] "#;
    assert_eq!(
        texts(json, &Target::Array),
        [r#"{"a":"]}\"\\"}"#, "1", "\"x\"", "[[2]]", "null"]
    );
    assert_eq!(texts("\u{FEFF}[]", &Target::Array), Vec::<String>::new());
}

#[test]
fn an_array_under_a_key_is_found() {
    let json = r#"{"other":[{"chats":[9]}],"chats" : [ {"a":1},{} ],"rest":{"chats":[5]}}"#;
    assert_eq!(texts(json, &Target::Under("chats")), [r#"{"a":1}"#, "{}"]);
}

#[test]
fn values_and_lines_are_found() {
    assert_eq!(
        texts("{\"a\":1}\n{} 5", &Target::Values),
        ["{\"a\":1}", "{}", "5"]
    );
    assert_eq!(texts("a {\n\n \nb", &Target::Lines), ["a {", "b"]);
}

#[test]
fn broken_streams_say_where() {
    let (found, result) = values(br#"[{"a":1},{"b":"#, &Target::Array);
    assert_eq!(found.len(), 1);
    assert!(
        matches!(
            result,
            Err(SplitError::Truncated {
                offset: 14,
                began: 9
            })
        ),
        "{result:?}"
    );
    let (_, result) = values(b"[1}", &Target::Array);
    assert!(
        matches!(result, Err(SplitError::Malformed { offset: 2 })),
        "{result:?}"
    );
    let (found, result) = values(b"[1] x", &Target::Array);
    assert!(found.len() == 1 && matches!(result, Err(SplitError::Malformed { offset: 4 })));
}

#[test]
fn what_exceeds_a_limit_is_passed_over() {
    let deep = format!("[{}1{},2]", "[".repeat(DEPTH + 1), "]".repeat(DEPTH + 1));
    let mut over = 0;
    let mut found = Vec::new();
    split(&mut deep.as_bytes(), &Target::Array, true, &mut |batch| {
        over += batch.over_limit;
        found.extend(batch.values.iter().map(|r| batch.bytes[r.clone()].to_vec()));
        true
    })
    .unwrap();
    assert_eq!((over, found), (1, vec![b"2".to_vec()]));
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<i32>().prop_map(serde_json::Value::from),
        "[\\[\\]{}\"\\\\,: aé\n]{0,8}".prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            proptest::collection::btree_map("[a\"\\\\{]{0,3}", inner, 0..5)
                .prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn splitting_agrees_with_parsing(list in proptest::collection::vec(json(), 0..6), pretty: bool) {
        let text = match pretty {
            true => serde_json::to_string_pretty(&list).unwrap(),
            false => serde_json::to_string(&list).unwrap(),
        };
        let parsed: Vec<serde_json::Value> = texts(&text, &Target::Array)
            .iter()
            .map(|t| serde_json::from_str(t).unwrap())
            .collect();
        prop_assert_eq!(parsed, list);
    }

    #[test]
    fn bytes_never_panic(bytes in proptest::collection::vec(
        prop_oneof![Just(b'['), Just(b']'), Just(b'{'), Just(b'"'), Just(b'\\'), Just(b','), any::<u8>()], 0..64)
    ) {
        for target in [Target::Values, Target::Array, Target::Under("a"), Target::Lines] {
            let (found, _) = values(&bytes, &target);
            prop_assert!(found.windows(2).all(|w| w[0].0 < w[1].0));
        }
    }
}
