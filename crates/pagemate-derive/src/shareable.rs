//! Expands `#[derive(Shareable)]`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Ident, Result, Type};

use crate::fields::{self, Field};

/// Returns the implementations of `Shareable`, `Plain` and `InPlace`, and the structure of the reader.
pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let data = fields::structure(input)?;
    let fields = fields::fields(data);
    let name = &input.ident;
    let reader = format_ident!("{name}Reader");
    let (impl_generics, type_generics, _) = input.generics.split_for_impl();
    let bounds = bounds(input, &fields);
    let (plain, in_place) =
        (conditional(&bounds, &fields, "Plain"), conditional(&bounds, &fields, "InPlace"));
    let reader_struct = reader_struct(input, &reader, &fields, &bounds);
    let fingerprint = fingerprint(name, &fields);
    // Check the layout of a generic structure at its first use, and that of any other structure
    // here.
    let check = input.generics.params.is_empty().then(|| {
        quote! { const _: u64 = <#name as ::pagemate::Shareable>::FINGERPRINT; }
    });
    Ok(quote! {
        const _: () = {
            #reader_struct

            // SAFETY: each field is `Shareable`, so any bytes are a valid value. The `repr` fixes the
            // layout, and `FINGERPRINT` does not compile with padding between the fields.
            #[automatically_derived]
            unsafe impl #impl_generics ::pagemate::Shareable for #name #type_generics where #bounds {
                const FINGERPRINT: u64 = #fingerprint;
                type Reader = #reader #type_generics;
            }

            // SAFETY: each field is `Plain`.
            #[automatically_derived]
            unsafe impl #impl_generics ::pagemate::typed::Plain for #name #type_generics where #plain {}

            // SAFETY: each field is `InPlace`.
            #[automatically_derived]
            unsafe impl #impl_generics ::pagemate::typed::InPlace for #name #type_generics where #in_place {}

            #check
        };
    })
}

/// Returns the bounds of the structure, and the bound that each field is `Shareable`.
fn bounds(input: &DeriveInput, fields: &[Field<'_>]) -> TokenStream {
    let own = input.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let types = fields.iter().map(|field| {
        let ty = field.ty;
        quote_spanned! { at(ty) => #ty: ::pagemate::Shareable }
    });
    quote! { #(#own,)* #(#types,)* }
}

/// Returns the bounds under which the structure has the marker trait. The bounds contain a
/// lifetime, so that the compiler tests at each use whether the fields have the trait. Without it
/// the derive would not compile for fields without the trait.
fn conditional(bounds: &TokenStream, fields: &[Field<'_>], marker: &str) -> TokenStream {
    let marker = Ident::new(marker, Span::call_site());
    let types = fields.iter().map(|field| {
        let ty = field.ty;
        quote_spanned! { at(ty) => for<'__pagemate> #ty: ::pagemate::typed::#marker }
    });
    quote! { #bounds #(#types,)* }
}

/// Returns a structure of the same layout whose fields can only be read.
fn reader_struct(
    input: &DeriveInput,
    reader: &Ident,
    fields: &[Field<'_>],
    bounds: &TokenStream,
) -> TokenStream {
    let (vis, generics, repr) = (&input.vis, &input.generics, fields::repr(input));
    let readers = fields.iter().map(|Field { member, vis, ty, .. }| {
        let ty = quote_spanned! { at(ty) => <#ty as ::pagemate::Shareable>::Reader };
        match member {
            syn::Member::Named(name) => {
                quote! { #[doc = "The field of the same name."] #vis #name: #ty }
            }
            syn::Member::Unnamed(_) => quote! { #[doc = "The field of the same number."] #vis #ty },
        }
    });
    let (impl_params, where_clause) = (&generics.params, quote! { where #bounds });
    let is_tuple = fields.iter().all(|field| matches!(field.member, syn::Member::Unnamed(_)));
    let body = if is_tuple {
        quote! { (#(#readers),*) #where_clause; }
    } else {
        quote! { #where_clause { #(#readers),* } }
    };
    let params = (!impl_params.is_empty()).then(|| quote! { <#impl_params> });
    let doc = format!("A [`{}`] in memory that is mapped for reading.", input.ident);
    quote! {
        #[doc = #doc]
        #[allow(dead_code)]
        #repr
        #vis struct #reader #params #body
    }
}

/// Returns an expression for the fingerprint of the layout. It does not compile if the structure
/// has padding.
fn fingerprint(name: &Ident, fields: &[Field<'_>]) -> TokenStream {
    let mut end = quote! { 0 };
    let steps = fields.iter().map(|Field { member, name: field, ty, .. }| {
        let cause = format!(
            "{name} has padding before its field `{field}`: sort the fields by falling alignment, or fill the gap with a field"
        );
        let start = std::mem::replace(
            &mut end,
            quote! { ::core::mem::offset_of!(Self, #member) + ::core::mem::size_of::<#ty>() },
        );
        quote_spanned! { at(ty) =>
            ::core::assert!(::core::mem::offset_of!(Self, #member) == #start, #cause);
            let print = ::pagemate::typed::fingerprint::with_field(
                print,
                #field,
                ::core::mem::offset_of!(Self, #member),
                <#ty as ::pagemate::Shareable>::FINGERPRINT,
            );
        }
    });
    let steps: Vec<_> = steps.collect();
    let cause = format!("{name} has padding after its last field: fill the gap with a field");
    quote! {{
        let print = ::pagemate::typed::fingerprint::of::<Self>();
        #(#steps)*
        ::core::assert!(::core::mem::size_of::<Self>() == #end, #cause);
        print
    }}
}

/// Returns the span of a type for error messages. Names are resolved as in the code of this macro.
fn at(ty: &Type) -> Span {
    ty.span().resolved_at(Span::call_site())
}
