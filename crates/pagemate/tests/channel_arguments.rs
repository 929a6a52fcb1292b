//! Invalid arguments, names that are taken, and objects of other kinds: each call returns an error that names
//! the cause and the remedy, and changes nothing.

use std::fmt::Debug;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use pagemate::channel::{Endpoint, MessageType, Options, SendError, broadcast, mpmc, spsc, watch};
use pagemate::sync::{EventOptions, Mutex, MutexOptions, Reset, SemaphoreOptions};
use pagemate::{Access, ErrorKind, Result, Section, SectionOptions, Sharing};

fn unique(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("arguments-{what}-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Asserts the kind of an error, and that its text names the call, the channel, and these facts.
#[track_caller]
fn refused<T: Debug>(result: Result<T>, kind: ErrorKind, facts: &[&str]) {
    let error = result.expect_err("it should be refused");
    assert_eq!(error.kind(), kind, "{error}");
    let text = format!("{error:#}");
    for fact in facts {
        assert!(text.contains(fact), "`{text}` does not contain `{fact}`");
    }
}

/// Returns options that this function has changed.
fn with(change: impl FnOnce(&mut Options) -> &mut Options) -> Options {
    let mut options = Options::new();
    change(&mut options);
    options
}

/// Asserts that the options are refused, and that no object is created.
#[track_caller]
fn refuses_options<E: Endpoint + Debug>(options: &Options, kind: ErrorKind, fact: &str) {
    let name = unique("options");
    refused(options.create_new::<E>(&name), kind, &["create channel", &name, fact]);
    refused(options.open_or_create::<E>(&name), kind, &["open or create channel", &name, fact]);
    refused(Options::new().open::<E>(&name), ErrorKind::NotFound, &["open channel", &name]);
}

/// Asserts that every kind refuses these options.
fn refuses_common_options<E: Endpoint + Debug>() {
    let none = "a capacity of 0 has no room for a message; use at least 1";
    refuses_options::<E>(&with(|options| options.capacity(0)), ErrorKind::InvalidInput, none);
    let read_only = "share it for reading and writing";
    for sharing in [Sharing::Everyone(Access::Read), Sharing::Group(Access::Read)] {
        let options = with(|options| options.sharing(sharing));
        refuses_options::<E>(&options, ErrorKind::InvalidInput, read_only);
    }
    for name in ["", "a\\b", "a\0b", "\\a"] {
        refused(Options::new().create_new::<E>(name), ErrorKind::InvalidName, &[]);
        refused(Options::new().open_or_create::<E>(name), ErrorKind::InvalidName, &[]);
        refused(Options::new().open::<E>(name), ErrorKind::InvalidName, &[]);
    }
}

/// Asserts that a kind with a ring refuses capacities that do not fit into memory.
fn refuses_capacities<E: Endpoint + Debug>() {
    let limit = "do not fit into the address space; use a lower capacity or shorter messages";
    for capacity in [usize::MAX, usize::MAX / 2 + 2, usize::MAX / 2 + 1, usize::MAX / 16 + 1] {
        let options = with(|options| options.capacity(capacity));
        refuses_options::<E>(&options, ErrorKind::InvalidInput, limit);
        refuses_options::<E>(&options, ErrorKind::InvalidInput, &capacity.to_string());
    }
    #[cfg(target_pointer_width = "64")]
    refuses_options::<E>(&with(|options| options.capacity(1 << 44)), ErrorKind::NoSpace, "");
}

/// Asserts that a kind refuses lengths of messages that do not fit into memory.
fn refuses_lengths<E: Endpoint + Debug>() {
    let limit = "do not fit into the address space; use a lower capacity or shorter messages";
    for len in [usize::MAX, usize::MAX - 7, usize::MAX - 8, usize::MAX / 2] {
        let options = with(|options| options.capacity(1).max_len(len));
        refuses_options::<E>(&options, ErrorKind::InvalidInput, limit);
    }
    #[cfg(target_pointer_width = "64")]
    refuses_options::<E>(
        &with(|options| options.capacity(1).max_len(1 << 46)),
        ErrorKind::NoSpace,
        "",
    );
    for align in [0, 3, 8192, usize::MAX] {
        let of = MessageType::new(8, align, 1);
        let options = with(|options| options.message_type(of));
        refuses_options::<E>(&options, ErrorKind::InvalidInput, "a power of two");
    }
    let of = MessageType::new(usize::MAX, 1, 1);
    let options = with(|options| options.message_type(of));
    refuses_options::<E>(&options, ErrorKind::InvalidInput, limit);
}

#[test]
fn options_that_make_no_sense_create_nothing() {
    refuses_common_options::<spsc::Sender<u64>>();
    refuses_common_options::<spsc::Receiver<[u8]>>();
    refuses_common_options::<mpmc::Sender<u64>>();
    refuses_common_options::<mpmc::Receiver<[u8]>>();
    refuses_common_options::<broadcast::Sender<u64>>();
    refuses_common_options::<broadcast::Receiver<[u8]>>();
    refuses_common_options::<watch::Writer<u64>>();
    refuses_common_options::<watch::Reader<[u8]>>();
    refuses_capacities::<spsc::Sender<u64>>();
    refuses_capacities::<spsc::Receiver<[u8]>>();
    refuses_capacities::<mpmc::Sender<u64>>();
    refuses_capacities::<broadcast::Sender<u64>>();
    refuses_lengths::<spsc::Sender<[u8]>>();
    refuses_lengths::<mpmc::Sender<[u8]>>();
    refuses_lengths::<broadcast::Receiver<[u8]>>();
    refuses_lengths::<watch::Writer<[u8]>>();
}

/// Asserts that an existing channel refuses an endpoint of another type or kind, and names the cause.
fn refuses<E: Endpoint + Debug>(name: &str, fact: &str) {
    let facts = ["create channel", name];
    refused(Options::new().create_new::<E>(name), ErrorKind::AlreadyExists, &facts);
    let facts = ["open channel", name, fact];
    refused(Options::new().open::<E>(name), ErrorKind::WrongKind, &facts);
    let facts = ["open or create channel", name, fact];
    refused(Options::new().open_or_create::<E>(name), ErrorKind::WrongKind, &facts);
}

/// Asserts that the name of a channel is refused for all other objects.
fn refuses_other_objects(name: &str) {
    let (exists, kind) = (ErrorKind::AlreadyExists, ErrorKind::WrongKind);
    // On Windows a channel is a section of the kernel, which every program can open as one.
    if cfg!(not(windows)) {
        refused(Section::open(name), kind, &["open section", name]);
        refused(SectionOptions::new().len(1).open_or_create(name), kind, &["section", name]);
    }
    refused(SectionOptions::new().len(1).create_new(name), exists, &["create section", name]);
    refused(Mutex::open(name), kind, &["mutex", name]);
    refused(MutexOptions::new().open_or_create(name), kind, &["mutex", name]);
    refused(MutexOptions::new().create_new(name), exists, &["mutex", name]);
    refused(EventOptions::new(Reset::Auto).create_new(name), exists, &["event", name]);
    refused(SemaphoreOptions::new(0, 1).create_new(name), exists, &["semaphore", name]);
}

/// The remedy for a wrong type, and for a wrong kind.
const ONE_TYPE: &str = "use one type in all processes";
const ITS_KIND: &str = "use the endpoints of its kind";

#[test]
fn an_mpmc_channel_refuses_long_messages_and_other_endpoints() {
    let name = &unique("mpmc");
    let mut sender: mpmc::Sender<[u8]> = with(|o| o.max_len(4)).create_new(name).unwrap();
    sender.send(b"1234").unwrap();
    assert_eq!(sender.send(b"12345"), Err(SendError::WrongLength));
    assert_eq!(sender.send_all(&["ab", "too long", "cd"]), Err(SendError::WrongLength));
    assert_eq!(sender.loan().unwrap().send(5), Err(SendError::WrongLength));
    refuses::<mpmc::Receiver<u64>>(name, ONE_TYPE);
    refuses::<spsc::Receiver<[u8]>>(name, "of kind mpmc (2), where spsc was expected");
    refuses::<watch::Reader<[u8]>>(name, ITS_KIND);
    refuses_other_objects(name);
    let mut receiver = mpmc::Receiver::<[u8]>::open(name).unwrap();
    let messages: Vec<_> = receiver.try_iter().collect();
    assert_eq!(messages, [b"1234".to_vec(), b"ab".to_vec()]);
}

#[test]
fn a_broadcast_channel_refuses_numbers_of_receivers_and_other_endpoints() {
    let fact = "receivers are not between 1 and 64";
    for receivers in [0, 65, 1 << 16, usize::MAX] {
        let options = with(|options| options.receivers(receivers));
        refuses_options::<broadcast::Sender<u64>>(&options, ErrorKind::InvalidInput, fact);
        refuses_options::<broadcast::Receiver<[u8]>>(&options, ErrorKind::InvalidInput, fact);
    }
    let name = &unique("broadcast");
    let options = with(|options| options.receivers(1).max_len(4));
    let mut sender: broadcast::Sender<[u8]> = options.create_new(name).unwrap();
    let mut receiver = broadcast::Receiver::<[u8]>::open(name).unwrap();
    sender.send(b"1234").unwrap();
    assert_eq!(sender.send(b"12345"), Err(SendError::WrongLength));
    let second = broadcast::Receiver::<[u8]>::open(name);
    let remedy = "create it with a greater `Options::receivers`";
    refused(second, ErrorKind::AlreadyExists, &["open channel", name, remedy]);
    let second = broadcast::Sender::<[u8]>::open(name);
    refused(second, ErrorKind::AlreadyExists, &["is its sender and is alive"]);
    refuses::<broadcast::Receiver<u64>>(name, ONE_TYPE);
    refuses::<spsc::Receiver<[u8]>>(name, "of kind broadcast (3), where spsc was expected");
    refuses::<watch::Reader<[u8]>>(name, ITS_KIND);
    refuses_other_objects(name);
    assert_eq!(receiver.recv(), Ok(b"1234".to_vec()));
}

#[test]
fn a_channel_of_values_refuses_other_types_and_objects_and_loses_nothing() {
    let name = &unique("spsc");
    let mut sender = spsc::Sender::<u64>::create_new(name).unwrap();
    sender.send(&7).unwrap();
    for remedy in ["messages of another type: 8 bytes, aligned to 8", ONE_TYPE] {
        refuses::<spsc::Receiver<u32>>(name, remedy);
        refuses::<spsc::Receiver<i64>>(name, remedy);
        refuses::<spsc::Receiver<[u8; 8]>>(name, remedy);
        refuses::<spsc::Receiver<[u8]>>(name, remedy);
    }
    for remedy in ["of kind spsc (1), where watch was expected", ITS_KIND] {
        refuses::<watch::Reader<u64>>(name, remedy);
        refuses::<watch::Writer<[u8]>>(name, remedy);
        // The message names the kind that was expected.
        refuses::<broadcast::Sender<u64>>(name, &remedy.replace("watch", "broadcast"));
    }
    refuses_other_objects(name);
    assert_eq!(spsc::Receiver::<u64>::open(name).unwrap().recv(), Ok(7));

    let name = &unique("watch");
    let mut writer = watch::Writer::<u64>::create_new(name).unwrap();
    writer.write(&7).unwrap();
    refuses::<watch::Reader<u32>>(name, ONE_TYPE);
    refuses::<watch::Reader<[u8]>>(name, ONE_TYPE);
    refuses::<spsc::Receiver<u64>>(name, "of kind watch (4), where spsc was expected");
    refuses::<spsc::Sender<[u8]>>(name, ITS_KIND);
    refuses_other_objects(name);
    assert_eq!(watch::Reader::<u64>::open(name).unwrap().read(), Ok(7));
}

#[test]
fn a_channel_of_bytes_refuses_other_types_and_objects_and_loses_nothing() {
    let lengths = "messages of another type: different lengths of at most 4096 bytes";
    let name = &unique("spsc");
    let mut sender = spsc::Sender::<[u8]>::create_new(name).unwrap();
    sender.send(b"seven").unwrap();
    for remedy in [lengths, ONE_TYPE] {
        refuses::<spsc::Receiver<u64>>(name, remedy);
        refuses::<spsc::Receiver<[u8; 4096]>>(name, remedy);
    }
    refuses::<watch::Reader<[u8]>>(name, ITS_KIND);
    refuses_other_objects(name);
    assert_eq!(spsc::Receiver::<[u8]>::open(name).unwrap().recv(), Ok(b"seven".to_vec()));

    let name = &unique("watch");
    let mut writer = watch::Writer::<[u8]>::create_new(name).unwrap();
    writer.write(b"seven").unwrap();
    refuses::<watch::Reader<u64>>(name, lengths);
    refuses::<spsc::Receiver<[u8]>>(name, ITS_KIND);
    refuses_other_objects(name);
    assert_eq!(watch::Reader::<[u8]>::open(name).unwrap().read(), Ok(b"seven".to_vec()));
}

/// Asserts that an endpoint opens none of the other objects.
fn opens_no_other_object<E: Endpoint + Debug>() {
    let name = &unique("other");
    let check = || {
        let facts = ["open channel", name];
        refused(Options::new().open::<E>(name), ErrorKind::WrongKind, &facts);
        let facts = ["open or create channel", name];
        refused(Options::new().open_or_create::<E>(name), ErrorKind::WrongKind, &facts);
        let facts = ["create channel", name];
        refused(Options::new().create_new::<E>(name), ErrorKind::AlreadyExists, &facts);
    };
    let section = SectionOptions::new().len(100_000).create_new(name).unwrap();
    section.map().unwrap().write_at(0, &[1; 100]).unwrap();
    check();
    let mut bytes = [0; 4096];
    section.map().unwrap().read_at(0, &mut bytes).unwrap();
    assert!(
        bytes[..100] == [1; 100] && bytes[100..] == [0; 3996],
        "an endpoint wrote to a section"
    );
    drop(section);
    let mutex = MutexOptions::new().create_new(name).unwrap();
    check();
    drop(mutex);
    let event = EventOptions::new(Reset::Manual).create_new(name).unwrap();
    check();
    drop(event);
    let semaphore = SemaphoreOptions::new(1, 1).create_new(name).unwrap();
    check();
    drop(semaphore);
    Options::new().create_new::<E>(name).unwrap();
}

#[test]
fn an_endpoint_opens_no_other_object() {
    opens_no_other_object::<spsc::Sender<u64>>();
    opens_no_other_object::<spsc::Receiver<[u8]>>();
    opens_no_other_object::<mpmc::Sender<u64>>();
    opens_no_other_object::<mpmc::Receiver<[u8]>>();
    opens_no_other_object::<broadcast::Sender<u64>>();
    opens_no_other_object::<broadcast::Receiver<[u8]>>();
    opens_no_other_object::<watch::Writer<u64>>();
    opens_no_other_object::<watch::Reader<[u8]>>();
}

#[test]
fn a_message_that_is_too_long_is_refused_and_the_others_arrive() {
    let limit = "longer than `max_len`";
    assert!(SendError::WrongLength.to_string().contains(limit));
    let options = with(|options| options.max_len(4).capacity(4));
    let name = unique("long");
    let mut sender: spsc::Sender<[u8]> = options.create_new(&name).unwrap();
    let mut receiver = spsc::Receiver::<[u8]>::open(&name).unwrap();
    sender.send(b"1234").unwrap();
    assert_eq!(sender.send(b"12345"), Err(SendError::WrongLength));
    assert_eq!(sender.try_send(&vec![0; 100_000]), Err(SendError::WrongLength));
    assert_eq!(sender.send_all(&["ab", "too long", "cd"]), Err(SendError::WrongLength));
    assert_eq!(sender.loan().unwrap().send(5), Err(SendError::WrongLength));
    assert_eq!(sender.loan().unwrap().send(usize::MAX), Err(SendError::WrongLength));
    let messages: Vec<_> = receiver.try_iter().collect();
    assert_eq!(messages, [b"1234".to_vec(), b"ab".to_vec()]);

    let name = unique("long");
    let mut writer: watch::Writer<[u8]> = options.create_new(&name).unwrap();
    let mut reader = watch::Reader::<[u8]>::open(&name).unwrap();
    writer.write(b"1234").unwrap();
    assert_eq!(writer.write(b"12345"), Err(SendError::WrongLength));
    assert_eq!(writer.loan().unwrap().publish(5), Err(SendError::WrongLength));
    assert_eq!(reader.read(), Ok(b"1234".to_vec()));
}
