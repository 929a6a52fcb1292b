//! Checks that the library exports only names that begin with `pagemate_`.

use super::build::{BUILT, Linked, compile, root, run};
use super::harness::Place;
use super::symbols::{dynamic, global};

#[test]
fn every_exported_name_is_pagemates() {
    for name in dynamic(&BUILT.shared).iter().chain(&global(&BUILT.archive)) {
        assert!(name.starts_with("pagemate_"), "{name}");
    }
}

#[test]
fn a_program_keeps_its_own_functions_with_windows_names() {
    let place = Place::new("native-names");
    let source = root().join("package/check/native.c");
    for linked in [Linked::Static, Linked::Shared] {
        assert_eq!(run(&place, &compile(&source, "c11", linked), &[]), "native, 1\n");
    }
}
