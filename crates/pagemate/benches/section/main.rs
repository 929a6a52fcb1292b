//! How fast sections are, beside the raw system calls that do the same without the promises.
//!
//! ```sh
//! cargo bench -p pagemate --bench section             # everything, in a few minutes
//! cargo bench -p pagemate --bench section -- quick    # in seconds: does it still run?
//! cargo bench -p pagemate --bench section -- open     # the groups whose names have this word
//! ```
//!
//! Both sides run alternately in one process, so that what disturbs the machine disturbs both;
//! what counts is their ratio. Times are the processor's, for nothing here waits: other load takes
//! caches away but adds no time. The limits are the project's own, and missing one fails nothing.
#![allow(clippy::print_stdout, reason = "it is a report")]
#![allow(clippy::cast_precision_loss, reason = "rounded for people anyway")]

cfg_select! {
    target_os = "linux" => {
        mod copying;
        mod giant;
        mod life;
        mod measure;
        mod place;
        mod private;

        use measure::Effort;

        /// A part of the report: its name, and what prints it.
        type Group = (&'static str, fn(&place::Place, Effort));

        const GROUPS: [Group; 6] = [
            ("create and open", life::few),
            ("create and open among many", life::among_many),
            ("list", life::list),
            ("small values", copying::small),
            ("copying", copying::large),
            ("giant", giant::table),
        ];

        fn main() {
            let mut words: Vec<String> = std::env::args().skip(1).collect();
            if let ["hold", namespace, count] = &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                return place::hold(namespace, count.parse().expect("a number"));
            }
            // Cargo says `--bench` when it measures, and nothing when it only tests.
            let full = words.iter().any(|word| word == "--bench");
            words.retain(|word| !word.starts_with("--"));
            let quick = words.iter().any(|word| word == "quick") || !full;
            words.retain(|word| word != "quick");
            let effort = if quick { Effort::Quick } else { Effort::Full };
            let place = place::Place::new();
            for (name, group) in GROUPS {
                if words.is_empty() || words.iter().any(|word| name.contains(word.as_str())) {
                    println!("\n{name}");
                    group(&place, effort);
                }
            }
        }
    }
    _ => {
        fn main() {
            println!("the system calls to compare with are Linux'");
        }
    }
}
