//! Unpacks the tray's icons, so that the program carries pixels and no decoder.
//!
//! Every `icons/tray/<name>-<size>.png` becomes an entry `(name, size in pixels, pixels)` of `TRAY_ICONS`: 4 bytes for each
//! pixel, ARGB in network byte order for Linux (StatusNotifierItem, "Icons"), RGBA elsewhere.

use std::{
    env,
    error::Error,
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let icons = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../icons/tray").canonicalize()?;
    println!("cargo::rerun-if-changed={}", icons.display());
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let alpha_first = env::var("CARGO_CFG_TARGET_OS")? == "linux";

    let mut files: Vec<_> =
        fs::read_dir(&icons)?.map(|entry| Ok(entry?.path())).collect::<Result<_, Box<dyn Error>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "png"));
    files.sort();

    let mut table = String::from("static TRAY_ICONS: &[(&str, u32, &[u8])] = &[\n");
    for file in &files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let (name, size) = stem.rsplit_once('-').ok_or_else(|| format!("{stem}: not <name>-<size>"))?;
        let size: u32 = size.parse().map_err(|_| format!("{stem}: not <name>-<size>"))?;
        let pixels =
            pixels(file, size, alpha_first).map_err(|error| format!("{}: {error}", file.display()))?;
        let unpacked = out.join(stem.as_ref());
        fs::write(&unpacked, pixels)?;
        table += &format!("    ({name:?}, {size}, include_bytes!({unpacked:?})),\n");
    }
    table += "];\n";
    fs::write(out.join("tray_icons.rs"), table)?;
    Ok(())
}

fn pixels(file: &Path, size: u32, alpha_first: bool) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut decoder = png::Decoder::new(BufReader::new(File::open(file)?));
    decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
    let mut reader = decoder.read_info()?;
    let mut pixels = vec![0; reader.output_buffer_size().ok_or("too large")?];
    let frame = reader.next_frame(&mut pixels)?;
    if (frame.width, frame.height) != (size, size) {
        return Err(format!("is {}x{}", frame.width, frame.height).into());
    }
    let channels = frame.color_type.samples();
    Ok(pixels[..frame.buffer_size()]
        .chunks_exact(channels)
        .flat_map(|pixel| {
            // Grey with alpha, or colours with alpha: the transformation leaves no other.
            let (red, green, blue) =
                if channels == 2 { (pixel[0], pixel[0], pixel[0]) } else { (pixel[0], pixel[1], pixel[2]) };
            let alpha = pixel[channels - 1];
            if alpha_first { [alpha, red, green, blue] } else { [red, green, blue, alpha] }
        })
        .collect())
}
