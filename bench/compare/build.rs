//! Compiles the functions of Boost.Interprocess.

fn main() {
    println!("cargo:rerun-if-changed=src/boost.cpp");
    cc::Build::new().cpp(true).std("c++17").opt_level(3).file("src/boost.cpp").compile("boost_ipc");
}
