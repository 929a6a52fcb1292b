//! Wine prefixes, and the wineserver of each.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::error::{Error, Result};
use super::process;

/// Selects a Wine prefix: the directory in which Wine keeps its drives and its registry. Each prefix has a
/// namespace of objects of its own.
#[derive(Clone, Debug)]
pub enum Prefix {
    /// The prefix in this directory.
    Dir(PathBuf),
    /// The prefix of the process with this pid, a Windows program.
    Process(u32),
    /// The prefix of the Steam game with this number, which Proton runs.
    Steam(u32),
    /// That of the environment variable `WINEPREFIX`, or else `~/.wine`, as for `wine` itself.
    Default,
}

impl Prefix {
    /// Returns the directory of the prefix.
    ///
    /// # Errors
    ///
    /// There is no such prefix.
    pub fn dir(&self) -> Result<PathBuf> {
        match self {
            Prefix::Dir(dir) => Ok(dir.clone()),
            Prefix::Default => default_of(&std::env::vars_os().collect::<Vec<_>>()),
            Prefix::Process(pid) => of_process(*pid),
            Prefix::Steam(id) => of_steam(*id),
        }
    }
}

fn variable<'a>(
    environment: &'a [(std::ffi::OsString, std::ffi::OsString)],
    name: &str,
) -> Option<&'a OsStr> {
    environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str())
}

/// Returns the prefix that Wine uses with this environment.
fn default_of(environment: &[(std::ffi::OsString, std::ffi::OsString)]) -> Result<PathBuf> {
    if let Some(prefix) = variable(environment, "WINEPREFIX") {
        return Ok(prefix.into());
    }
    variable(environment, "HOME").map(|home| Path::new(home).join(".wine")).ok_or_else(|| {
        Error::new("find the Wine prefix: neither WINEPREFIX nor HOME is set; use --prefix")
    })
}

fn of_process(pid: u32) -> Result<PathBuf> {
    let environment = process::environment(pid);
    if environment.is_empty() {
        return Err(Error::new(format!(
            "find the Wine prefix of process {pid}: there is no such process, or it belongs to another \
             user"
        )));
    }
    default_of(&environment)
}

/// Finds the prefix of a Steam game in the libraries of Steam.
fn of_steam(id: u32) -> Result<PathBuf> {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let roots = [
        ".steam/root",
        ".steam/steam",
        ".local/share/Steam",
        ".var/app/com.valvesoftware.Steam/.local/share/Steam",
    ];
    let mut libraries = Vec::new();
    for root in roots.map(|root| home.join(root)) {
        let list = fs::read_to_string(root.join("steamapps/libraryfolders.vdf"));
        libraries.extend(library_paths(&list.unwrap_or_default()));
        libraries.push(root);
    }
    let prefixes =
        libraries.iter().map(|library| library.join(format!("steamapps/compatdata/{id}/pfx")));
    prefixes.into_iter().find(|prefix| prefix.is_dir()).ok_or_else(|| {
        Error::new(format!(
            "find the prefix of the Steam game {id}: no Steam library has compatdata/{id}/pfx; start the \
             game once with Proton, or use --prefix"
        ))
    })
}

