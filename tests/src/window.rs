use crate::{Desktop, WINDOW_PATIENCE, until};

/// The window of the resident program, as the desktop sees it.
impl Desktop {
    /// The ids of the windows' processes.
    pub fn window_processes(&self) -> Vec<u32> {
        self.ids_of(|line| line.contains("bellwether-window"))
    }

    /// The ids of WebKit's processes.
    pub fn webkit_processes(&self) -> Vec<u32> {
        self.ids_of(|line| line.contains("WebKit") && !line.contains("WebKitWebDriver"))
    }

    /// Whether it is to be seen.
    pub fn window_is_open(&self) -> bool {
        self.windows().iter().any(|title| title.ends_with("Bellwether"))
    }

    /// Closes it as a person does, by the window manager's key; it may take the focus a moment after it was given it.
    #[track_caller]
    pub fn close_window(&self) {
        until(WINDOW_PATIENCE, "the window to close", || {
            let window = ["search", "--onlyvisible", "--name", "Bellwether$", "windowactivate", "--sync"];
            if self.try_run("xdotool", &window).is_ok() {
                self.press("alt+F4");
            }
            !self.window_is_open()
        });
    }

    fn ids_of(&self, fits: impl Fn(&str) -> bool) -> Vec<u32> {
        self.processes().into_iter().filter(|(_, line)| fits(line)).map(|(id, _)| id).collect()
    }
}
