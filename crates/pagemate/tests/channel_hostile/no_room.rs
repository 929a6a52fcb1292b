//! Channels on a file system without room.

use std::fmt::Debug;

use pagemate::channel::{Endpoint, Options, spsc, watch};
use pagemate::{ErrorKind, SectionOptions, inventory};

use super::harness::fork::{alone_as_root, mount_tmpfs};

fn has_no_room<E: Endpoint + Debug>(capacity: usize, max_len: usize) {
    let mut options = Options::new();
    options.capacity(capacity).max_len(max_len);
    for created in [options.create_new::<E>("large"), options.open_or_create::<E>("large")] {
        let error = created.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
        let text = error.to_string();
        let facts = ["channel \"large\"", "bytes", "free"];
        assert!(facts.iter().all(|fact| text.contains(fact)), "{text}");
    }
    assert_eq!(options.open::<E>("large").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(inventory::find("large").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn without_room_no_channel_is_created_and_the_existing_ones_work() {
    let test = "no_room::without_room_no_channel_is_created_and_the_existing_ones_work";
    alone_as_root(test, |place| {
        mount_tmpfs(place, "size=1m,mode=1777");
        let mut sender: spsc::Sender<[u64; 100]> =
            Options::new().capacity(64).create_new("x").unwrap();
        let mut writer = watch::Writer::<u64>::create_new("y").unwrap();
        has_no_room::<spsc::Sender<[u64; 100]>>(2048, 0);
        has_no_room::<spsc::Receiver<[u8]>>(64, 64 << 10);
        has_no_room::<watch::Writer<[u8]>>(1, 1 << 20);
        has_no_room::<watch::Reader<[u8; 1 << 20]>>(1, 0);
        // All slots of the channels have their memory, also if none is left for others.
        let mut sections = Vec::new();
        for index in 0.. {
            match SectionOptions::new().len(4096).create_new(format!("fill-{index}")) {
                Ok(section) => sections.push(section),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
                    break;
                }
            }
        }
        has_no_room::<spsc::Sender<u64>>(1, 0);
        let mut receiver = spsc::Receiver::<[u64; 100]>::open("x").unwrap();
        for number in 0..64 {
            sender.try_send(&[number; 100]).unwrap();
        }
        for number in 0..64 {
            assert_eq!(receiver.try_recv(), Ok([number; 100]));
        }
        for number in 1..9 {
            writer.write(&number).unwrap();
        }
        assert_eq!(watch::Reader::<u64>::open("y").unwrap().read(), Ok(8));
        drop(sections);
        spsc::Sender::<u64>::create_new("large").unwrap();
    });
}
