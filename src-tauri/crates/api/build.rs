//! Rebuilds the crate when the panel was built again: its files are part of the binary.

#[allow(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]
fn main() {
    // Relative to this crate. A folder that is not there yet counts as changed once it is.
    for folder in ["../../../ui/dist", "../../../docs/errors"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
