//! Compares the public API of the core with the list in `docs/public-api.txt`, so that each change
//! of it appears in a diff.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use quote::{ToTokens, quote};
use syn::{Attribute, Fields, ImplItem, Item, TraitItem, Visibility};

/// Returns the tokens of a piece of syntax as text, with few spaces.
fn text(tokens: impl ToTokens) -> String {
    let mut text = tokens.into_token_stream().to_string();
    let tight = [
        " ::", ":: ", " <", "< ", " >", "& ", " ,", " (", "( ", " )", " :", "' ", " !", "[ ", " ]",
        " ;",
    ];
    for spaced in tight {
        text = text.replace(spaced, spaced.trim());
    }
    text.replace("->", " -> ").replace("  ", " ").replace(" - >", " -> ")
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Returns whether the list omits an item, because it is a test or hidden from the documentation.
fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .map(text)
        .any(|attribute| attribute.contains("cfg(test)") || attribute.contains("doc(hidden)"))
}

/// Returns the attributes that are part of the public API.
fn marks(attributes: &[Attribute]) -> String {
    let words = ["non_exhaustive", "must_use", "cfg", "derive"];
    let marks =
        attributes.iter().filter(|attribute| words.iter().any(|w| attribute.path().is_ident(w)));
    let marks: Vec<String> = marks.map(|mark| format!("#[{}] ", text(&mark.meta))).collect();
    marks.concat()
}

fn fields(fields: &Fields) -> String {
    let public = fields.iter().filter(|field| is_public(&field.vis));
    let shown: Vec<String> =
        public.map(|f| format!("{}: {}", text(&f.ident), text(&f.ty))).collect();
    if shown.is_empty() { String::new() } else { format!(" {{ {} }}", shown.join(", ")) }
}

/// Returns a variant with the names and types of its fields.
fn bare_variant(name: &syn::Ident, fields: &Fields) -> String {
    let shown: Vec<String> = fields
        .iter()
        .map(|field| match &field.ident {
            Some(name) => format!("{name}: {}", text(&field.ty)),
            None => text(&field.ty),
        })
        .collect();
    if shown.is_empty() { name.to_string() } else { format!("{name} {{ {} }}", shown.join(", ")) }
}

