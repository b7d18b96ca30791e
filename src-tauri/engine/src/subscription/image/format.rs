//! What kind of image bytes are, and how large it is drawn: read from their head alone.

use super::MAX_SIDE;

/// A kind of image that every desktop draws.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// PNG, ISO/IEC 15948.
    Png,
    /// JPEG, ITU-T T.81.
    Jpeg,
    /// GIF 87a or 89a.
    Gif,
    /// WebP, RFC 9649.
    WebP,
}

impl Kind {
    /// What a file of this kind is called by.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Gif => "gif",
            Self::WebP => "webp",
        }
    }
}

/// The kind of an image whose width and height are within 1 to [`MAX_SIDE`] pixels.
pub(super) fn recognize(bytes: &[u8]) -> Option<Kind> {
    let (kind, (width, height)) = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        (Kind::Png, png(bytes)?)
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        (Kind::Gif, gif(bytes)?)
    } else if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        (Kind::Jpeg, jpeg(bytes)?)
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12)? == b"WEBP" {
        (Kind::WebP, webp(bytes)?)
    } else {
        return None;
    };
    let bounded = |side: u32| (1..=MAX_SIDE).contains(&side);
    (bounded(width) && bounded(height)).then_some(kind)
}

/// The `IHDR` chunk, which has to be the first (ISO/IEC 15948, 11.2.1).
fn png(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.get(12..16)? != b"IHDR" {
        return None;
    }
    Some((u32::from_be_bytes(array(bytes, 16)?), u32::from_be_bytes(array(bytes, 20)?)))
}

/// The logical screen.
fn gif(bytes: &[u8]) -> Option<(u32, u32)> {
    let side = |at| Some(u32::from(u16::from_le_bytes(array(bytes, at)?)));
    Some((side(6)?, side(8)?))
}

/// The frame header, wherever it stands among the other segments (T.81, B.2.2).
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let [0xff, marker] = array::<2>(bytes, at)? else { return None };
        if marker == 0xff {
            // A fill byte.
            at += 1;
            continue;
        }
        let frame = matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
        if frame {
            let side = |at| Some(u32::from(u16::from_be_bytes(array(bytes, at)?)));
            return Some((side(at + 7)?, side(at + 5)?));
        }
        if matches!(marker, 0x00 | 0xd0..=0xda) {
            // The picture itself begins, or ends, without a frame.
            return None;
        }
        let length = usize::from(u16::from_be_bytes(array(bytes, at + 2)?));
        at += 2 + length.max(2);
    }
}

/// The first chunk (RFC 9649, 2.5 to 2.7).
fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        b"VP8X" => {
            let side = |at| {
                let [low, middle, high] = array(bytes, at)?;
                Some(u32::from_le_bytes([low, middle, high, 0]) + 1)
            };
            Some((side(24)?, side(27)?))
        }
        b"VP8L" => {
            if *bytes.get(20)? != 0x2f {
                return None;
            }
            let bits = u32::from_le_bytes(array(bytes, 21)?);
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8 " => {
            if bytes.get(23..26)? != [0x9d, 0x01, 0x2a] {
                return None;
            }
            let side = |at| Some(u32::from(u16::from_le_bytes(array(bytes, at)?) & 0x3fff));
            Some((side(26)?, side(28)?))
        }
        _ => None,
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
        [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &sides[..], b"\x08\x06\0\0\0"].concat()
    }

    fn gif(width: u16, height: u16) -> Vec<u8> {
        [&b"GIF89a"[..], &width.to_le_bytes(), &height.to_le_bytes()].concat()
    }

    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let head = b"\xff\xd8\xff\xe0\x00\x04JF\xff\xff\xc4\x00\x02\xff\xc2\x00\x11\x08";
        [&head[..], &height.to_be_bytes(), &width.to_be_bytes()].concat()
    }

    fn webp(chunk: &[u8; 4], content: &[u8]) -> Vec<u8> {
        [b"RIFF\0\0\0\0WEBP", &chunk[..], b"\0\0\0\0", content].concat()
    }

    #[test]
    fn images_are_known_by_their_first_bytes_and_their_size() {
        let lossless = |width: u32, height: u32| {
            let bits = (width - 1) | (height - 1) << 14;
            webp(b"VP8L", &[&[0x2f][..], &bits.to_le_bytes()].concat())
        };
        for (bytes, kind) in [
            (png(64, 48), Some(Kind::Png)),
            (png(1_024, 1_024), Some(Kind::Png)),
            (png(1_025, 1), None),
            (png(1, u32::MAX), None),
            (png(0, 1), None),
            (gif(48, 48), Some(Kind::Gif)),
            (gif(65_535, 48), None),
            (jpeg(640, 480), Some(Kind::Jpeg)),
            (jpeg(640, 4_800), None),
            (webp(b"VP8X", &[0, 0, 0, 0, 63, 0, 0, 47, 0, 0]), Some(Kind::WebP)),
            (webp(b"VP8X", &[0, 0, 0, 0, 63, 0, 1, 47, 0, 0]), None),
            (lossless(1_024, 5), Some(Kind::WebP)),
            (lossless(1_025, 5), None),
            (webp(b"VP8 ", &[0, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 48, 0]), Some(Kind::WebP)),
            (webp(b"VP8 ", &[0, 0, 0, 0, 0, 0, 64, 0, 48, 0]), None),
            (webp(b"ALPH", &[0; 16]), None),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), None),
            (b"<!doctype html>".to_vec(), None),
            (b"BM".to_vec(), None),
            (Vec::new(), None),
        ] {
            assert_eq!(recognize(&bytes), kind, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn what_breaks_off_is_no_image_and_no_reason_to_panic() {
        let whole = [png(9, 9), gif(9, 9), jpeg(9, 9), webp(b"VP8X", &[0; 10]), webp(b"VP8L", &[0x2f; 5])];
        for image in whole {
            assert!(recognize(&image).is_some() || image.starts_with(b"RIFF"), "{}", image.escape_ascii());
            for end in 0..image.len() {
                let _ = recognize(&image[..end]);
            }
        }
        assert_eq!(recognize(&[0xff; 1 << 10]), None);
        assert_eq!(recognize(b"\xff\xd8\xff\xe0\x00\x00\xff\xe0\x00\x00"), None);
    }
}
