//! The texts that window, tray, popups and command line share, in each language.
