//! Checks of Linux settings by which the system removes objects or limits their number.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, getrlimit, getuid};

use super::{Finding, Level};
use crate::directory::names_in;
use crate::users::Users;

/// The highest uid of a system user: `SYS_UID_MAX` of login.defs(5). logind does not remove the
/// objects of system users.
const LAST_SYSTEM_UID: u32 = 999;

/// If the limit of descriptors is lower than this, the report explains how to raise it. The finding
/// is not a warning, because the usual limit of a shell is sufficient for most programs.
const FEW_DESCRIPTORS: u64 = 4096;

pub(super) fn findings() -> Vec<Finding> {
    vec![remove_ipc(), descriptors()]
}

/// Checks whether logind removes this user's objects at the end of their last session.
fn remove_ipc() -> Finding {
    const CHECK: &str = "RemoveIPC";
    let uid = getuid().as_raw();
    let harmless = |text: &str| Finding::new(CHECK, Level::Ok, text);
    if let Some(dir) = std::env::var_os("PAGEMATE_DIR").filter(|dir| !dir.is_empty())
        && !is_cleaned(Path::new(&dir), Path::new("/dev/shm"))
    {
        return harmless("PAGEMATE_DIR keeps the objects outside of /dev/shm, in which logind removes files");
    }
    // sd_booted(3)
    if !Path::new("/run/systemd/system").is_dir() {
        return harmless("this machine was not booted with systemd");
    }
    if uid <= LAST_SYSTEM_UID {
        return harmless("logind does not remove the objects of system users");
    }
    if !removes_ipc(Path::new("/")) {
        return harmless("logind is configured not to remove objects");
    }
    if is_lingering(uid) {
        return harmless("lingering is enabled for the user, so logind keeps the objects");
    }
    let text = format!(
        "logind removes the files of user {uid} in /dev/shm when the user's last session ends, also \
         while processes hold them. For a service that outlives its session set RemoveIPC=no in \
         /etc/systemd/logind.conf, run it as a system user, or run 'loginctl enable-linger {uid}'"
    );
    Finding::new(CHECK, Level::Warning, text)
}

/// Returns whether `dir` is inside `cleaned`, so that logind removes the files in it. logind also
/// removes files in directories below `cleaned`. It does not follow symbolic links, so the
/// comparison resolves them first.
fn is_cleaned(dir: &Path, cleaned: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    real(dir).starts_with(real(cleaned))
}

/// Returns whether `loginctl enable-linger` is in effect for the user. That command creates a file,
/// whose existence this function tests.
fn is_lingering(uid: u32) -> bool {
    let users = Users::read();
    users.name(uid).is_some_and(|name| Path::new("/var/lib/systemd/linger").join(name).exists())
}

/// Returns the value of `RemoveIPC` in logind.conf(5) and its drop-in files below `root`. The
/// default value is true.
fn removes_ipc(root: &Path) -> bool {
    const FOLDERS: [&str; 4] =
        ["etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd"];
    let main = FOLDERS.map(|folder| root.join(folder).join("logind.conf"));
    let mut files: Vec<PathBuf> = main.into_iter().find(|path| path.exists()).into_iter().collect();
    // A drop-in file overrides files of the same name in the folders that follow. systemd reads the
    // remaining files in the order of their names.
    let mut drop_ins: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    for folder in FOLDERS {
        let folder = root.join(folder).join("logind.conf.d");
        for name in names_in(&folder) {
            let path = folder.join(&name);
            if path.extension().is_some_and(|extension| extension == "conf") {
                drop_ins.entry(name).or_insert(path);
            }
        }
    }
    files.extend(drop_ins.into_values());
    let texts = files.iter().map(|path| fs::read_to_string(path).unwrap_or_default());
    texts.filter_map(|text| setting(&text)).next_back().unwrap_or(true)
}

/// Returns the last value of `RemoveIPC` in the section `[Login]`, if there is one.
fn setting(text: &str) -> Option<bool> {
    let mut section = "";
    let mut value = None;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        } else if section == "[Login]"
            && let Some((key, given)) = line.split_once('=')
            && key.trim() == "RemoveIPC"
        {
            // These are the values that systemd's parse_boolean() accepts. An empty value restores the
            // default.
            value = match given.trim().to_ascii_lowercase().as_str() {
                "1" | "yes" | "y" | "true" | "t" | "on" => Some(true),
                "0" | "no" | "n" | "false" | "f" | "off" => Some(false),
                "" => None,
                _ => value,
            };
        }
    }
    value
}

/// Reports the limit on open descriptors.
fn descriptors() -> Finding {
    const CHECK: &str = "descriptors";
    let text = match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < FEW_DESCRIPTORS => format!(
            "a process may open {limit} descriptors, and each handle to a named object takes one; \
             'ulimit -n' raises the limit"
        ),
        _ => "a process may hold thousands of objects".to_owned(),
    };
    Finding::new(CHECK, Level::Ok, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_paths_decide_what_logind_cleans() {
        let root = std::env::temp_dir().join(format!("pagemate-cleaned-{}", std::process::id()));
        let (shm, other) = (root.join("shm"), root.join("other"));
        fs::create_dir_all(shm.join("mine")).unwrap();
        fs::create_dir_all(&other).unwrap();
        std::os::unix::fs::symlink(shm.join("mine"), other.join("link")).unwrap();
        std::os::unix::fs::symlink(&other, shm.join("out")).unwrap();
        for (dir, cleaned) in [
            (shm.clone(), true),
            (shm.join("mine"), true),
            (other.join("link"), true),
            (other.join("../shm/mine"), true),
            (shm.join("out"), false),
            (other, false),
            (root.join("shm-2"), false),
        ] {
            assert_eq!(is_cleaned(&dir, &shm), cleaned, "{}", dir.display());
        }
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn remove_ipc_is_read_as_logind_reads_it() {
        assert_eq!(setting("[Login]\nRemoveIPC=no\n"), Some(false));
        assert_eq!(setting("[Login]\n#RemoveIPC=no\n"), None);
        assert_eq!(setting("[Login]\n RemoveIPC = Yes \n[Other]\nRemoveIPC=no"), Some(true));
        assert_eq!(setting("[Login]\nRemoveIPC=off\nRemoveIPC=on"), Some(true));
        assert_eq!(setting("[Login]\nRemoveIPC=off\nRemoveIPC=maybe"), Some(false));
        assert_eq!(setting("[Login]\nRemoveIPC=off\nRemoveIPC="), None);

        let root = std::env::temp_dir().join(format!("pagemate-doctor-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert!(removes_ipc(&root));
        write("usr/lib/systemd/logind.conf", "[Login]\nRemoveIPC=no\n");
        assert!(!removes_ipc(&root));
        // The administrator's file replaces the vendor's file.
        write("etc/systemd/logind.conf", "[Login]\n#RemoveIPC=yes\n");
        assert!(removes_ipc(&root));
        // Drop-in files override the main file, and a later name overrides an earlier one.
        write("usr/lib/systemd/logind.conf.d/50-a.conf", "[Login]\nRemoveIPC=no\n");
        assert!(!removes_ipc(&root));
        write("etc/systemd/logind.conf.d/10-b.conf", "[Login]\nRemoveIPC=yes\n");
        assert!(!removes_ipc(&root));
        write("etc/systemd/logind.conf.d/50-a.conf", "");
        assert!(removes_ipc(&root));
        fs::remove_dir_all(root).unwrap();
    }
}
