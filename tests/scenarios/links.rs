//! What the resident program links: it is always there, so it is to stay small, and no crash of a toolkit may take it along.

use std::process::Command;

use bellwether_tests::program;

#[cfg(target_os = "linux")]
#[test]
fn the_resident_program_links_neither_gtk_nor_webkit() {
    let output = Command::new("ldd").arg(program()).output().expect("ldd starts");
    let libraries = String::from_utf8_lossy(&output.stdout).to_lowercase();
    assert!(output.status.success() && libraries.contains("libc.so"), "{output:?}");
    for toolkit in ["gtk", "gdk", "glib", "webkit", "javascriptcore", "cairo", "appindicator"] {
        assert!(!libraries.contains(toolkit), "{toolkit} is linked:\n{libraries}");
    }
}
