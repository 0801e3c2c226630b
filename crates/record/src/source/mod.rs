//! Finding and opening what is to be read: files, folders, and archives of files.

pub(crate) mod limit;
pub(crate) mod page;
pub(crate) mod split;

mod archive;

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use self::archive::Member;
use self::limit::Limited;
use crate::error::Problem;
use crate::{Level, Reason};

/// One file, or one member of an archive.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Name for people and for the record: the path, and the member after `!`.
    pub(crate) name: Arc<str>,
    /// Path of the file or archive on disk.
    pub(crate) path: PathBuf,
    /// Where in an archive it is.
    pub(crate) member: Option<Member>,
    /// The caller named this very file, not a folder or archive around it.
    pub(crate) is_named: bool,
    /// Bytes, as declared.
    pub(crate) size: u64,
    /// Which of the caller's paths it came from.
    pub(crate) root: usize,
}

impl Item {
    /// Last part of the name, in lower case.
    pub(crate) fn file_name(&self) -> String {
        let name = self
            .name
            .rsplit(['/', '\\', '!'])
            .next()
            .unwrap_or_default();
        name.to_ascii_lowercase()
    }
}

/// Everything found below the caller's paths, in an order that does not depend on the file system.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) items: Vec<Item>,
    /// Members that are not opened.
    pub(crate) skipped: Level,
    /// Why, by name.
    pub(crate) refused: Vec<Problem>,
}

/// Lists what the caller's paths hold.
///
/// # Errors
/// Where a path does not exist, or an archive cannot be opened.
pub(crate) fn find(paths: &[PathBuf]) -> Result<Found, Problem> {
    let mut found = Found::default();
    for (root, path) in paths.iter().enumerate() {
        let first = found.items.len();
        let metadata = std::fs::metadata(path).map_err(|e| unreadable(path, &e))?;
        if metadata.is_dir() {
            folder(path, root, &mut found)?;
        } else {
            file(path, root, true, &mut found)?;
        }
        if let Some(new) = found.items.get_mut(first..) {
            new.sort_by(|a, b| natural(&a.name, &b.name));
        }
    }
    Ok(found)
}

/// Reads an item. Archive members are limited; `total` counts the bytes of all of them.
pub(crate) fn open(item: &Item, total: &Arc<AtomicU64>) -> io::Result<Box<dyn Read + Send>> {
    match &item.member {
        None => Ok(Box::new(File::open(&item.path)?)),
        Some(member) => {
            let limited = Limited::new(member.stream()?, member.declared(), Arc::clone(total));
            Ok(Box::new(limited))
        }
    }
}

/// The first `n` bytes of an item.
pub(crate) fn head(item: &Item, n: u64, total: &Arc<AtomicU64>) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    match &item.member {
        None => {
            File::open(&item.path)?.take(n).read_to_end(&mut head)?;
        }
        Some(member) => {
            let bytes = member.head(n)?;
            Limited::new(bytes.as_slice(), member.declared(), Arc::clone(total))
                .read_to_end(&mut head)?;
        }
    }
    Ok(head)
}

pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Problem {
    let what = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "reading it is not permitted".to_owned(),
        _ => format!("it cannot be read ({error})"),
    };
    problem(&path.display().to_string(), &what, "Check the path")
}

pub(crate) fn problem(file: &str, what: &str, advice: &str) -> Problem {
    Problem {
        file: file.to_owned(),
        offset: None,
        guess: None,
        what: what.to_owned(),
        advice: advice.to_owned(),
    }
}

fn folder(path: &Path, root: usize, found: &mut Found) -> Result<(), Problem> {
    let mut waiting = vec![path.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|e| unreadable(&folder, &e))? {
            let entry = entry.map_err(|e| unreadable(&folder, &e))?;
            let kind = entry.file_type().map_err(|e| unreadable(&folder, &e))?;
            if entry.file_name().to_string_lossy().starts_with('.') || kind.is_symlink() {
                found.skipped.skip(Reason::NotAMessage);
            } else if kind.is_dir() {
                waiting.push(entry.path());
            } else {
                file(&entry.path(), root, false, found)?;
            }
            if found.items.len() > limit::MEMBERS {
                let name = path.display().to_string();
                return Err(problem(
                    &name,
                    "it holds more than 100,000 files",
                    "Name the export",
                ));
            }
        }
    }
    Ok(())
}

fn file(path: &Path, root: usize, is_named: bool, found: &mut Found) -> Result<(), Problem> {
    let mut head = Vec::new();
    let opened = File::open(path).map_err(|e| unreadable(path, &e))?;
    let size = opened.metadata().map_err(|e| unreadable(path, &e))?.len();
    BufReader::new(opened)
        .take(4)
        .read_to_end(&mut head)
        .map_err(|e| unreadable(path, &e))?;
    if head == b"PK\x03\x04" || head == b"PK\x05\x06" {
        return archive::list(path, root, found);
    }
    found.items.push(Item {
        name: path.display().to_string().into(),
        path: path.to_owned(),
        member: None,
        is_named,
        size,
        root,
    });
    Ok(())
}

/// Orders names so that shard 2 comes before shard 10.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a_rest, mut b_rest) = (a, b);
    loop {
        let (a_number, a_tail) = number(a_rest);
        let (b_number, b_tail) = number(b_rest);
        if let (Some(x), Some(y)) = (a_number, b_number) {
            let (x, y) = (x.trim_start_matches('0'), y.trim_start_matches('0'));
            match x.len().cmp(&y.len()).then(x.cmp(y)) {
                Ordering::Equal => (a_rest, b_rest) = (a_tail, b_tail),
                unequal => return unequal,
            }
            continue;
        }
        let (mut x, mut y) = (a_rest.chars(), b_rest.chars());
        match (x.next(), y.next()) {
            (None, None) => return a.cmp(b),
            (p, q) if p == q => (a_rest, b_rest) = (x.as_str(), y.as_str()),
            (p, q) => return p.cmp(&q),
        }
    }
}

fn number(text: &str) -> (Option<&str>, &str) {
    let tail = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.get(..text.len() - tail.len()).unwrap_or_default();
    (Some(digits).filter(|d| !d.is_empty()), tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_come_in_number_order() {
        let mut names = ["c-10.json", "c-2.json", "c-002.json", "a", "c-"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["a", "c-", "c-002.json", "c-2.json", "c-10.json"]);
    }
}
