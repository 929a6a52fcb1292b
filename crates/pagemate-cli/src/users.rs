//! Looks up the names of users.

use std::collections::HashMap;

/// The user names in `/etc/passwd`, by uid. Users from other sources, such as LDAP, are not found.
#[derive(Debug)]
pub(crate) struct Users(HashMap<u32, String>);

impl Users {
    /// Reads `/etc/passwd`. The result is empty on systems without this file.
    pub(crate) fn read() -> Users {
        Users::parse(&std::fs::read("/etc/passwd").unwrap_or_default())
    }

    fn parse(passwd: &[u8]) -> Users {
        let text = String::from_utf8_lossy(passwd);
        let user = |line: &str| {
            let mut fields = line.split(':');
            let name = fields.next().filter(|name| !name.is_empty())?;
            Some((fields.nth(1)?.parse().ok()?, name.to_owned()))
        };
        let mut users = HashMap::new();
        for (uid, name) in text.lines().filter_map(user) {
            // If several names have one uid, keep the first, as getpwuid(3) does.
            users.entry(uid).or_insert(name);
        }
        Users(users)
    }

    /// Returns the name of the user `uid`, if it is known.
    pub(crate) fn name(&self, uid: u32) -> Option<&str> {
        self.0.get(&uid).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_of_a_user_counts() {
        let users =
            Users::parse(b"root:x:0:0::/:/bin/sh\ntoor:x:0:0:::\n\n+\nbad:x:y:0\n\xff:x:7:7\n");
        assert_eq!(users.name(0), Some("root"));
        assert_eq!(users.name(7), Some("\u{fffd}"));
        assert_eq!(users.name(1), None);
    }
}
