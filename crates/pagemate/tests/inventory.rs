//! The inventory. These tests have a program of their own: on Windows listing opens every object
//! for a moment, including an object that a concurrent test has just closed.

mod harness;

use harness::unique;
use pagemate::{ErrorKind, Kind, Name, SectionOptions, inventory};

#[test]
fn what_lives_is_listed_by_its_name() {
    let base = unique("listed");
    let texts = ["/..$ é:*?", "ü", "a b", &"日本".repeat(400)];
    let names: Vec<String> = texts
        .iter()
        .flat_map(|text| [format!("{base}{text}"), format!(r"Global\{base}{text}")])
        .collect();
    let listed = || {
        let entries = inventory::list().unwrap().entries;
        assert!(entries.is_sorted_by(|a, b| a.name <= b.name));
        entries.into_iter().filter(|entry| entry.name.bare().starts_with(&base)).collect::<Vec<_>>()
    };
    assert!(listed().is_empty());
    let sections: Vec<_> = names
        .iter()
        .map(|name| SectionOptions::new().len(70_000).create_new(name).unwrap())
        .collect();
    let entries = listed();
    assert_eq!(entries.len(), names.len());
    for (name, section) in names.iter().zip(&sections) {
        let name = Name::new(name).unwrap();
        let entry = entries.iter().find(|entry| entry.name == name).unwrap();
        assert_eq!((entry.kind, entry.len), (Kind::Section, section.len()));
    }
    drop(sections);
    assert!(listed().is_empty());
    for name in &names {
        assert_eq!(inventory::find(name).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
