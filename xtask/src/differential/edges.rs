//! The values from which the script generator chooses arguments: common valid values, and values
//! just below and above each limit.

pub(super) const THIS_PROCESS: &str = "x-1";

/// Values that are not handles, and pseudo-handles.
pub(super) const INVALID_HANDLES: [&str; 7] = ["x0", "x1", "x3", "x7ffffff0", "x-1", "x-2", "x-6"];

/// Names. The valid ones are repeated, so that they are chosen more often.
pub(super) const NAMES: [&str; 16] = [
    "$a",
    "$a",
    "$a",
    "$b",
    "$b",
    "$c",
    "Local\\$a",
    "Local\\$b",
    "Global\\$a",
    "Global\\$b",
    "Local\\Local\\$a",
    "$A",
    "null",
    "null",
    "empty",
    "$a%0020/%003A*?<>|",
];

pub(super) const RARE_NAMES: [&str; 26] = [
    "local\\$a",
    "LOCAL\\$a",
    "global\\$a",
    "$a\\b",
    "\\$a",
    "\\Local\\$a",
    "\\",
    "$a\\",
    "Local\\",
    "Global\\",
    "Local\\\\$a",
    "Local",
    "Global",
    "Local\\Local",
    "Local\\Global",
    "Local\\$a\\b",
    "Global\\$a\\",
    "Global\\Global\\$a",
    "Local\\Global\\$a",
    "Global\\Local\\$a",
    "$@250",
    "$@251",
    "$@252",
    "Local\\$@245",
    "Local\\$@246",
    "$@992",
];

/// Names with characters beyond ASCII, for the calls with 16-bit characters. The calls with bytes
/// would convert them by a code page, which differs between the systems.
pub(super) const WIDE_NAMES: [&str; 3] = ["$%00E9", "$%4E2D%6587", "$%D83D%DE00"];

/// Sizes, each as its high and its low half.
pub(super) const SIZES: [&str; 12] = [
    "0 1000", "0 1", "0 1001", "0 10000", "0 10001", "0 20000", "0 20000", "0 23456", "0 40000",
    "0 40000", "0 40000", "0 0",
];
pub(super) const FILE_SIZES: [&str; 7] =
    ["0 0", "0 0", "0 1", "0 1000", "0 1001", "0 20000", "0 23456"];
pub(super) const RARE_SIZES: [&str; 4] =
    ["7fffffff 0", "80000000 0", "ffffffff ffffffff", "7fffffff fffff000"];

pub(super) const PROTECTIONS: [&str; 4] = ["4", "4", "2", "8"];
pub(super) const RARE_PROTECTIONS: [&str; 10] =
    ["0", "1", "3", "6", "a", "c", "e", "f", "80004", "200004"];
/// Protections that are valid for pages and invalid for sections.
pub(super) const PAGE_ONLY_PROTECTIONS: [&str; 4] = ["100", "104", "204", "402"];

pub(super) const SECTION_FLAGS: [u32; 8] = [
    0x0080_0000, // FILE
    0x0100_0000, // IMAGE
    0x0400_0000, // RESERVE
    0x0800_0000, // COMMIT
    0x1000_0000, // NOCACHE
    0x4000_0000, // WRITECOMBINE
    0x8000_0000, // LARGE_PAGES
    0x0400_0000,
];

pub(super) const RIGHTS: [&str; 12] = [
    "f001f", "f001f", "f001f", "2", "4", "4", "6", "1", "c0000000", "80000000", "40000000",
    "10000000",
];
pub(super) const RARE_RIGHTS: [&str; 14] = [
    "0", "3", "5", "7", "8", "10", "1f", "20000", "100000", "f0000", "2000000", "2000004",
    "1000004", "20000000",
];

/// Rights for views, without `FILE_MAP_EXECUTE`.
pub(super) const VIEW_RIGHTS: [&str; 14] =
    ["f001f", "2", "2", "2", "4", "4", "6", "1", "1", "0", "5", "3", "7", "f0008"];
pub(super) const RARE_VIEW_RIGHTS: [&str; 6] =
    ["8", "10", "80000000", "40000000", "10000000", "10004"];

pub(super) const OFFSETS: [&str; 12] =
    ["0", "0", "0", "0", "0", "0", "0", "0", "10000", "10000", "20000", "1000"];
pub(super) const RARE_OFFSETS: [&str; 6] =
    ["1", "50000", "ffff0000", "100000000", "7fffffffffff0000", "ffffffffffff0000"];

pub(super) const LENGTHS: [&str; 12] =
    ["0", "1", "fff", "1000", "1000", "1001", "2000", "2000", "8000", "10000", "10001", "20000"];
/// Lengths beyond all limits. There is no length that might be allocated but is huge, because the
/// program reads all of an allocation.
pub(super) const RARE_LENGTHS: [&str; 4] =
    ["30000", "7fffffffffff", "7fffffffffffffff", "ffffffffffffffff"];

pub(super) const ARENA: [&str; 8] =
    ["a+0", "a+10000", "a+20000", "a+30000", "a+40000", "a+50000", "a+1000", "a+1"];
pub(super) const INVALID_ADDRESSES: [&str; 5] =
    ["x0", "x0", "x800000000000", "xffff800000000000", "xfffffffffffff000"];

/// Values that every wait refuses as a handle.
pub(super) const INVALID_WAIT_HANDLES: [&str; 4] = ["x0", "x1", "x3", "x7ffffff0"];

/// Rights to mutexes, events and semaphores.
pub(super) const SYNC_RIGHTS: [&str; 12] = [
    "1f0003", "1f0003", "1f0001", "1f0001", "100000", "100002", "100001", "2", "10000000",
    "80000000", "40000000", "20000000",
];
pub(super) const RARE_SYNC_RIGHTS: [&str; 12] = [
    "0", "1", "3", "4", "f0000", "20000", "1ffffff", "2000000", "1000000", "1100000", "c0000000",
    "f001f",
];

/// Initial and maximum counts of a semaphore, just inside and just outside of the limits.
pub(super) const COUNTS: [&str; 10] = [
    "0 0",
    "1 0",
    "2 1",
    "ffffffff 1",
    "0 ffffffff",
    "0 80000000",
    "80000000 80000000",
    "7fffffff 7fffffff",
    "7ffffffe 7fffffff",
    "ffffffff ffffffff",
];

/// Counts by which a semaphore is released.
pub(super) const RELEASE_COUNTS: [&str; 9] =
    ["1", "1", "1", "2", "3", "0", "7fffffff", "80000000", "ffffffff"];