/// Appends the public parts of an item.
fn describe(item: &Item, out: &mut Vec<String>) {
    match item {
        Item::Const(i) if is_public(&i.vis) => {
            out.push(format!("const {}: {}", i.ident, text(&i.ty)));
        }
        Item::Type(i) if is_public(&i.vis) => {
            let (name, generics, of) = (&i.ident, &i.generics, &i.ty);
            out.push(text(quote!(type #name #generics = #of)));
        }
        Item::Fn(i) if is_public(&i.vis) && !is_hidden(&i.attrs) => {
            out.push(format!("{}{}", marks(&i.attrs), text(&i.sig)));
        }
        Item::Mod(i) if is_public(&i.vis) && !is_hidden(&i.attrs) => {
            out.push(format!("mod {}", i.ident));
        }
        Item::Use(i) if is_public(&i.vis) && !is_hidden(&i.attrs) => {
            out.push(format!("use {}", text(&i.tree)));
        }
        Item::Struct(i) if is_public(&i.vis) && !is_hidden(&i.attrs) => {
            let (name, generics) = (&i.ident, &i.generics);
            let head = text(quote!(struct #name #generics));
            out.push(format!("{}{head}{}", marks(&i.attrs), fields(&i.fields)));
        }
        Item::Enum(i) if is_public(&i.vis) && !is_hidden(&i.attrs) => {
            let variants = i.variants.iter().map(|variant| {
                let (name, fields) = (&variant.ident, &variant.fields);
                format!("{}{}", marks(&variant.attrs), bare_variant(name, fields))
            });
            let variants: Vec<String> = variants.collect();
            let (name, generics) = (&i.ident, &i.generics);
            let head = text(quote!(enum #name #generics));
            out.push(format!("{}{head} {{ {} }}", marks(&i.attrs), variants.join(", ")));
        }
        Item::Trait(i) if is_public(&i.vis) && !is_hidden(&i.attrs) => {
            let (safety, name, generics, bounds) =
                (&i.unsafety, &i.ident, &i.generics, &i.supertraits);
            out.push(text(quote!(#safety trait #name #generics: #bounds)));
            for item in &i.items {
                match item {
                    TraitItem::Fn(f) if !is_hidden(&f.attrs) => {
                        out.push(format!("    {}", text(&f.sig)));
                    }
                    TraitItem::Const(c) => {
                        out.push(format!("    const {}: {}", c.ident, text(&c.ty)));
                    }
                    TraitItem::Type(t) => out.push(format!("    type {}", t.ident)),
                    _ => {}
                }
            }
        }
        Item::Impl(i) if !is_hidden(&i.attrs) => describe_impl(i, out),
        _ => {}
    }
}

fn describe_impl(i: &syn::ItemImpl, out: &mut Vec<String>) {
    let (generics, of, bounds) = (&i.generics, &i.self_ty, &i.generics.where_clause);
    if let Some((_, path, _)) = &i.trait_ {
        out.push(text(quote!(impl #generics #path for #of #bounds)));
        return;
    }
    let before = out.len();
    for item in &i.items {
        match item {
            ImplItem::Fn(f) if is_public(&f.vis) && !is_hidden(&f.attrs) => {
                out.push(format!("    {}{}", marks(&f.attrs), text(&f.sig)));
            }
            ImplItem::Const(c) if is_public(&c.vis) => {
                out.push(format!("    const {}: {}", c.ident, text(&c.ty)));
            }
            _ => {}
        }
    }
    if out.len() > before {
        out.insert(before, text(quote!(impl #generics #of #bounds)));
    }
}

/// Returns the public items of the core, file by file. It also lists public items in private
/// modules; the listed `use` lines show which of them are exported.
fn surface() -> String {
    let mut all = String::new();
    let mut files = super::core();
    files.sort();
    for (path, source) in files {
        if path.starts_with("sys") && path != Path::new("sys/object_state.rs") {
            continue;
        }
        let mut lines = Vec::new();
        for item in &syn::parse_file(&source).expect("it compiles").items {
            describe(item, &mut lines);
        }
        if !lines.is_empty() {
            writeln!(all, "# {}\n\n{}\n", path.display(), lines.join("\n")).unwrap();
        }
    }
    all
}

#[test]
fn the_public_surface_is_the_committed_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/public-api.txt");
    let now = surface();
    if env::var_os("PAGEMATE_API").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    for (now, committed) in now.lines().zip(committed.lines()) {
        assert_eq!(
            now, committed,
            "the public surface changed: run `cargo xtask api` and review the change"
        );
    }
    assert_eq!(now.lines().count(), committed.lines().count(), "run `cargo xtask api`");
}

/// Returns the row of a decision in `docs/api-guidelines.md`.
fn decision(title: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/api-guidelines.md");
    let text = fs::read_to_string(path).unwrap();
    let row = text.lines().find(|line| line.starts_with(&format!("| {title} |")));
    row.unwrap_or_else(|| panic!("no row {title}")).to_owned()
}

#[test]
fn exhaustive_enums_and_public_fields_have_a_reason() {
    let (enums, structs) = (decision("Exhaustive enums"), decision("Public fields"));
    let head = |line: &str| line.split(" {").next().unwrap_or_default().to_owned();
    for line in surface().lines().filter(|line| !head(line).contains("#[non_exhaustive] ")) {
        let name = |rest: &str| {
            let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            rest[..end].to_owned()
        };
        if let Some((_, rest)) = line.split_once("enum ") {
            let name = name(rest);
            assert!(
                enums.contains(&format!("`{name}`")),
                "enum {name} can grow: mark it #[non_exhaustive], or state the reason in \
                 docs/api-guidelines.md, row \"Exhaustive enums\""
            );
        }
        if let Some((_, rest)) = line.split_once("struct ")
            && rest.contains(" { ")
        {
            let name = name(rest);
            assert!(
                structs.contains(&format!("`{name}`: ")),
                "struct {name} has public fields: mark it #[non_exhaustive], or state the reason in \
                 docs/api-guidelines.md, row \"Public fields\""
            );
        }
    }
}
