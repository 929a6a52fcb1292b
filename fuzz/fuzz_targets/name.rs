//! Fuzzes `Name`. A text is either refused, or becomes a name. Printing this name and parsing the
//! result must yield an equal name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pagemate::{ErrorKind, Name, Namespace};

fuzz_target!(|text: &str| {
    let name = match Name::new(text) {
        Ok(name) => name,
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::InvalidName | ErrorKind::WrongKind));
            let said = error.to_string();
            assert!(said.len() < 2000 && !said.contains(char::is_control), "{said:?}");
            return;
        }
    };
    assert_eq!(name.to_string().parse::<Name>().unwrap(), name);
    let bare = name.bare();
    assert!(text.ends_with(bare) && !bare.is_empty() && !bare.contains(['\\', '\0']));
    assert!(bare.encode_utf16().count() <= 1024);
    let alias = match name.namespace() {
        Namespace::Local => format!(r"Local\{bare}"),
        Namespace::Global => format!(r"Local\Global\Local\{bare}"),
        other => panic!("a name of {other:?} came from {text:?}"),
    };
    assert_eq!(Name::new(&alias).unwrap(), name);
});
