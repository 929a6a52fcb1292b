//! The derive macro `Shareable` of the crate `pagemate`, which re-exports it.

use proc_macro::TokenStream;

mod fields;
mod shareable;

/// Implements `pagemate::Shareable` for a structure.
///
/// The structure needs `#[repr(C)]` or `#[repr(transparent)]`, and all its fields have to be `Shareable`.
/// If all fields are plain values, the structure is a `pagemate::typed::Plain` value. If all fields are atomics and
/// cells, it can be used in place, by `pagemate::Shared`.
#[proc_macro_derive(Shareable)]
pub fn derive_shareable(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    shareable::expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}
