//! `cargo xtask icons`: renders the drawings in `icons/` to the sizes that the systems need.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::needs::{self, Group};
use crate::shell::{command, installed, output, root};

/// The app icon's sizes (freedesktop's icon theme); up to `SMALL` from the simpler drawing.
const APP: [u32; 8] = [16, 24, 32, 48, 64, 128, 256, 512];
const SMALL: u32 = 32;
/// The tray icons' sizes: panels ask for 22 or 24 px, at up to twice the density.
const TRAY: [u32; 5] = [22, 24, 32, 44, 48];
const STATES: [&str; 4] = ["fine", "attention", "offline", "snoozed"];

pub(crate) fn icons(_arguments: &[String]) -> Result<()> {
    for missing in needs::provide(&[Group::Icons])? {
        println!("skipped: {missing}");
    }
    if !installed("rsvg-convert") {
        bail!("rsvg-convert is missing");
    }
    let icons = root().join("icons");
    for size in APP {
        let drawing = if size <= SMALL { "app-small.svg" } else { "app.svg" };
        render(&icons.join(drawing), "", size, &icons.join(format!("app/{size}.png")))?;
    }
    for state in STATES {
        for (suffix, parts) in [("", format!(".{state}")), ("-unread", format!(".{state}, .unread"))] {
            let style = format!("{parts} {{ display: inline }}");
            for size in TRAY {
                render(
                    &icons.join("tray.svg"),
                    &style,
                    size,
                    &icons.join(format!("tray/{state}{suffix}-{size}.png")),
                )?;
            }
        }
    }
    let app = |size: u32| {
        fs::read(icons.join(format!("app/{size}.png"))).with_context(|| format!("icons/app/{size}.png"))
    };
    let images = |sizes: &[u32]| sizes.iter().map(|&size| Ok((size, app(size)?))).collect::<Result<Vec<_>>>();
    fs::write(icons.join("bellwether.ico"), ico(&images(&[16, 24, 32, 48, 64, 256])?)?)?;
    fs::write(icons.join("bellwether.icns"), icns(&images(&[16, 32, 64, 128, 256, 512])?)?)?;
    println!("rendered into {}", icons.display());
    Ok(())
}

/// Renders a drawing, with the parts shown that the style sheet shows.
fn render(drawing: &Path, style: &str, size: u32, file: &Path) -> Result<()> {
    let sheet = std::env::temp_dir().join(format!("bellwether-icon-{}.css", std::process::id()));
    fs::write(&sheet, style)?;
    let size = size.to_string();
    let mut render = command("rsvg-convert", &["--width", &size, "--height", &size, "--stylesheet"]);
    let rendered = output(render.arg(&sheet).arg("--output").arg(file).arg(drawing));
    fs::remove_file(&sheet)?;
    rendered.map(drop)
}

/// A Windows icon file that holds these PNGs.
fn ico(images: &[(u32, Vec<u8>)]) -> Result<Vec<u8>> {
    let count = u16::try_from(images.len())?;
    let mut file = [[0, 0], 1u16.to_le_bytes(), count.to_le_bytes()].concat();
    let mut offset = 6 + 16 * u32::from(count);
    for (size, png) in images {
        let length = u32::try_from(png.len())?;
        // 256 is written as 0.
        let side = u8::try_from(size % 256)?;
        file.extend([side, side, 0, 0, 1, 0, 32, 0]);
        file.extend(length.to_le_bytes());
        file.extend(offset.to_le_bytes());
        offset += length;
    }
    images.iter().for_each(|(_, png)| file.extend(png));
    Ok(file)
}

/// A macOS icon file that holds these PNGs.
fn icns(images: &[(u32, Vec<u8>)]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    for (size, png) in images {
        let kinds: &[&[u8; 4]] = match size {
            16 => &[b"icp4"],
            32 => &[b"icp5", b"ic11"],
            64 => &[b"ic12"],
            128 => &[b"ic07"],
            256 => &[b"ic08", b"ic13"],
            512 => &[b"ic09", b"ic14"],
            other => bail!("icns knows no size {other}"),
        };
        for kind in kinds {
            body.extend(kind.iter());
            body.extend(u32::try_from(png.len() + 8)?.to_be_bytes());
            body.extend(png);
        }
    }
    let length = u32::try_from(body.len() + 8)?;
    Ok([b"icns".as_slice(), &length.to_be_bytes(), &body].concat())
}