/// Returns the paths of the libraries in Steam's list of them.
fn library_paths(list: &str) -> Vec<PathBuf> {
    let values = list.lines().filter_map(|line| {
        let value = line.trim().strip_prefix("\"path\"")?.trim();
        value.strip_prefix('"')?.strip_suffix('"')
    });
    values.map(|path| PathBuf::from(path.replace(r"\\", r"\"))).collect()
}

/// A running wineserver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) pid: u32,
}

/// The number of searches in which a process is inspected. It may be a wineserver only after it has called
/// `exec`.
const SEARCHES: u32 = 8;

/// Searches the wineserver of one prefix.
#[derive(Debug)]
pub(super) struct Search {
    dir: PathBuf,
    /// The processes that are not the wineserver, and how often they were inspected.
    others: HashMap<u32, u32>,
}

impl Search {
    /// Prepares the search. Fails if the prefix does not exist or belongs to another user.
    pub(super) fn new(dir: &Path) -> Result<Search> {
        let shown = dir.display();
        let metadata = fs::metadata(dir).map_err(|error| {
            Error::os(format!("bridge the Wine prefix {shown}: it cannot be inspected"), error)
        })?;
        let own = rustix::process::geteuid().as_raw();
        if metadata.uid() != own {
            return Err(Error::new(format!(
                "bridge the Wine prefix {shown}: it belongs to user {}, and this process runs as user \
                 {own}; run the bridge as the user who runs Wine",
                metadata.uid()
            )));
        }
        Ok(Search { dir: dir.to_owned(), others: HashMap::new() })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the wineserver, if it runs. It works in a directory whose name has the device and the inode
    /// of the prefix.
    pub(super) fn find(&mut self) -> Option<Server> {
        let metadata = fs::metadata(&self.dir).ok()?;
        let wanted = format!("server-{:x}-{:x}", metadata.dev(), metadata.ino());
        let all = process::all();
        self.others.retain(|pid, _| all.contains(pid));
        for pid in all {
            let inspected = self.others.entry(pid).or_default();
            if *inspected >= SEARCHES {
                continue;
            }
            *inspected += 1;
            let comm = fs::read_to_string(process::path(pid, "comm")).unwrap_or_default();
            // The helper is started with the environment of the wineserver, so that of another user's process
            // must not count.
            if !comm.starts_with("wineserver") || !process::is_own(pid) {
                continue;
            }
            let dir = fs::read_link(process::path(pid, "cwd")).unwrap_or_default();
            let name = dir.file_name().unwrap_or_default().as_bytes();
            // A wineserver that ends may remove the directory in which the next one works already.
            if name.strip_suffix(b" (deleted)").unwrap_or(name) == wanted.as_bytes() {
                self.others.clear();
                return Some(Server { pid });
            }
        }
        None
    }
}

impl Server {
    /// Returns whether the wineserver still runs.
    pub(super) fn is_alive(self) -> bool {
        // The kernel shows no command line of a process that is dead and not reaped.
        fs::read(process::path(self.pid, "cmdline")).is_ok_and(|line| !line.is_empty())
    }

    /// Returns the program that starts Windows programs with this wineserver.
    pub(super) fn loader(self) -> Result<PathBuf> {
        let environment = process::environment(self.pid);
        let mut candidates: Vec<PathBuf> = Vec::new();
        candidates.extend(variable(&environment, "WINELOADER").map(PathBuf::from));
        if let Ok(program) = fs::read_link(process::path(self.pid, "exe")) {
            for name in ["wine64", "wine", "../bin/wine64", "../bin/wine"] {
                candidates.push(program.with_file_name(name));
            }
        }
        candidates.into_iter().find(|path| path.is_file()).ok_or_else(|| {
            Error::new(format!(
                "start the helper: no program 'wine' is beside the wineserver, process {}; it may run in a \
                 container: start the bridge inside of it",
                self.pid
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_of_steam_are_found_in_its_list() {
        let list = "\"libraryfolders\"\n{\n\t\"0\"\n\t{\n\t\t\"path\"\t\t\"/home/u/.local/share/Steam\"\n\
                    \t\t\"label\"\t\t\"\"\n\t}\n\t\"1\"\n\t{\n\t\t\"path\"\t\t\"/mnt/my games\"\n\t}\n}\n";
        let expected = ["/home/u/.local/share/Steam", "/mnt/my games"];
        assert_eq!(library_paths(list), expected.map(PathBuf::from));
    }

    #[test]
    fn only_processes_of_this_user_count() {
        use std::os::unix::process::CommandExt as _;

        assert!(process::is_own(std::process::id()));
        // Only root can start a process of another user.
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let mut other = std::process::Command::new("sleep").arg("60").uid(65534).spawn().unwrap();
        let is_own = process::is_own(other.id());
        other.kill().unwrap();
        other.wait().unwrap();
        assert!(!is_own);
    }

    #[test]
    fn a_prefix_of_another_user_is_refused() {
        // Every user other than root owns no directory of root, and root does not own this one.
        let root = rustix::process::geteuid().is_root();
        let dir = std::env::temp_dir().join(format!("pagemate-prefix-{}", std::process::id()));
        fs::create_dir(&dir).unwrap();
        let foreign = if root { dir.clone() } else { PathBuf::from("/") };
        if root {
            std::os::unix::fs::chown(&dir, Some(65534), None).unwrap();
        }
        let error = Search::new(&foreign).unwrap_err();
        fs::remove_dir(&dir).unwrap();
        assert!(error.to_string().contains("run the bridge as the user who runs Wine"), "{error}");
    }
}
