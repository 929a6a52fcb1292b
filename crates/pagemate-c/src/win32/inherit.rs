//! Handles that child processes inherit.
//!
//! A program that is started has its parent's descriptors, if they do not close on `exec`, and
//! nothing else of it. So an inheritable handle has two that stay open: one that holds the object,
//! with a lock of its own, and a note (a small nameless file whose link in `/proc` says what it is)
//! of which handle that is and what it may do. A child finds the notes among its descriptors.
#![allow(unsafe_code, reason = "taking over descriptors that a parent left")]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use pagemate::os::unix::SectionExt;
use pagemate::{Access, Section, SectionOptions};
use rustix::fs::MemfdFlags;
use rustix::io::FdFlags;

use super::error::Result;
use super::file::File;
use super::handle::{Entry, Handle, Object};
use super::mapping::{MAP_WRITE, Mapping};

/// What notes are called.
const NOTE: &str = "pagemate:handle";
/// As `/proc` has it.
const LINK: &str = "/memfd:pagemate:handle";
/// No note is longer: a name has at most 3,072 bytes.
const LONGEST: usize = 4096;

/// What keeps a handle for a child that is yet to come.
#[derive(Debug)]
pub(super) struct Inherited {
    _note: OwnedFd,
    _held: Held,
}

/// The descriptor that a child is to have.
#[derive(Debug)]
enum Held {
    /// It holds a name too.
    Named { _section: Section },
    /// Memory without a name, or a file; or what our own parent left us.
    Plain { _fd: OwnedFd },
}

impl Inherited {
    pub(super) fn new(handle: Handle, entry: &Entry) -> Result<Inherited> {
        let (held, fd, kind, len, name) = match &entry.object {
            Object::Mapping(mapping) => {
                let section = mapping.section();
                let kind = if mapping.over_file() { "over-file" } else { "memory" };
                let (held, fd, name) = hold(section)?;
                (held, fd, kind, section.len(), name)
            }
            Object::File(file) => {
                let fd = rustix::io::fcntl_dupfd_cloexec(file.inner(), 0)?;
                rustix::io::fcntl_setfd(&fd, FdFlags::empty())?;
                let number = fd.as_raw_fd();
                (Held::Plain { _fd: fd }, number, "file", 0, String::new())
            }
        };
        let (number, access, maker) = (handle.addr(), entry.access, std::process::id());
        let text = format!("{maker} {number} {access} {kind} {fd} {len} {name}");
        let note = rustix::fs::memfd_create(NOTE, MemfdFlags::empty())?;
        rustix::io::pwrite(&note, text.as_bytes(), 0)?;
        Ok(Inherited { _note: note, _held: held })
    }
}

/// A descriptor of a section that stays open, and the name it holds.
fn hold(section: &Section) -> Result<(Held, RawFd, String)> {
    if let Some(name) = section.name() {
        let name = name.to_string();
        let again = SectionOptions::new().access(section.access()).open(&name)?;
        if let Some(holder) = again.name_holder() {
            rustix::io::fcntl_setfd(holder, FdFlags::empty())?;
            let number = holder.as_raw_fd();
            return Ok((Held::Named { _section: again }, number, name));
        }
    }
    let fd = rustix::io::fcntl_dupfd_cloexec(section.memory(), 0)?;
    rustix::io::fcntl_setfd(&fd, FdFlags::empty())?;
    let number = fd.as_raw_fd();
    Ok((Held::Plain { _fd: fd }, number, String::new()))
}

/// The handles that our parent had made inheritable when it started us.
pub(super) fn left_by_parent() -> Vec<(Handle, Entry, Inherited)> {
    let Ok(descriptors) = std::fs::read_dir("/proc/self/fd") else { return Vec::new() };
    // Looking at them all first: taking one over opens others.
    let notes: Vec<RawFd> = descriptors
        .flatten()
        .filter(|entry| {
            std::fs::read_link(entry.path())
                .is_ok_and(|link| link.to_str().is_some_and(|link| link.starts_with(LINK)))
        })
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    notes.into_iter().filter_map(take_over).collect()
}

/// Makes the handle anew that a note tells of.
fn take_over(note: RawFd) -> Option<(Handle, Entry, Inherited)> {
    // SAFETY: `/proc` just listed it, and its link says that it is a note of ours, which nobody
    // else in this process knows of.
    let note = unsafe { OwnedFd::from_raw_fd(note) };
    let mut text = [0; LONGEST];
    let len = rustix::io::pread(&note, &mut text, 0).unwrap_or(0);
    let left = str::from_utf8(&text[..len]).ok().and_then(Left::parse);
    let Some(left) = left.filter(|left| left.maker != std::process::id()) else {
        // Another copy of this library in this process made it, and has it.
        std::mem::forget(note);
        return None;
    };
    // SAFETY: nothing is done with it but to ask whether it is open.
    let fd = unsafe { BorrowedFd::borrow_raw(left.fd) };
    rustix::io::fcntl_getfd(fd).ok()?;
    // SAFETY: it is open, and the note says that it was left for this.
    let fd = unsafe { OwnedFd::from_raw_fd(left.fd) };
    let object = left.object(&fd).ok()?;
    let entry = Entry { object, access: left.access };
    let handle = std::ptr::without_provenance_mut(left.handle);
    Some((handle, entry, Inherited { _note: note, _held: Held::Plain { _fd: fd } }))
}

/// What a note says.
struct Left<'a> {
    maker: u32,
    handle: usize,
    access: u32,
    kind: &'a str,
    fd: RawFd,
    len: u64,
    name: &'a str,
}

impl<'a> Left<'a> {
    fn parse(text: &'a str) -> Option<Left<'a>> {
        let mut parts = text.splitn(7, ' ');
        let left = Left {
            maker: parts.next()?.parse().ok()?,
            handle: parts.next()?.parse().ok()?,
            access: parts.next()?.parse().ok()?,
            kind: parts.next()?,
            fd: parts.next()?.parse().ok()?,
            len: parts.next()?.parse().ok()?,
            name: parts.next()?,
        };
        // As many handles as there can be.
        (left.fd >= 0 && left.handle <= 1 << 26).then_some(left)
    }

    fn object(&self, fd: &OwnedFd) -> Result<Object> {
        let access = if self.access & MAP_WRITE == 0 { Access::Read } else { Access::ReadWrite };
        let section = match self.kind {
            "file" => return Ok(Object::File(Arc::new(File::new(fd.try_clone()?.into())))),
            _ if !self.name.is_empty() => SectionOptions::new().access(access).open(self.name)?,
            "over-file" => {
                let file = std::fs::File::from(fd.try_clone()?);
                SectionOptions::new().file(&file).len(self.len).access(access).create_unnamed()?
            }
            _ => Section::try_from(fd.as_fd().try_clone_to_owned()?)?,
        };
        Ok(Object::Mapping(Arc::new(Mapping::new(section)?)))
    }
}
