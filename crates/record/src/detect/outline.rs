//! Keys of the first JSON value of a file, read from a piece that may be cut anywhere.

use std::collections::BTreeSet;

/// Deepest keys that are kept.
const DEPTH: usize = 5;
/// Most keys that are kept.
const KEYS: usize = 20_000;
/// Longest key that is kept.
const KEY_BYTES: usize = 80;

/// Paths of keys, `.` between levels and `[]` for every element of a list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outline {
    paths: BTreeSet<String>,
    empty_lists: BTreeSet<String>,
    top: Vec<String>,
    /// The value is a list, and perhaps an empty one.
    pub(crate) is_list: bool,
    pub(crate) is_empty: bool,
}

impl Outline {
    pub(crate) fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    pub(crate) fn is_empty_list(&self, path: &str) -> bool {
        self.empty_lists.contains(path)
    }

    /// Whether some path starts with `start` and ends with the key `last`.
    pub(crate) fn has_below(&self, start: &str, last: &str) -> bool {
        self.paths
            .range(start.to_owned()..)
            .take_while(|p| p.starts_with(start))
            .any(|p| {
                p.strip_suffix(last)
                    .is_some_and(|p| p.ends_with('.') && p.len() > start.len())
            })
    }

    /// Keys of the top-level object, or of the first objects of the top-level list.
    pub(crate) fn top_keys(&self) -> Vec<String> {
        self.top.clone()
    }
}

/// Outlines the first value of `head`.
pub(crate) fn outline(head: &[u8]) -> Outline {
    let mut walk = Walk {
        bytes: head,
        at: 0,
        out: Outline::default(),
        stack: Vec::new(),
    };
    walk.out.is_list = head.first() == Some(&b'[');
    while walk.step() {}
    walk.out.is_empty = walk.out.is_list && walk.out.empty_lists.contains("");
    walk.out
}

struct Level {
    is_list: bool,
    has_values: bool,
    key: String,
    expects_key: bool,
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    out: Outline,
    stack: Vec<Level>,
}

impl Walk<'_> {
    /// One token; false at the end of the first value or of the bytes.
    fn step(&mut self) -> bool {
        let Some(&byte) = self.bytes.get(self.at) else {
            return false;
        };
        self.at += 1;
        match byte {
            b'{' | b'[' => self.open(byte == b'['),
            b'}' | b']' => return self.close(),
            b'"' => return self.string(),
            b',' => self.expect_key(true),
            b':' => self.expect_key(false),
            b if b.is_ascii_whitespace() => {}
            _ => self.value(),
        }
        self.out.paths.len() < KEYS
    }

    fn open(&mut self, is_list: bool) {
        self.value();
        let level = Level {
            is_list,
            has_values: false,
            key: String::new(),
            expects_key: !is_list,
        };
        self.stack.push(level);
    }

    fn close(&mut self) -> bool {
        if let Some(level) = self.stack.pop()
            && level.is_list
            && !level.has_values
            && let Some(path) = self.path()
        {
            self.out.empty_lists.insert(path);
        }
        !self.stack.is_empty()
    }

    fn expect_key(&mut self, yes: bool) {
        if let Some(level) = self.stack.last_mut() {
            level.expects_key = yes && !level.is_list;
        }
    }

    fn string(&mut self) -> bool {
        let start = self.at;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(i) = memchr::memchr2(b'"', b'\\', rest) else {
                return false;
            };
            let is_end = rest.get(i) == Some(&b'"');
            self.at += i + if is_end { 1 } else { 2 };
            if is_end {
                break;
            }
        }
        let bytes = self.bytes.get(start..self.at - 1).unwrap_or_default();
        match self.stack.last_mut() {
            Some(level) if level.expects_key => {
                let kept = bytes.get(..KEY_BYTES.min(bytes.len())).unwrap_or_default();
                level.key = String::from_utf8_lossy(kept).into_owned();
                let key = level.key.clone();
                self.note_key(key);
            }
            _ => self.value(),
        }
        true
    }

    fn note_key(&mut self, key: String) {
        let is_top = match self.stack.as_slice() {
            [_] => true,
            [outer, _] => outer.is_list,
            _ => false,
        };
        if is_top && self.out.top.len() < 30 && !self.out.top.contains(&key) {
            self.out.top.push(key);
        }
        if let Some(path) = self.path() {
            self.out.paths.insert(path);
        }
    }

    fn value(&mut self) {
        let Some(level) = self.stack.last_mut() else {
            return;
        };
        let is_first_of_list = level.is_list && !level.has_values;
        level.has_values = true;
        if is_first_of_list && let Some(path) = self.path() {
            self.out.paths.insert(path);
        }
    }

    /// Path of the current place, `None` where it is too deep to matter.
    fn path(&self) -> Option<String> {
        if self.stack.len() > DEPTH {
            return None;
        }
        let names = self
            .stack
            .iter()
            .map(|l| if l.is_list { "[]" } else { l.key.as_str() });
        Some(names.collect::<Vec<_>>().join("."))
    }
}
