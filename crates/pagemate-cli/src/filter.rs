//! Patterns of names.

use glob::Pattern;

/// A pattern of names.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    text: String,
    pattern: Pattern,
}

impl Filter {
    pub(crate) fn new(text: &str) -> Result<Filter, String> {
        let pattern = Pattern::new(text).map_err(|error| error.msg.to_owned())?;
        Ok(Filter { text: text.to_owned(), pattern })
    }

    /// Returns whether the pattern matches a full name, or the name without its prefix.
    pub(crate) fn matches(&self, full: &str, bare: &str) -> bool {
        // A name may contain special characters of patterns, so compare the text of the pattern
        // first.
        [full, bare].iter().any(|name| self.text == **name || self.pattern.matches(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names_with_and_without_their_prefix() {
        let matches = |pattern: &str, full: &str, bare: &str| {
            Filter::new(pattern).unwrap().matches(full, bare)
        };
        assert!(matches("sim-*", "sim-1", "sim-1"));
        assert!(matches("sim-*", r"Global\sim-1", "sim-1"));
        assert!(matches(r"Global\*", r"Global\sim-1", "sim-1"));
        assert!(!matches(r"Global\*", "sim-1", "sim-1"));
        assert!(!matches("sim-?", "sim-12", "sim-12"));
        assert!(matches("a[1]", "a[1]", "a[1]") && matches("a[1]", "a1", "a1"));
        assert!(Filter::new("a[").is_err());
    }
}
