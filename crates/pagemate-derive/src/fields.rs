//! Reads the fields of a structure. Fails for structures whose layout may differ between two
//! programs.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DataStruct, DeriveInput, Error, Result, Type, Visibility};

/// A field of a structure.
pub(crate) struct Field<'a> {
    /// The name in the source, by which `offset_of!` and constructors find it.
    pub(crate) member: syn::Member,
    /// The name in the fingerprint, without underscores around it. A C++ program has to write `class_` for a
    /// field `class`, because that is a keyword, and `_0` for the field `0` of a tuple.
    pub(crate) name: String,
    pub(crate) vis: &'a Visibility,
    pub(crate) ty: &'a Type,
}

/// Returns the structure of the input, if its layout is fixed.
pub(crate) fn structure(input: &DeriveInput) -> Result<&DataStruct> {
    let Data::Struct(data) = &input.data else {
        let cause = "only a structure can be Shareable: other processes may store any bytes, and not all \
            bytes are a valid enum; store a number and convert it";
        return Err(Error::new(input.ident.span(), cause));
    };
    if let Some(lifetime) = input.generics.lifetimes().next() {
        let cause =
            "a Shareable structure has no references: an address means nothing in another process";
        return Err(Error::new(lifetime.span(), cause));
    }
    check_repr(input)?;
    Ok(data)
}

/// Returns the fields of the structure.
pub(crate) fn fields(data: &DataStruct) -> Vec<Field<'_>> {
    let member = |(index, field): (usize, &syn::Field)| match &field.ident {
        Some(ident) => syn::Member::Named(ident.clone()),
        None => syn::Member::Unnamed(index.into()),
    };
    let all = data.fields.iter().enumerate();
    all.map(|(index, field)| {
        let member = member((index, field));
        let name = member.to_token_stream().to_string();
        let name = name.strip_prefix("r#").unwrap_or(&name).trim_matches('_').to_owned();
        Field { member, name, vis: &field.vis, ty: &field.ty }
    })
    .collect()
}

/// Returns the `repr` attributes. The structure for readers repeats them, so that it has the same
/// layout.
pub(crate) fn repr(input: &DeriveInput) -> TokenStream {
    input.attrs.iter().filter(|attr| is_repr(attr)).map(ToTokens::to_token_stream).collect()
}

fn is_repr(attr: &Attribute) -> bool {
    attr.path().is_ident("repr")
}

fn check_repr(input: &DeriveInput) -> Result<()> {
    let mut fixed = false;
    for attr in input.attrs.iter().filter(|attr| is_repr(attr)) {
        attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("packed") {
                return Err(
                    meta.error("a packed structure cannot be Shareable: fields have to be aligned")
                );
            }
            fixed |= meta.path.is_ident("C") || meta.path.is_ident("transparent");
            // Skip the argument of `align(N)`.
            if meta.input.peek(syn::token::Paren) {
                let argument;
                syn::parenthesized!(argument in meta.input);
                _ = argument.parse::<TokenStream>()?;
            }
            Ok(())
        })?;
    }
    if fixed {
        return Ok(());
    }
    let cause = "a Shareable structure needs #[repr(C)], because without it each compiler may order the \
        fields in its own way";
    Err(Error::new(Span::call_site(), cause))
}
