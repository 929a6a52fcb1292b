//! Finds circles among the modules of a crate: files or folders that import each other, directly or
//! through others.
//!
//! An import of a re-exported item counts as an import of the file that defines the item. The
//! re-export itself does not count, so that a `mod.rs` can present the items of its folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A path of modules and items, such as `["sys", "liveness", "Seats"]`.
type ItemPath = Vec<String>;

/// The modules that each module imports.
type Imports = BTreeMap<ItemPath, BTreeSet<ItemPath>>;

/// Returns the imports of each file.
fn imports(files: &[(PathBuf, String)]) -> Imports {
    let modules: Modules =
        files.iter().map(|(path, text)| (module(path), Module::parse(path, text))).collect();
    let mut graph = Imports::new();
    for (path, module) in &modules {
        // The import of a module does not count. Only the use of one of its items counts.
        let items = module.uses.iter().filter(|item| !modules.contains_key(*item));
        let targets = items.filter_map(|item| defining_module(&modules, item, 0));
        let targets = targets.filter(|target| *target != path).cloned().collect();
        graph.insert(path.clone(), targets);
    }
    graph
}

/// Returns the imports between the files and folders directly below `src`.
fn imports_of_folders(files: &Imports) -> Imports {
    let folder = |path: &ItemPath| path.first().map(|first| vec![first.clone()]);
    let mut graph = Imports::new();
    for (path, targets) in files {
        // Ignore the root: it declares all folders, and no folder imports it.
        let Some(own) = folder(path) else { continue };
        let others = targets.iter().filter_map(folder).filter(|other| *other != own);
        graph.entry(own.clone()).or_default().extend(others);
    }
    graph
}

/// Returns the modules that import each other, or `None` if there is no circle.
fn circle(graph: &Imports) -> Option<Vec<String>> {
    let reach = |from: &ItemPath| {
        let (mut found, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(next) = open.pop() {
            let targets = graph.get(&next).into_iter().flatten();
            open.extend(targets.filter(|to| found.insert((*to).clone())).cloned());
        }
        found
    };
    let reached: BTreeMap<_, _> = graph.keys().map(|path| (path, reach(path))).collect();
    let (path, others) = reached.iter().find(|(path, others)| others.contains(**path))?;
    let in_circle = others.iter().filter(|other| reached[*other].contains(*path));
    Some(in_circle.map(|path| path.join("::")).collect())
}

type Modules = BTreeMap<ItemPath, Module>;

/// The imports of a module.
#[derive(Default)]
struct Module {
    uses: Vec<ItemPath>,
    /// The items that the module re-exports, by the names under which it exports them.
    exports: BTreeMap<String, ItemPath>,
}

/// Returns the module of a file, by its path below `src`.
fn module(path: &Path) -> ItemPath {
    let mut parts: ItemPath =
        path.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod" || last == "lib") {
        parts.pop();
    }
    parts
}

/// Returns the module that defines an item. Follows re-exports, at most eight of them.
fn defining_module<'m>(modules: &'m Modules, item: &ItemPath, depth: u32) -> Option<&'m ItemPath> {
    let len = (0..=item.len()).rev().find(|len| modules.contains_key(&item[..*len]))?;
    let (path, module) = modules.get_key_value(&item[..len])?;
    let export = item.get(len).and_then(|name| module.exports.get(name));
    match export.filter(|_| depth < 8) {
        Some(target) => {
            let item = target.iter().chain(&item[len + 1..]).cloned().collect();
            defining_module(modules, &item, depth + 1)
        }
        None => Some(path),
    }
}

impl Module {
    fn parse(path: &Path, text: &str) -> Module {
        let mut own = module(path);
        // For each module inside the file, the depth of braces at which it ends.
        let (mut depth, mut ends) = (0, Vec::new());
        let mut parsed = Module::default();
        let mut aliases = BTreeMap::new();
        let tokens = tokens(text);
        let mut at = 0;
        let mut declared: BTreeSet<&str> = BTreeSet::new();
        while at < tokens.len() {
            let is_path = at == 0 || tokens[at - 1] != "::";
            match tokens[at] {
                "mod" if tokens.get(at + 2) == Some(&";") => {
                    declared.insert(tokens[at + 1]);
                }
                "mod" if tokens.get(at + 2) == Some(&"{") => {
                    own.push(tokens[at + 1].to_owned());
                    ends.push(depth);
                }
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    if ends.last() == Some(&depth) {
                        ends.pop();
                        own.pop();
                    }
                }
                "use" => {
                    let is_export = at > 0 && matches!(tokens[at - 1], "pub" | ")");
                    let mut imports = Vec::new();
                    at = tree(&tokens, at + 1, &[], &mut imports);
                    for (name, item) in imports {
                        let Some(item) = absolute(&own, &declared, &aliases, &item) else {
                            continue;
                        };
                        if is_export {
                            parsed.exports.insert(name, item);
                        } else {
                            parsed.uses.push(item.clone());
                            aliases.insert(name, item);
                        }
                    }
                    continue;
                }
                "crate" | "super" | "self" if is_path && tokens.get(at + 1) == Some(&"::") => {
                    let item = inline_path(&tokens, at);
                    parsed.uses.extend(absolute(&own, &declared, &aliases, &item));
                }
                name if is_path
                    && (declared.contains(name) || aliases.contains_key(name))
                    && tokens.get(at + 1) == Some(&"::") =>
                {
                    let item = inline_path(&tokens, at);
                    parsed.uses.extend(absolute(&own, &declared, &aliases, &item));
                }
                _ => {}
            }
            at += 1;
        }
        parsed
    }
}

