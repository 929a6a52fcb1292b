//! The memory limit of a control group. The kernel charges shared memory to the group that accesses
//! it first. If a group exceeds its limit, the kernel kills one of its processes instead of failing
//! a call.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns the bytes that this process's group may still allocate. `None` if it has no limit.
pub(crate) fn available() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    available_in(&groups, Path::new("/sys/fs/cgroup"))
}

/// Returns the smallest number of remaining bytes among the groups in `groups`, the text of
/// `/proc/self/cgroup`, and all groups above them. The hierarchies are mounted at `mount` as
/// [cgroups(7)] describes.
///
/// [cgroups(7)]: https://man7.org/linux/man-pages/man7/cgroups.7.html
fn available_in(groups: &str, mount: &Path) -> Option<u64> {
    let mut least = None;
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let (version, root) = if controllers.is_empty() {
            (&UNIFIED, mount.to_owned())
        } else if controllers.split(',').any(|name| name == "memory") {
            (&LEGACY, mount.join("memory"))
        } else {
            continue;
        };
        // In a container the text may contain a path of the host, which does not exist below the
        // container's own mount. The root of that mount is then the group of the container.
        let mut path = PathBuf::from(path.trim_start_matches('/'));
        loop {
            least = [least, version.remaining(&root.join(&path))].into_iter().flatten().min();
            if !path.pop() {
                break;
            }
        }
    }
    least
}

/// The files of one version of control groups.
struct Version {
    limit: &'static str,
    used: &'static str,
    /// The prefixes of the lines of `memory.stat` that count reclaimable pages.
    reclaimable: [&'static str; 2],
}

const UNIFIED: Version = Version {
    limit: "memory.max",
    used: "memory.current",
    reclaimable: ["active_file ", "inactive_file "],
};

const LEGACY: Version = Version {
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    reclaimable: ["total_active_file ", "total_inactive_file "],
};

impl Version {
    /// Returns the remaining bytes of a group. `None` if it has no limit.
    fn remaining(&self, group: &Path) -> Option<u64> {
        let number = |file: &str| fs::read_to_string(group.join(file)).ok()?.trim().parse().ok();
        let limit: u64 = number(self.limit)?;
        let used: u64 = number(self.used)?;
        let stat = fs::read_to_string(group.join("memory.stat")).unwrap_or_default();
        let reclaimable = stat.lines().filter_map(|line| {
            let bytes = self.reclaimable.iter().find_map(|name| line.strip_prefix(name))?;
            bytes.parse::<u64>().ok()
        });
        Some(limit.saturating_sub(used.saturating_sub(reclaimable.sum())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory that has the files of a mount. `drop` removes it.
    struct Mount(PathBuf);

    impl Mount {
        fn new(test: &str, files: &[(&str, &str)]) -> Mount {
            let name = format!("pagemate-cgroup-{test}-{}", std::process::id());
            let root = std::env::temp_dir().join(name);
            for (file, text) in files {
                let file = root.join(file);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, text).unwrap();
            }
            Mount(root)
        }
    }

    impl Drop for Mount {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn the_smallest_remainder_counts_and_reclaimable_pages_are_free() {
        let mount = Mount::new(
            "unified",
            &[
                ("memory.stat", ""),
                ("a/memory.max", "1000\n"),
                ("a/memory.current", "900\n"),
                ("a/memory.stat", "anon 500\nactive_file 100\ninactive_file 200\n"),
                ("a/b/memory.max", "max\n"),
                ("a/b/memory.current", "10\n"),
            ],
        );
        assert_eq!(available_in("0::/a/b\n", &mount.0), Some(400));
        assert_eq!(available_in("0::/elsewhere\n", &mount.0), None);
        assert_eq!(available_in("rubbish\n1:cpu:/a\n", &mount.0), None);
    }

    #[test]
    fn a_hosts_path_inside_a_container_falls_back_to_the_root() {
        let mount = Mount::new(
            "legacy",
            &[("memory/memory.limit_in_bytes", "50"), ("memory/memory.usage_in_bytes", "20")],
        );
        assert_eq!(available_in("4:cpu,memory:/docker/0123\n", &mount.0), Some(30));
    }
}
