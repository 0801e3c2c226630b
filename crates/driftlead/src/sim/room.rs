//! How much memory and disk there is, before hours are spent on a run that cannot end well.

use std::path::Path;

use sysinfo::{Disks, MemoryRefreshKind, RefreshKind, System};

/// Memory that can still be taken, in bytes; nothing where the system does not say.
pub(super) fn memory() -> Option<u64> {
    let what = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(what).ok()?;
    let free = system.available_memory();
    let limit = system.cgroup_limits().map_or(u64::MAX, |c| c.free_memory);
    // A limit of none reads as a huge or an empty one.
    let limit = if limit == 0 { u64::MAX } else { limit };
    (free > 0).then_some(free.min(limit))
}

/// Space that is free where a file will be, in bytes; nothing where the system does not say.
pub(super) fn disk(target: &Path) -> Option<u64> {
    let folder = match target.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    let folder = folder.canonicalize().ok()?;
    let disks = Disks::new_with_refreshed_list().ok()?;
    let holds = disks.iter().filter(|d| folder.starts_with(d.mount_point()));
    let nearest = holds.max_by_key(|d| d.mount_point().as_os_str().len())?;
    Some(nearest.available_space())
}

/// A number of bytes in words.
pub(super) fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];
    let (mut x, mut unit) = (n as f64, 0);
    while x >= 1000.0 && unit + 1 < UNITS.len() {
        x /= 1000.0;
        unit += 1;
    }
    let places = if unit == 0 { 0 } else { 1 };
    format!("{x:.places$} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_in_words() {
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1_500), "1.5 kB");
        assert_eq!(bytes(2_000_000_000_000_000), "2000.0 TB");
    }

    #[test]
    fn this_machine_has_some_of_each() {
        assert!(memory().is_none_or(|n| n > 1_000_000));
        assert!(disk(Path::new("x")).is_none_or(|n| n < u64::MAX));
    }
}