/// Returns the words and punctuation of the code, without comments and unit tests.
fn tokens(text: &str) -> Vec<&str> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut found = Vec::new();
    for line in text.lines() {
        let mut rest = line.split("//").next().unwrap();
        while let Some(first) = rest.chars().next() {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let len = match first {
                _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                ':' if rest.starts_with("::") => 2,
                _ => first.len_utf8(),
            };
            if !first.is_whitespace() {
                found.push(&rest[..len]);
            }
            rest = &rest[len..];
        }
    }
    found
}

/// Reads the tree of a `use` from `at` on, below `prefix`. Returns the index of the token after it.
fn tree(
    tokens: &[&str],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<(String, ItemPath)>,
) -> usize {
    let mut item = prefix.to_vec();
    loop {
        match tokens[at] {
            "::" => at += 1,
            "{" => {
                at += 1;
                while tokens[at] != "}" {
                    at = tree(tokens, at, &item, found);
                    at += usize::from(tokens[at] == ",");
                }
                return at + 1;
            }
            "as" => {
                found.push((tokens[at + 1].to_owned(), item));
                return at + 2;
            }
            ";" | "," | "}" => {
                // `{self}` imports the module itself.
                if item.len() > 1 && item.last().is_some_and(|last| last == "self") {
                    item.pop();
                }
                let name = item.last().cloned().unwrap_or_default();
                found.push((name, item));
                return at;
            }
            "*" => {
                at += 1;
            }
            word => {
                item.push(word.to_owned());
                at += 1;
            }
        }
    }
}

/// Reads a path in an expression or a type.
fn inline_path(tokens: &[&str], mut at: usize) -> ItemPath {
    let mut item = vec![tokens[at].to_owned()];
    while tokens.get(at + 1) == Some(&"::") && tokens.get(at + 2).is_some_and(|t| *t != "<") {
        at += 2;
        item.push(tokens[at].to_owned());
    }
    item
}

/// Returns an item's path from the root of the crate. `None` for an item of another crate.
fn absolute(
    own: &[String],
    declared: &BTreeSet<&str>,
    aliases: &BTreeMap<String, ItemPath>,
    item: &[String],
) -> Option<ItemPath> {
    let mut base = own.to_vec();
    let mut rest = item;
    match rest.first()?.as_str() {
        "crate" => (base, rest) = (Vec::new(), &rest[1..]),
        "self" => rest = &rest[1..],
        "super" => {
            while rest.first().is_some_and(|first| first == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
        first if declared.contains(first) => {}
        first => (base, rest) = (aliases.get(first)?.clone(), &rest[1..]),
    }
    base.extend(rest.iter().cloned());
    Some(base)
}

#[test]
fn no_files_of_the_core_import_each_other() {
    assert_eq!(circle(&imports(&super::core())), None);
}

#[test]
fn neither_files_nor_folders_of_the_faces_import_each_other() {
    for name in ["pagemate-c", "pagemate-cli", "pagemate-win32"] {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(name).join("src");
        let mut files = Vec::new();
        super::sources(&src, &mut files);
        for (path, _) in &mut files {
            *path = path.strip_prefix(&src).unwrap().to_owned();
        }
        let files = imports(&files);
        assert!(files.values().map(BTreeSet::len).sum::<usize>() > 20, "{name}: no imports found");
        assert_eq!(circle(&files), None, "files of {name}");
        assert_eq!(circle(&imports_of_folders(&files)), None, "folders of {name}");
    }
}

#[test]
fn circles_are_found_through_every_kind_of_import() {
    let found = |files: &[(&str, &str)]| {
        let files: Vec<_> =
            files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
        circle(&imports(&files)).map(|modules| modules.join(" "))
    };
    let lib = ("lib.rs", "mod a; mod b; pub use a::A;");
    let a = ("a.rs", "use crate::b::{self, B};");
    assert_eq!(found(&[lib, a, ("b.rs", "struct B;")]), None);
    assert_eq!(found(&[lib, a, ("b.rs", "// use crate::a::A;")]), None);
    for import in [
        "use super::a::A;",
        "use crate::{a::A};",
        "use crate::A;",
        "fn f() -> crate::a::A {}",
        "use crate::a as other; use other::A;",
    ] {
        assert_eq!(found(&[lib, a, ("b.rs", import)]).as_deref(), Some("a b"), "{import}");
    }
    let inside = "mod inner { use super::Own; fn f() { { super::g() } } }";
    assert_eq!(found(&[("c/mod.rs", "use self::d::D;"), ("c/d.rs", inside)]), None);
    let after = format!("{inside} use super::a::A;");
    assert_eq!(found(&[lib, a, ("b.rs", &after)]).as_deref(), Some("a b"));
    let parent = ("c/mod.rs", "mod d; fn f() { d::g() }");
    assert_eq!(found(&[parent, ("c/d.rs", "fn g() {}")]), None);
    assert_eq!(found(&[parent, ("c/d.rs", "use super::f;")]).as_deref(), Some("c c::d"));
    let presents = ("c/mod.rs", "mod d; pub(crate) use d::g; fn f() {}");
    assert_eq!(found(&[presents, ("c/d.rs", "use super::f;")]), None);

    let files = ["a/x.rs", "b.rs", "a/y.rs"].into_iter().zip([
        "use crate::b::B;",
        "use crate::a::y::Y;",
        "",
    ]);
    let files: Vec<_> = files.map(|(path, text)| (PathBuf::from(path), text.to_owned())).collect();
    let files = imports(&files);
    assert_eq!(circle(&files), None);
    assert_eq!(circle(&imports_of_folders(&files)).unwrap().join(" "), "a b");
}
