//! The icon's pixels for each state.

use super::{TrayState, TrayView};

include!(concat!(env!("OUT_DIR"), "/tray_icons.rs"));

/// A square of `size` × `size` pixels, 4 bytes each in the order that the platform wants.
#[derive(Clone, Copy)]
pub(super) struct Pixmap {
    pub(super) size: u32,
    pub(super) pixels: &'static [u8],
}

/// Every size that there is of the view's icon, the smallest first.
pub(super) fn pixmaps(view: &TrayView) -> impl Iterator<Item = Pixmap> + use<> {
    let name = name(view.state, view.unread > 0);
    TRAY_ICONS
        .iter()
        .filter(move |(known, ..)| *known == name)
        .map(|&(_, size, pixels)| Pixmap { size, pixels })
}

/// The icon's file name without its size.
fn name(state: TrayState, unread: bool) -> &'static str {
    match (state, unread) {
        (TrayState::Fine, false) => "fine",
        (TrayState::Fine, true) => "fine-unread",
        (TrayState::Attention, false) => "attention",
        (TrayState::Attention, true) => "attention-unread",
        (TrayState::Offline, false) => "offline",
        (TrayState::Offline, true) => "offline-unread",
        (TrayState::Snoozed, false) => "snoozed",
        (TrayState::Snoozed, true) => "snoozed-unread",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_state_has_an_icon_of_its_own_in_every_size() {
        let mut seen = HashSet::new();
        for state in [TrayState::Fine, TrayState::Attention, TrayState::Offline, TrayState::Snoozed] {
            for unread in [0, 1] {
                let icons: Vec<_> = pixmaps(&TrayView { state, unread, ..TrayView::default() }).collect();
                let sizes: Vec<_> = icons.iter().map(|icon| icon.size).collect();
                assert_eq!(sizes, [22, 24, 32, 44, 48], "{state:?}");
                for icon in icons {
                    assert_eq!(icon.pixels.len(), (icon.size * icon.size * 4) as usize);
                    assert!(icon.pixels.chunks_exact(4).any(|pixel| pixel != [0; 4]), "{state:?} is empty");
                    assert!(seen.insert(icon.pixels), "{state:?} {} looks like another", icon.size);
                }
            }
        }
    }
}
